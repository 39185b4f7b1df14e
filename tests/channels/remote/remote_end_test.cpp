#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/member.hpp>
#include <wyvern/core/segment_layout.hpp>

#include "remote_channel_scene.hpp"
#include "support/local_node.hpp"

// How homes learn that a process has ended, if not by silence, over a real provider.
namespace wyvern::test {
namespace {

class RemoteEndTest : public RemoteChannelTest {
 protected:
  RemoteEndTest() : RemoteChannelTest(64, patient) {}

  /// As the agent of the process's node is one.
  std::shared_ptr<Member> agent_member() {
    const std::uint32_t index = node_.join()->process_index();
    return std::make_shared<Member>(
        std::shared_ptr<const Segment>(std::shared_ptr<const Segment>(), &node_.segment()), index,
        Puid::make(0, node_.segment().header().node, agent_sequence), Puid(),
        std::make_unique<KeeperLink>(node_, index));
  }
  std::uint64_t homes() const { return node_.segment().process(member_->process_index()).homes.load(); }
};

INSTANTIATE_TEST_SUITE_P(Over, RemoteEndTest, ::testing::Values("tcp", "net"), path_name);

TEST_P(RemoteEndTest, lease_comes_back_when_the_agent_says_that_its_holder_has_ended) {
  const Channel local = make_channel();
  local.put(bytes_of("task"));
  const auto remote = open(local);
  const auto lease = remote->take(IntentKind::lease, WaitLimit::never());
  ASSERT_TRUE(lease);
  const std::shared_ptr<Member> agent = agent_member();
  RemoteAccess agents(
      agent, std::make_unique<FabricEndpoint>(EndpointOptions{.provider = GetParam()}), key_,
      [this](std::uint32_t) { return home_->address(); }, patient);
  agents.tell_ended(1, std::vector{member_->puid()});
  EXPECT_EQ(local.lease().delivery_count(), 1U);
}

TEST_P(RemoteEndTest, process_table_says_which_homes_miss_a_process_until_it_has_left) {
  const Channel local = make_channel();
  EXPECT_EQ(homes(), 0U);
  {
    const auto remote = open(local);
    EXPECT_EQ(homes(), node_bit(1));
  }
  EXPECT_EQ(homes(), node_bit(1));
  access_->leave();
  EXPECT_EQ(homes(), 0U);
}

TEST_P(RemoteEndTest, home_that_does_not_answer_the_farewell_may_miss_the_process) {
  const Channel local = make_channel();
  open(local);
  home_->stop();
  access_->leave(std::chrono::milliseconds(10));
  EXPECT_EQ(homes(), node_bit(1));
}

}  // namespace
}  // namespace wyvern::test
