// The programs of examples/ whose output is always the same.
#include <gtest/gtest.h>

#include "runtime/support/scenario_test.hpp"

namespace wyvern::test {
namespace {

class ExamplesTest : public ScenarioTest {};

TEST_P(ExamplesTest, fan_in_hears_every_reading) {
  EXPECT_EQ(run_command({FAN_IN}), (Lines{"1000 fibers of one thread, sum of all readings 2997000"}));
}

TEST_P(ExamplesTest, pipeline_keeps_the_order_of_its_words) {
  EXPECT_EQ(run_command({PIPELINE}), (Lines{"DESSERTS!", "REWARD!", "DEVIL!", "STRAP!", "LOOT!"}));
}

TEST_P(ExamplesTest, scatter_gather_finds_all_primes_and_the_widest_gap) {
  EXPECT_EQ(run_command({SCATTER_GATHER}),
            (Lines{"9592 primes up to 100000, the widest gap is 72, after 31397"}));
}

TEST_P(ExamplesTest, work_queue_loses_workers_and_no_task) {
  EXPECT_EQ(run_command({WORK_QUEUE}), (Lines{"sum of squares 2301, workers lost 3, dead letter: task 13"}));
}

INSTANTIATE_TEST_SUITE_P(Run, ExamplesTest, every_way(), [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
