#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::wire {
namespace {

using Bytes = std::vector<std::byte>;
using AuthenticationFailed = ErrorOf<ErrorCode::authentication_failed>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

constexpr std::size_t version_place = 4;

class Introduction : public ::testing::Test {
 protected:
  const JobKey key_ = JobKey::make();
  const Bytes home_ = bytes_of("where the home is");
  const Introduced guest_{.puid = Puid(8589934592), .address = bytes_of("where the guest is")};
  const Bytes hello_ = make_hello(key_, guest_, home_);
};

TEST_F(Introduction, hello_says_who_the_guest_is) {
  const Introduced read = read_hello(key_, home_, hello_);
  EXPECT_EQ(read.puid, guest_.puid);
  EXPECT_EQ(read.address, guest_.address);
}

TEST_F(Introduction, hello_of_another_job_is_refused) {
  EXPECT_THROW(read_hello(JobKey::make(), home_, hello_), AuthenticationFailed);
}

TEST_F(Introduction, hello_to_another_home_is_refused) {
  EXPECT_THROW(read_hello(key_, bytes_of("elsewhere"), hello_), AuthenticationFailed);
  EXPECT_THROW(read_hello(key_, {}, hello_), AuthenticationFailed);
}

TEST_F(Introduction, hello_that_is_changed_anywhere_is_refused) {
  for (std::size_t place = 0; place < hello_.size(); ++place) {
    Bytes changed = hello_;
    changed[place] ^= std::byte{1};
    EXPECT_THROW(read_hello(key_, home_, changed), Error) << place;
  }
}

TEST_F(Introduction, hello_that_is_cut_or_longer_is_refused) {
  for (std::size_t size = 0; size < hello_.size(); ++size)
    EXPECT_THROW(read_hello(key_, home_, std::span(hello_).first(size)), DecodeError) << size;
  Bytes longer = hello_;
  longer.push_back(std::byte{0});
  EXPECT_THROW(read_hello(key_, home_, longer), DecodeError);
}

TEST_F(Introduction, hello_of_another_version_is_told_apart) {
  Bytes newer = hello_;
  newer[version_place] ^= std::byte{3};
  EXPECT_THROW(read_hello(key_, home_, newer), VersionMismatch);
}

TEST_F(Introduction, hello_that_would_be_too_long_is_not_made) {
  const Introduced far{.puid = Puid(1), .address = Bytes(70'000)};
  EXPECT_THROW(make_hello(key_, far, home_), InvalidArgument);
}

TEST_F(Introduction, welcome_belongs_to_one_hello) {
  const Bytes welcome = make_welcome(key_, hello_);
  EXPECT_TRUE(is_welcome(key_, hello_, welcome));
  EXPECT_FALSE(is_welcome(key_, make_hello(key_, guest_, bytes_of("elsewhere")), welcome));
  EXPECT_FALSE(is_welcome(JobKey::make(), hello_, welcome));
}

TEST_F(Introduction, welcome_that_is_changed_anywhere_is_none) {
  const Bytes welcome = make_welcome(key_, hello_);
  for (std::size_t place = 0; place < welcome.size(); ++place) {
    Bytes changed = welcome;
    changed[place] ^= std::byte{1};
    if (place / 2 == version_place / 2) {
      EXPECT_THROW(is_welcome(key_, hello_, changed), VersionMismatch);
    } else {
      EXPECT_FALSE(is_welcome(key_, hello_, changed)) << place;
    }
  }
  for (std::size_t size = 0; size < welcome.size(); ++size)
    EXPECT_FALSE(is_welcome(key_, hello_, std::span(welcome).first(size))) << size;
}

TEST_F(Introduction, hello_and_welcome_are_not_taken_for_each_other) {
  EXPECT_FALSE(is_welcome(key_, hello_, hello_));
  EXPECT_THROW(read_hello(key_, home_, make_welcome(key_, hello_)), DecodeError);
}

}  // namespace
}  // namespace wyvern::wire
