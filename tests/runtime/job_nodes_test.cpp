#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/job_nodes.hpp>
#include <wyvern/runtime/launcher/node_addresses.hpp>

namespace wyvern::launcher {
namespace {

using Instructions = std::vector<JobNodes::Instruction>;
using Kind = JobNodes::Instruction::Kind;

class JobNodesTest : public testing::Test {
 protected:
  Instructions told() { return nodes_.take_instructions(); }
  void end(std::uint32_t node) {
    nodes_.over(node, 0, now_);
    nodes_.gone(node, now_);
  }
  void nobody_awaits_anybody() {
    for (std::uint32_t node = 1; node <= 3; ++node) nodes_.awaited(node, false);
  }

  JobNodes nodes_{3};
  JobNodes::Clock::time_point now_{std::chrono::hours(1)};
};

const Instructions end_both{{Kind::end_node, 2}, {Kind::end_node, 3}};
const Instructions kill_both{{Kind::kill_node, 2}, {Kind::kill_node, 3}};
const Instructions others_ended{{Kind::say_others_ended, 1}};

TEST_F(JobNodesTest, nothing_is_said_while_the_job_runs) {
  nobody_awaits_anybody();
  EXPECT_FALSE(nodes_.wants_another_look()) << "the head may start processes";
  EXPECT_EQ(told(), Instructions());
  EXPECT_FALSE(nodes_.deadline());
  EXPECT_FALSE(nodes_.is_over());
}

TEST_F(JobNodesTest, head_that_returns_is_passed_on_to_all_others) {
  nodes_.head_returned();
  EXPECT_EQ(told(), (Instructions{{Kind::say_head_returned, 2}, {Kind::say_head_returned, 3}}));
}

TEST_F(JobNodesTest, others_end_when_nobody_is_awaited_and_then_node_1_is_told) {
  nodes_.head_returned();
  told();
  nobody_awaits_anybody();
  ASSERT_TRUE(nodes_.wants_another_look());
  EXPECT_EQ(told(), Instructions()) << "not before everything was looked at again";
  nodes_.nothing_more_came(now_);
  EXPECT_EQ(told(), end_both);
  end(2);
  EXPECT_EQ(told(), Instructions());
  end(3);
  EXPECT_EQ(told(), others_ended);
  EXPECT_FALSE(nodes_.is_over());
  nodes_.over(1, 42, now_);
  EXPECT_TRUE(nodes_.is_over());
  EXPECT_EQ(nodes_.head_status(), 42);
  EXPECT_EQ(told(), Instructions());
}

TEST_F(JobNodesTest, node_that_has_not_said_anything_is_waited_for) {
  nodes_.head_returned();
  nodes_.awaited(1, false);
  nodes_.awaited(2, false);
  EXPECT_FALSE(nodes_.wants_another_look());
}

TEST_F(JobNodesTest, process_that_was_started_elsewhere_meanwhile_is_seen_in_the_other_look) {
  nodes_.head_returned();
  told();
  nodes_.awaited(1, false);
  nodes_.awaited(2, true);
  nodes_.awaited(3, false);
  nodes_.awaited(2, false);
  ASSERT_TRUE(nodes_.wants_another_look());
  nodes_.awaited(1, true);  // that was started by the one of node 2
  EXPECT_FALSE(nodes_.wants_another_look());
  nodes_.nothing_more_came(now_);
  EXPECT_EQ(told(), Instructions());
  nodes_.awaited(1, false);
  nodes_.nothing_more_came(now_);
  EXPECT_EQ(told(), end_both);
}

TEST_F(JobNodesTest, agent_that_dies_is_reported_and_the_job_goes_on_without_it) {
  nodes_.head_returned();
  told();
  nodes_.awaited(1, true);
  nodes_.awaited(2, false);
  nodes_.awaited(3, true);
  nodes_.gone(3, now_);
  EXPECT_EQ(told(), (Instructions{{Kind::report_death, 3}}));
  EXPECT_FALSE(nodes_.wants_another_look());
  nodes_.awaited(1, false);
  EXPECT_TRUE(nodes_.wants_another_look()) << "node 3 awaits nobody any more";
  nodes_.nothing_more_came(now_);
  EXPECT_EQ(told(), (Instructions{{Kind::end_node, 2}}));
}

TEST_F(JobNodesTest, that_all_others_died_ends_nothing) {
  nodes_.gone(2, now_);
  nodes_.gone(3, now_);
  EXPECT_EQ(told(), (Instructions{{Kind::report_death, 2}, {Kind::report_death, 3}}));
  EXPECT_FALSE(nodes_.is_over());
  nodes_.job_ends(false, now_);
  EXPECT_EQ(told(), others_ended);
}

TEST_F(JobNodesTest, head_that_ends_early_ends_the_others) {
  nodes_.job_ends(false, now_);
  EXPECT_EQ(told(), end_both);
  end(2);
  end(3);
  EXPECT_EQ(told(), others_ended);
}

TEST_F(JobNodesTest, head_that_is_killed_kills_the_others_also_those_that_were_asked) {
  nodes_.job_ends(false, now_);
  told();
  end(2);
  nodes_.job_ends(true, now_);
  EXPECT_EQ(told(), (Instructions{{Kind::kill_node, 3}}));
  nodes_.job_ends(true, now_);
  EXPECT_EQ(told(), Instructions()) << "once";
}

TEST_F(JobNodesTest, death_of_the_agent_of_node_1_kills_the_others) {
  nodes_.gone(1, now_);
  Instructions expected{{Kind::report_death, 1}};
  expected.insert(expected.end(), kill_both.begin(), kill_both.end());
  EXPECT_EQ(told(), expected);
  EXPECT_FALSE(nodes_.is_over());
  end(2);
  end(3);
  EXPECT_EQ(told(), Instructions());
  EXPECT_TRUE(nodes_.is_over());
  EXPECT_FALSE(nodes_.head_status());
}

TEST_F(JobNodesTest, node_1_that_does_not_wait_for_the_others_kills_them) {
  nodes_.over(1, -9, now_);
  EXPECT_EQ(told(), kill_both);
  EXPECT_FALSE(nodes_.is_over());
  end(2);
  end(3);
  EXPECT_TRUE(nodes_.is_over());
}

TEST_F(JobNodesTest, agent_that_does_not_end_is_killed_and_that_is_not_reported) {
  nodes_.job_ends(false, now_);
  told();
  end(2);
  ASSERT_EQ(nodes_.deadline(), now_ + JobNodes::end_patience);
  nodes_.time_passed(now_ + JobNodes::end_patience - std::chrono::milliseconds(1));
  EXPECT_EQ(told(), Instructions());
  nodes_.time_passed(now_ + JobNodes::end_patience);
  EXPECT_EQ(told(), (Instructions{{Kind::kill_agent, 3}}));
  EXPECT_FALSE(nodes_.deadline());
  nodes_.gone(3, now_);
  EXPECT_EQ(told(), others_ended);
}

TEST_F(JobNodesTest, agent_whose_output_nobody_reads_is_not_killed) {
  nodes_.job_ends(false, now_);
  nodes_.over(2, 0, now_);
  nodes_.over(3, 0, now_);
  EXPECT_FALSE(nodes_.deadline());
  EXPECT_FALSE(nodes_.is_over()) << "their output is not out yet";
}

TEST_F(JobNodesTest, job_of_one_node_is_over_with_it) {
  JobNodes alone(1);
  alone.over(1, 3, now_);
  EXPECT_TRUE(alone.is_over());
  EXPECT_EQ(alone.take_instructions(), Instructions());
  JobNodes dead(1);
  dead.gone(1, now_);
  EXPECT_TRUE(dead.is_over());
  EXPECT_EQ(dead.take_instructions(), (Instructions{{Kind::report_death, 1}}));
}

TEST(NodeAddressesTest, names_the_nodes_that_are_missing) {
  NodeAddresses addresses(3);
  EXPECT_EQ(addresses.missing(), "nodes 1, 2, 3");
  addresses.add(3, {std::byte{3}});
  addresses.add(1, {std::byte{1}});
  EXPECT_EQ(addresses.missing(), "node 2");
  EXPECT_FALSE(addresses.are_complete());
  addresses.add(2, {});
  EXPECT_TRUE(addresses.are_complete());
  EXPECT_EQ(addresses.all().at(2), std::vector{std::byte{3}});
}

}  // namespace
}  // namespace wyvern::launcher
