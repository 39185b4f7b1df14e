#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/job_key.hpp>

namespace wyvern {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

bool are_equal(const JobKey& a, const JobKey& b) {
  return std::equal(a.bytes().begin(), a.bytes().end(), b.bytes().begin());
}

TEST(JobKey, two_that_are_made_differ) { EXPECT_FALSE(are_equal(JobKey::make(), JobKey::make())); }

TEST(JobKey, passed_on_makes_the_same_tags) {
  const JobKey key = JobKey::make();
  const JobKey passed_on(key.bytes());
  EXPECT_EQ(key.tag("purpose", bytes_of("text")), passed_on.tag("purpose", bytes_of("text")));
}

TEST(JobKey, of_another_length_is_refused) {
  const std::array<std::byte, JobKey::size + 1> bytes{};
  EXPECT_THROW(JobKey(std::span(bytes).first(JobKey::size - 1)), InvalidArgument);
  EXPECT_THROW(JobKey{bytes}, InvalidArgument);
  EXPECT_NO_THROW(JobKey(std::span(bytes).first(JobKey::size)));
}

TEST(JobKey, tag_is_for_one_key_one_purpose_and_these_bytes) {
  const JobKey key = JobKey::make();
  const JobKey::Tag tag = key.tag("purpose", bytes_of("text"));
  EXPECT_TRUE(key.is_tag(tag, "purpose", bytes_of("text")));
  EXPECT_FALSE(JobKey::make().is_tag(tag, "purpose", bytes_of("text")));
  EXPECT_FALSE(key.is_tag(tag, "other", bytes_of("text")));
  EXPECT_FALSE(key.is_tag(tag, "purpose", bytes_of("Text")));
  EXPECT_FALSE(key.is_tag(tag, "purposet", bytes_of("ext")));
  EXPECT_FALSE(key.is_tag(std::span(tag).first(31), "purpose", bytes_of("text")));
  EXPECT_FALSE(key.is_tag({}, "purpose", bytes_of("text")));
}

TEST(JobKey, tag_of_no_bytes_is_one_too) {
  const JobKey key = JobKey::make();
  EXPECT_TRUE(key.is_tag(key.tag("", {}), "", {}));
  EXPECT_FALSE(key.is_tag(key.tag("", {}), "x", {}));
}

}  // namespace
}  // namespace wyvern
