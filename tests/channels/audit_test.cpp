#include <cstdint>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/core/extent_pool.hpp>

#include "support/local_node.hpp"

// That the audit, which other tests rely on, sees what it should.
namespace wyvern::test {
namespace {

class AuditTest : public ::testing::Test {
 protected:
  AuditTest() {
    queue_.put("small");
    queue_.put(std::string(1'000, 'x'));
    EXPECT_EQ(audit_now(), "");
    while (!PortOwner(view_.port(port_).owner).is_owned_by(member_->process_index())) ++port_;
  }
  std::string audit_now() const { return audit(node_.segment(), queue_.channel().reference()); }
  Port& port() const { return view_.port(port_); }
  SpareWord spare() const { return SpareWord(port().spare); }
  BlockHeader& free_block() const { return view_.block(spare().block()); }
  BlockHeader& message_block(std::uint32_t slot) const {
    return view_.block(SlotWord(view_.slot(slot)).block());
  }
  void expect(const std::string& what) const {
    EXPECT_NE(audit_now().find(what), std::string::npos) << audit_now() << ", not: " << what;
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Queue<std::string> queue_ = make_queue<std::string>(member_, {.capacity = 4, .inline_size = 64});
  RingView view_ = queue_.channel().local().view();
  std::uint32_t port_ = 0;
};

TEST_F(AuditTest, block_in_two_places) {
  const std::uint32_t lost = spare().block();
  const std::uint32_t twice = SlotWord(view_.slot(1)).block();
  port().intent = 0;
  port().spare = twice;
  free_block().tag = port_;
  // The audit names the first block that it finds wrong.
  expect(lost < twice ? "block " + std::to_string(lost) + " is in 0 places" : "is in 2 places: slot 1 port");
}

TEST_F(AuditTest, operation_in_flight) {
  port().intent = IntentWord(IntentKind::get, 7, SlotWord(view_.slot(0)).block()).bits();
  expect("has an operation in flight");
}

TEST_F(AuditTest, tag_of_another) {
  free_block().tag = port_ + 1;
  expect("has a block with the tag of another");
}

TEST_F(AuditTest, more_dones_than_gets) {
  port().finished = FinishedWord(0).one_done().bits();
  expect("has reported more gets done than it made");
}

TEST_F(AuditTest, lease_with_gets_that_are_not_done) {
  port().spare = SpareWord(1, true, spare().block()).bits();
  expect("has a lease and gets that are not done");
}

TEST_F(AuditTest, move_that_has_not_ended) {
  port().moved = MovedWord(1, 0).bits();
  expect("is giving its gets to another");
}

TEST_F(AuditTest, free_port_with_gets_or_a_lease) {
  port().owner = PortOwner(port().owner).freed().bits();
  EXPECT_EQ(audit_now(), "");
  port().spare = SpareWord(1, false, spare().block()).bits();
  expect("belongs to nobody and has gets that are not done");
  port().spare = SpareWord(0, true, spare().block()).bits();
  expect("is free and has a lease");
}

TEST_F(AuditTest, port_that_is_given_back_without_message_or_hint) {
  port().owner = PortOwner(port().owner).given_back().bits();
  expect("is given back without a message");
  port().spare = SpareWord(0, true, spare().block()).bits();
  expect("no hint says so");
  raise_given_back(view_);
  EXPECT_EQ(audit_now(), "");
}

TEST_F(AuditTest, deliveries_of_no_message) {
  port().owner = PortOwner(port().owner).given_back().claimed_by(member_->process_index()).bits();
  expect("counts deliveries of no message");
}

TEST_F(AuditTest, port_of_the_agent_or_of_nobody) {
  port().owner = PortOwner(port().owner).claimed_by(agent_process_index).bits();
  expect("is owned by the agent");
  port().owner = PortOwner(port().owner).claimed_by(agent_process_index - 1).bits();
  expect("which is not there");
}

TEST_F(AuditTest, free_block_that_names_an_extent_or_handles) {
  free_block().extent = message_block(1).extent.load();
  expect("still names an extent");
  free_block().extent = 0;
  free_block().handles = HandleList(8, 1).bits();
  expect("still carries handles");
}

TEST_F(AuditTest, extents_and_blocks_that_do_not_name_each_other) {
  const std::uint32_t name = message_block(1).extent;
  ASSERT_NE(name, 0U);
  message_block(0).extent = name;
  expect("is not its own");
  message_block(0).extent = 0;
  message_block(1).extent = 0;
  expect("which does not name it");
}

TEST_F(AuditTest, handle_to_an_object_that_has_gone) {
  message_block(0).length = 8;
  auto* payload = RingView::inline_payload(message_block(0));
  *reinterpret_cast<std::uint32_t*>(payload + 8) = queue_.channel().reference().index + 1;
  message_block(0).handles = HandleList(8, 1).bits();
  expect("nothing says that the channel carries handles");
  view_.header().carries_handles = 1;
  expect("is not there");
  *reinterpret_cast<std::uint32_t*>(payload + 8) = queue_.channel().reference().index;
  expect("does not say so");
}

TEST_F(AuditTest, extents_of_the_node_that_nobody_has_or_finds) {
  EXPECT_EQ(audit_node(node_.segment()), "");
  const std::uint32_t extent = message_block(1).extent - 1;
  queue_.get();
  queue_.get();
  auto& hints = node_.segment().extent_group(extent / extents_in_group).maybe_free;
  const std::uint64_t before = hints.exchange(0);
  EXPECT_NE(audit_node(node_.segment()).find("is free but cannot be found"), std::string::npos);
  hints = before;
  auto& owner = node_.segment().extent(extent).owner;
  const std::uint64_t free = owner.load();
  owner = ExtentOwnerWord(free).next(ExtentOwner::block, block_identity(100, 0)).bits();
  EXPECT_NE(audit_node(node_.segment()).find("which is not there"), std::string::npos);
  owner = free;
}

}  // namespace
}  // namespace wyvern::test
