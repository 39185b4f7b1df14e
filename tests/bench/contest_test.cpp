#include "bench/common/contest.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

/// Contestants whose latencies are given, one for each repetition, and the order in which all of them played.
class Game {
 public:
  Contestant contestant(const std::string& name, std::vector<double> latencies) {
    return {.name = name,
            .play = [this, name] { played_.push_back(name); },
            .result =
                [name, latencies = std::move(latencies), next = std::size_t{0}]() mutable {
                  Row row;
                  row.system = name;
                  row.latency = Percentiles{.p50 = latencies.at(next++)};
                  return row;
                }};
  }
  const std::vector<std::string>& played() const { return played_; }

 private:
  std::vector<std::string> played_;
};

TEST(ContestTest, all_take_turns) {
  Game game;
  const auto ours = game.contestant("wyvern", {1, 1});
  compete(ours, {game.contestant("flag", {1, 1}), game.contestant("boost", {1, 1})}, {.repetitions = 2}, {},
          "");
  const std::vector<std::string> expected = {"wyvern", "flag", "boost", "wyvern", "flag", "boost"};
  EXPECT_EQ(game.played(), expected);
}

TEST(ContestTest, a_repetition_may_consist_of_several_turns_of_each) {
  Game game;
  const auto ours = game.contestant("wyvern", {1});
  const auto rows = compete(ours, {game.contestant("futex", {1})}, {.repetitions = 1, .turns = 2}, {}, "");
  const std::vector<std::string> expected = {"wyvern", "futex", "wyvern", "futex"};
  EXPECT_EQ(game.played(), expected);
  EXPECT_EQ(rows.size(), 2U);
}

TEST(ContestTest, ratios_are_those_of_the_same_repetition) {
  Game game;
  const auto ours = game.contestant("wyvern", {100, 300});
  const auto rows = compete(ours, {game.contestant("flag", {50, 100})}, {.repetitions = 2}, {}, "");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].repetition, 0U);
  EXPECT_DOUBLE_EQ(rows[0].ratios.at("flag"), 2);
  EXPECT_TRUE(rows[1].ratios.empty());
  EXPECT_EQ(rows[2].repetition, 1U);
  EXPECT_DOUBLE_EQ(rows[2].ratios.at("flag"), 3);
  EXPECT_EQ(rows[3].repetition, 1U);
}

TEST(ContestTest, alone_there_are_no_ratios) {
  Game game;
  const auto rows = compete(game.contestant("wyvern", {100}), {}, {.repetitions = 1}, {}, "");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].ratios.empty());
}

}  // namespace
}  // namespace wyvern::bench
