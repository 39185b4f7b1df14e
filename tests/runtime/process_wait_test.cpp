// Waiting for processes, whoever started them and wherever they run.
#include <cstddef>
#include <string>

#include <gtest/gtest.h>

#include "runtime/support/scenario_test.hpp"

namespace wyvern::test {
namespace {

class ProcessWaitTest : public ScenarioTest {
 protected:
  /// " 0 1 2" and so on.
  static std::string counted(int count, int step) {
    std::string text;
    for (int i = 0; i < count; ++i) text += " " + std::to_string(i * step);
    return text;
  }
};

TEST_P(ProcessWaitTest, wait_any_says_which_has_ended) {
  EXPECT_EQ(run({"wait_for_any"}), (Lines{"not in time", "the right ones"}));
}

TEST_P(ProcessWaitTest, other_fibers_go_on_while_one_waits_for_any) {
  EXPECT_EQ(run({"wait_for_any_in_a_fiber"}),
            (Lines{"not in time", "the right one", "ended" + counted(2 * nodes(), 0)}));
}

TEST_P(ProcessWaitTest, wait_all_returns_all_statuses_as_often_as_asked) {
  const std::string statuses = counted(2 * nodes(), 1);
  EXPECT_EQ(run({"wait_for_all"}), (Lines{"not in time", "ended" + statuses, "again" + statuses}));
}

TEST_P(ProcessWaitTest, waits_for_what_never_was_are_invalid_argument) {
  const Lines lines = run({"waits_that_cannot_be"});
  ASSERT_EQ(lines.size(), 16U);
  EXPECT_EQ(lines[0], "all of none:");
  for (std::size_t i = 1; i < lines.size(); ++i)
    EXPECT_FALSE(lines[i].ends_with(": no exception")) << lines[i];
}

TEST_P(ProcessWaitTest, every_process_is_joined_by_puid_from_every_node_twice) {
  EXPECT_EQ(run({"join_from_everywhere"}), (Lines{"joiners" + counted(nodes(), 0)}));
}

TEST_P(ProcessWaitTest, child_of_a_process_that_died_goes_on_and_is_joined_by_puid) {
  EXPECT_EQ(run({"child_of_a_dead_process"}), (Lines{"middle -9", "child goes on", "child 0"}));
}

TEST_P(ProcessWaitTest, processes_start_processes_to_any_depth) {
  EXPECT_EQ(run({"nested_to_a_depth", "12"}), (Lines{"depth 12"}));
}

INSTANTIATE_TEST_SUITE_P(Run, ProcessWaitTest, every_way(),
                         [](const auto& how) { return name_of(how.param); });

}  // namespace
}  // namespace wyvern::test
