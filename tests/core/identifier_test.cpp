#include <cstdint>
#include <limits>
#include <unordered_set>

#include <gtest/gtest.h>

#include <wyvern/core/puid.hpp>

namespace wyvern::test {
namespace {

TEST(Identifier, head_process_of_a_job_is_2_to_the_32) {
  EXPECT_EQ(Puid::make(0, 1, 0).value(), 4294967296U);
  EXPECT_EQ(to_string(Puid::make(0, 1, 1)), "4294967297");
}

TEST(Identifier, parts_come_back_at_their_limits) {
  const auto largest = Puid::make(0xfff, 0xfffff, std::numeric_limits<std::uint32_t>::max());

  EXPECT_EQ(largest.value(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(largest.system(), 0xfffU);
  EXPECT_EQ(largest.node(), 0xfffffU);
  EXPECT_EQ(largest.sequence(), std::numeric_limits<std::uint32_t>::max());
}

TEST(Identifier, parts_do_not_touch_each_other) {
  EXPECT_EQ(Puid::make(1, 0, 0).node(), 0U);
  EXPECT_EQ(Puid::make(0, 1, 0).system(), 0U);
  EXPECT_EQ(Puid::make(0x1000, 0x100000, 7), Puid::make(0, 0, 7)) << "higher bits are dropped";
}

TEST(Identifier, default_names_nothing) {
  EXPECT_FALSE(Puid());
  EXPECT_TRUE(Puid::make(0, 1, 0));
}

TEST(Identifier, is_ordered_and_hashed_by_value) {
  EXPECT_LT(Puid::make(0, 1, 5), Puid::make(0, 2, 0));
  std::unordered_set<Puid> puids{Puid(1), Puid(1), Puid(2)};
  EXPECT_EQ(puids.size(), 2U);
}

}  // namespace
}  // namespace wyvern::test
