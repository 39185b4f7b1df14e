#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "conformance.hpp"
#include "support/two_members.hpp"

// Messages of all sizes, and those that cannot be put or are no values.
namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

constexpr auto long_enough = 30s;

class ConformanceMessageTest : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Over, ConformanceMessageTest, all_ways(), way_name);

TEST_P(ConformanceMessageTest, message_that_is_no_value_carries_its_bytes) {
  const auto [there, here] = make<std::vector<std::string>>();
  const auto wrong = bytes_of("\x05not what it says");
  there.channel().put(wrong);
  there.put({"right"});
  try {
    here.get();
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_EQ(error.bytes(), wrong);
  }
  EXPECT_EQ(here.get(), std::vector<std::string>{"right"});
  const auto [ints_there, ints_here] = make<int>();
  ints_there.channel().put(bytes_of("six by"));
  EXPECT_THROW(ints_here.get(), DecodeError);
  ints_there.channel().put(bytes_of("six by"));
  EXPECT_THROW(ints_here.take(), DecodeError);
  ints_there.channel().put(bytes_of("six by"));
  EXPECT_THROW(ints_here.lease(), DecodeError);
  EXPECT_THROW(ints_here.get_many(2), DecodeError);
  EXPECT_EQ(ints_here.try_get(), std::nullopt);
}

TEST_P(ConformanceMessageTest, message_that_can_never_fit_is_too_large) {
  const auto [there, here] = make<std::string>({.max_bytes = 4096, .inline_size = 64});
  EXPECT_THROW(here.put(std::string(5000, 'x')), TooLarge);
  EXPECT_THROW(here.try_put(std::string(5000, 'x')), TooLarge);
  EXPECT_THROW(here.put_many(std::vector{std::string(5000, 'x')}), TooLarge);
  EXPECT_THROW(here.channel().loan(5000), TooLarge);
  EXPECT_TRUE(here.try_put(std::string(1000, 'x')));
  EXPECT_EQ(there.get(), std::string(1000, 'x'));
}

TEST_P(ConformanceMessageTest, max_bytes_hold_up_what_does_not_fit_now) {
  const auto [there, here] = make<std::string>({.max_bytes = 65'536, .inline_size = 64});
  const std::string half(30'000, 'x');
  EXPECT_TRUE(here.try_put_for(long_enough, half));
  EXPECT_TRUE(here.try_put_for(long_enough, half));
  EXPECT_FALSE(here.try_put_for(5ms, half));
  EXPECT_EQ(there.get(), half);
  EXPECT_TRUE(here.try_put_for(long_enough, half));
  EXPECT_EQ(there.get(), half);
  EXPECT_EQ(there.get(), half);
}

TEST_P(ConformanceMessageTest, value_that_cannot_be_encoded_is_not_put) {
  const auto [there, here] = make<Queue<int>>();
  EXPECT_THROW(here.put(Queue<int>()), InvalidArgument);
  EXPECT_EQ(here.size_approx(), 0U);
}

TEST_P(ConformanceMessageTest, large_messages_go_both_ways) {
  const auto [there, here] = make<std::vector<std::byte>>();
  for (const std::size_t size : {8'000U, 20'000U, 1U << 20U, 5'000'000U}) {
    std::vector<std::byte> large(size);
    for (std::size_t i = 0; i < size; ++i) large[i] = static_cast<std::byte>(i * 31 + i / 977);
    here.put(large);
    EXPECT_EQ(there.get(), large);
    there.put(large);
    EXPECT_EQ(here.get(), large);
    EXPECT_TRUE(here.try_put_for(long_enough, large));
    EXPECT_EQ(here.get_many(3).at(0), large);
  }
  EXPECT_EQ(audit_of(there), "");
}

TEST_P(ConformanceMessageTest, messages_arrive_that_just_fit_into_one_of_the_network_or_just_do_not) {
  const auto [there, here] = make<std::string>();
  for (const std::size_t limit : {4096U - 16U, 4096U, 15'360U, 61'440U}) {
    for (std::size_t size = limit - 72; size < limit + 8; size += 2) {
      const std::string text(size, static_cast<char>('a' + size % 26));
      here.put(text);
      EXPECT_EQ(there.get(), text) << size;
      there.put(text);
      EXPECT_EQ(here.get(), text) << size;
    }
  }
}

}  // namespace
}  // namespace wyvern::test
