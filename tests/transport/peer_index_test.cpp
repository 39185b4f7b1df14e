#include <cstdint>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include <wyvern/transport/peer_index.hpp>

namespace wyvern::test {
namespace {

TEST(PeerIndexTest, has_nobody_at_first) {
  const PeerIndex index;
  EXPECT_EQ(index.find(0), PeerIndex::nobody);
  EXPECT_EQ(index.find(~std::uint64_t{0}), PeerIndex::nobody);
  EXPECT_EQ(index.size(), 0U);
}

TEST(PeerIndexTest, epoch_zero_is_one_like_others) {
  PeerIndex index;
  index.add(0, 7);
  EXPECT_EQ(index.find(0), 7U);
  index.remove(0);
  EXPECT_EQ(index.find(0), PeerIndex::nobody);
}

/// In tables that are small enough for places to collide, also over the end.
class PeerIndexSpread : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Of, PeerIndexSpread, testing::Values(3, 8, 100, ~std::uint64_t{0}));

TEST_P(PeerIndexSpread, agrees_with_a_map_through_comings_and_goings) {
  std::mt19937_64 random(GetParam());
  std::uniform_int_distribution<std::uint64_t> low(0, GetParam() - 1);
  PeerIndex index;
  std::map<std::uint64_t, PeerNumber> expected;
  for (PeerNumber number = 0; number < 20'000; ++number) {
    // With places near the end.
    const std::uint64_t epoch = random() << 32 | static_cast<std::uint32_t>(~low(random));
    if (expected.emplace(epoch, number).second) index.add(epoch, number);
    // Growing and shrinking in turn, between nobody and some hundred.
    const bool grows = number / 500 % 2 == 0;
    for (std::uint64_t gone = random() % (grows ? 2 : 4); gone != 0 && !expected.empty(); --gone) {
      auto victim = expected.lower_bound(random());
      if (victim == expected.end()) victim = expected.begin();
      index.remove(victim->first);
      EXPECT_EQ(index.find(victim->first), PeerIndex::nobody);
      expected.erase(victim);
    }
    if (number % 64 != 0) continue;
    ASSERT_EQ(index.size(), expected.size());
    for (const auto& [each, peer] : expected) ASSERT_EQ(index.find(each), peer);
  }
}

}  // namespace
}  // namespace wyvern::test
