// What a queue does between processes of a job, from end to end: run directly, under `wyvern run`, and on
// four nodes.
#include <string>

#include <gtest/gtest.h>

#include "runtime/support/scenario_test.hpp"

namespace wyvern::test {
namespace {

class ExchangeTest : public ScenarioTest {};

TEST_P(ExchangeTest, sixteen_mebibytes_are_put_without_a_consumer) {
  EXPECT_EQ(run({"large_put"}), (Lines{"put with status 0", "whole"}));
}

TEST_P(ExchangeTest, items_of_each_producer_come_in_its_order) {
  EXPECT_EQ(run({"order"}), (Lines{"0 out of order, 0 too many"}));
}

TEST_P(ExchangeTest, second_queue_verifies_that_every_item_comes_once) {
  EXPECT_EQ(run({"verified"}), (Lines{"2000 once, 0 too many"}));
}

TEST_P(ExchangeTest, killed_waiters_hold_up_no_later_put) {
  EXPECT_EQ(run({"killed_waiters"}),
            has_nodes() ? (Lines{"4 killed", "got 17"}) : (Lines{"4 killed", "got 17", "4 more"}));
}

TEST_P(ExchangeTest, join_returns_when_all_tasks_are_done) {
  EXPECT_EQ(run({"joinable"}), (Lines{"0 lost", "sum 5050"}));
}

TEST_P(ExchangeTest, sizes_are_exact_after_each_operation) {
  EXPECT_EQ(run({"sizes"}), (Lines{"made: 0 of 2, empty", "put: 1 of 2", "put: 2 of 2, full", "no room",
                                   "got: 1 of 2", "got: 0 of 2, empty", "nothing there"}));
}

TEST_P(ExchangeTest, token_goes_round_three_times) {
  EXPECT_EQ(run({"ring_of_two_a_node"}), (Lines{"token " + std::to_string(3 * 2 * nodes())}));
}

INSTANTIATE_TEST_SUITE_P(Run, ExchangeTest, every_way(), [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
