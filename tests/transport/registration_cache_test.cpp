#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/registration_cache.hpp>

#include "fake_endpoint.hpp"
#include "transport/tested_providers.hpp"
#include "two_endpoints.hpp"

namespace wyvern::test {
namespace {

const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

/// A cache of 8 pages in 4 registrations, and 64 pages to register.
class RegistrationCacheTest : public ::testing::Test {
 protected:
  std::span<std::byte> pages(std::size_t first, std::size_t count = 1) {
    return {memory_.get() + first * page, count * page};
  }

  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_{static_cast<std::byte*>(std::aligned_alloc(page, 64 * page))};
  FakeEndpoint endpoint_;
  RegistrationCache cache_{endpoint_, {.bytes = 8 * page, .entries = 4}};
};

TEST_F(RegistrationCacheTest, same_memory_and_parts_of_it_are_registered_once) {
  const auto first = cache_.get(pages(10, 4));
  EXPECT_EQ(cache_.get(pages(10, 4)), first);
  EXPECT_EQ(cache_.get(pages(13)), first);
  EXPECT_EQ(cache_.get(pages(11).first(1)), first);
  EXPECT_EQ(endpoint_.registered, 1U);
  EXPECT_EQ(cache_.counters().misses, 1U);
  EXPECT_EQ(cache_.counters().hits, 3U);
}

TEST_F(RegistrationCacheTest, whole_pages_are_registered_so_neighbours_are_found) {
  const auto memory = cache_.get(pages(3).subspan(100, 8));
  EXPECT_EQ(memory->bytes().data(), pages(3).data());
  EXPECT_EQ(memory->bytes().size(), page);
  EXPECT_EQ(cache_.get(pages(3).subspan(page - 8)), memory);
  const auto across = cache_.get(pages(5, 2).subspan(page - 1, 2));
  EXPECT_EQ(across->bytes().data(), pages(5).data());
  EXPECT_EQ(across->bytes().size(), 2 * page);
}

TEST_F(RegistrationCacheTest, part_is_read_from_where_it_lies_in_the_registration) {
  const auto memory = cache_.get(pages(10, 4));
  const RemoteMemory part = remote_part(*memory, pages(12).subspan(100, 8));
  EXPECT_EQ(part.address, 2 * page + 100);
  EXPECT_EQ(part.size, 8U);
  EXPECT_EQ(part.key, memory->remote().key);
}

TEST_F(RegistrationCacheTest, larger_one_takes_the_place_of_those_within_it) {
  auto inside = cache_.get(pages(11));
  cache_.get(pages(12));
  cache_.get(pages(9, 2));  // reaches over its beginning: stays
  const auto larger = cache_.get(pages(10, 4));
  EXPECT_EQ(cache_.entries(), 2U);
  EXPECT_EQ(endpoint_.registered, 3U) << "the one that is in use ends with its use";
  inside.reset();
  EXPECT_EQ(endpoint_.registered, 2U);
  EXPECT_EQ(cache_.get(pages(11)), larger);
  EXPECT_EQ(cache_.bytes(), endpoint_.registered_bytes);
}

TEST_F(RegistrationCacheTest, one_with_the_same_beginning_that_is_too_short_is_no_hit) {
  cache_.get(pages(10));
  EXPECT_EQ(cache_.get(pages(10, 2))->bytes().size(), 2 * page);
  EXPECT_EQ(cache_.entries(), 1U);
  EXPECT_EQ(cache_.bytes(), 2 * page);
}

TEST_F(RegistrationCacheTest, least_recently_used_goes_when_there_are_too_many) {
  for (std::size_t i = 0; i < 4; ++i) cache_.get(pages(2 * i));
  cache_.get(pages(0));  // used once more
  cache_.get(pages(20));
  EXPECT_EQ(cache_.entries(), 4U);
  EXPECT_EQ(cache_.counters().evicted, 1U);
  EXPECT_EQ(endpoint_.registered, 4U);
  const auto misses = cache_.counters().misses;
  cache_.get(pages(0));
  EXPECT_EQ(cache_.counters().misses, misses);
  cache_.get(pages(2));
  EXPECT_EQ(cache_.counters().misses, misses + 1) << "that one was the oldest";
}

TEST_F(RegistrationCacheTest, least_recently_used_goes_when_they_are_too_large) {
  cache_.get(pages(0, 3));
  cache_.get(pages(10, 3));
  cache_.get(pages(20, 3));
  EXPECT_EQ(cache_.bytes(), 6 * page);
  EXPECT_EQ(cache_.entries(), 2U);
  cache_.get(pages(30, 20));
  EXPECT_EQ(cache_.entries(), 1U) << "larger than the limit: all others go";
  cache_.get(pages(0));
  EXPECT_EQ(cache_.bytes(), page);
}

TEST_F(RegistrationCacheTest, what_is_in_use_stays_and_may_be_more_than_the_limits) {
  const auto a = cache_.get(pages(0, 4));
  const auto b = cache_.get(pages(10, 4));
  const auto c = cache_.get(pages(20, 4));
  EXPECT_EQ(cache_.bytes(), 12 * page);
  EXPECT_EQ(cache_.counters().evicted, 0U);
  EXPECT_EQ(cache_.get(pages(1)), a);
}

TEST_F(RegistrationCacheTest, forget_drops_all_that_touch_the_memory) {
  cache_.get(pages(0));
  cache_.get(pages(4, 2));
  auto used = cache_.get(pages(5, 2));
  cache_.get(pages(8));
  cache_.forget(pages(5, 3));
  EXPECT_EQ(cache_.entries(), 2U);
  EXPECT_EQ(endpoint_.registered, 3U);
  used.reset();
  EXPECT_EQ(endpoint_.registered, 2U);
  EXPECT_EQ(cache_.bytes(), 2 * page);
  cache_.forget(pages(0).first(1));
  cache_.forget(pages(20, 10));
  EXPECT_EQ(cache_.entries(), 1U);
  EXPECT_NE(cache_.get(pages(5)), nullptr);
}

TEST_F(RegistrationCacheTest, forget_drops_one_that_reaches_far_over_the_memory) {
  cache_.get(pages(0, 6));
  cache_.get(pages(4, 4));
  cache_.forget(pages(2));
  EXPECT_EQ(cache_.entries(), 1U);
  cache_.forget(pages(5));
  EXPECT_EQ(cache_.entries(), 0U);
  EXPECT_EQ(endpoint_.registered, 0U);
}

TEST_F(RegistrationCacheTest, no_room_makes_the_unused_go_and_is_tried_once_more) {
  for (const int error : {ENOMEM, EAGAIN}) {
    cache_.get(pages(0));
    cache_.get(pages(2));
    const auto used = cache_.get(pages(4));
    endpoint_.refusals = 1;
    endpoint_.refused_with = error;
    EXPECT_NE(cache_.get(pages(20)), nullptr);
    EXPECT_EQ(cache_.entries(), 2U);
    cache_.forget(pages(20));
  }
}

TEST_F(RegistrationCacheTest, no_room_at_all_is_an_error_that_names_the_limit) {
  const auto used = cache_.get(pages(4));
  endpoint_.refusals = 2;
  endpoint_.refused_with = ENOMEM;
  try {
    cache_.get(pages(20, 2));
    FAIL() << "that was refused twice";
  } catch (const FabricError& error) {
    EXPECT_EQ(error.fabric_errno(), ENOMEM);
    const std::string text = error.what();
    EXPECT_NE(text.find("ulimit -l"), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(2 * page) + " bytes"), std::string::npos) << text;
  }
  EXPECT_EQ(cache_.get(pages(4)), used);
  EXPECT_NE(cache_.get(pages(20, 2)), nullptr);
}

TEST_F(RegistrationCacheTest, other_errors_are_passed_on_and_nothing_goes_for_them) {
  cache_.get(pages(0));
  endpoint_.refusals = 1;
  endpoint_.refused_with = EFAULT;
  EXPECT_THROW(cache_.get(pages(20)), FabricError);
  EXPECT_EQ(cache_.entries(), 1U);
  EXPECT_THROW(cache_.get({}), InvalidArgument);
}

class RegistrationCacheOverTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RegistrationCacheOverTest, peer_reads_parts_of_memory_that_is_registered_once) {
  if (!is_offered(GetParam())) GTEST_SKIP() << "not offered by this libfabric";
  TwoEndpoints two(GetParam());
  two.send();  // b knows a
  while (two.b.messages == 0) two.poll();
  std::vector<std::byte> source(100'000);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<std::byte>(i * 7);
  std::vector<std::byte> destination(source.size());
  RegistrationCache sources(two.a.endpoint);
  RegistrationCache destinations(two.b.endpoint);
  const auto all = sources.get(source);
  const std::size_t piece = 10'000;
  for (std::size_t offset = 0; offset < source.size(); offset += piece) {
    const std::span part = std::span(source).subspan(offset, piece);
    const std::span to = std::span(destination).subspan(offset, piece);
    const auto region = destinations.get(to);
    RemoteRead read(two.to_a, remote_part(*sources.get(part), part), to, region.get());
    two.b.last_read.reset();
    two.b.endpoint.read(read);
    while (!two.b.last_read) two.poll();
    ASSERT_EQ(two.b.last_read, ReadResult::done);
    ASSERT_TRUE(std::ranges::equal(part, to));
  }
  EXPECT_EQ(sources.counters().misses, 1U);
  EXPECT_EQ(destinations.counters().misses, 10U) << "each reaches over the one before";
  sources.forget(source);
  EXPECT_EQ(sources.entries(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Provider, RegistrationCacheOverTest, ::testing::ValuesIn(tested_providers()),
                         [](const auto& provider) { return std::string(provider.param); });

}  // namespace
}  // namespace wyvern::test
