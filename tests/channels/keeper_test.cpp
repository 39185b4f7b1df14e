#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/spin.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

class KeeperTest : public ::testing::Test {
 protected:
  std::uint32_t asleep(InterestKind kind) const {
    return sleepers(node_.segment(), kind, queue_.channel().reference().index);
  }
  const RingView& view() const { return queue_.channel().local().view(); }
  void expect_clean() const {
    EXPECT_EQ(audit(node_.segment(), queue_.channel().reference()), "");
    EXPECT_EQ(audit_node(node_.segment()), "");
  }
  /// The port that a process keeps after its first put, with nothing going on.
  BorrowedPort port_of(Queue<std::string>& queue) {
    queue.put("");
    EXPECT_EQ(queue_.get(), "");
    const std::uint32_t process = queue.channel().local().member()->process_index();
    std::uint32_t number = 0;
    while (!PortOwner(view().port(number).owner).is_owned_by(process)) ++number;
    return {&view().port(number), number};
  }
  /// What the only block with a large payload names.
  std::uint32_t only_extent() const {
    std::uint32_t block = 0;
    while (view().block(block).extent == 0) ++block;
    return view().block(block).extent;
  }
  /// The sleeping cell of the only waiter for a message.
  ParkerCell& sleeping_cell() const {
    const std::uint64_t interest = make_interest(InterestKind::message, queue_.channel().reference().index);
    std::uint32_t i = 0;
    while (node_.segment().parker(i).interest != interest) ++i;
    return node_.segment().parker(i);
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Queue<std::string> queue_ =
      make_queue<std::string>(member_, {.capacity = 4, .max_bytes = 40'000, .inline_size = 32});
};

TEST_F(KeeperTest, ports_of_the_dead_are_free_again) {
  const auto dead = node_.join();
  abandon(open_as(dead, queue_)).put("put by the dead");
  node_.bury(*dead);

  for (std::uint32_t i = 0; i < view().header().port_count; ++i) {
    const PortOwner owner(view().port(i).owner);
    EXPECT_TRUE(owner.state() == PortState::free || owner.process() != dead->process_index()) << i;
  }
  EXPECT_EQ(queue_.get(), "put by the dead") << "what it had put stays";
  expect_clean();
}

TEST_F(KeeperTest, process_entry_is_given_out_again_after_the_burial) {
  const auto dead = node_.join();
  EXPECT_EQ(node_.segment().process(dead->process_index()).puid, dead->puid().value());
  node_.bury(*dead);
  EXPECT_EQ(node_.segment().process(dead->process_index()).puid, 0U);
  const auto next = node_.join();
  EXPECT_EQ(next->process_index(), dead->process_index());
  EXPECT_NE(next->puid(), dead->puid());
}

TEST_F(KeeperTest, more_processes_than_the_table_has_is_out_of_memory) {
  std::vector<std::shared_ptr<Member>> members;
  for (std::uint32_t i = 1; i < agent_process_index; ++i) members.push_back(node_.join());
  EXPECT_THROW(node_.join(), OutOfMemory);
  node_.bury(*members.back());
  EXPECT_NO_THROW(node_.join());
}

TEST_F(KeeperTest, end_of_a_process_wakes_who_waits_for_it) {
  const auto process = node_.join();
  std::jthread waiter(
      [&] { EXPECT_EQ(wait_for_exit(member_, process->puid().sequence(), Deadline::never()), -9); });
  wait_for(
      [&] { return sleepers(node_.segment(), InterestKind::process_exit, process->puid().sequence()) == 1; });

  node_.bury(*process);
}

TEST_F(KeeperTest, message_that_the_dead_was_reading_goes_with_it_and_its_memory_returns) {
  queue_.put(std::string(20'000, 'x'));
  const auto dead = node_.join();
  auto& reader = abandon(open_as(dead, queue_));
  abandon(reader.channel().local().take(IntentKind::get, WaitLimit::now()));
  EXPECT_NE(payload_bytes(view()), 0U);

  node_.bury(*dead);

  EXPECT_EQ(payload_bytes(view()), 0U);
  EXPECT_TRUE(queue_.empty_approx());
  expect_clean();
}

TEST_F(KeeperTest, memory_of_a_put_that_was_never_published_returns) {
  const auto dead = node_.join();
  auto& mine = abandon(open_as(dead, queue_));
  ASSERT_TRUE(abandon(mine.channel().local().loan(30'000, WaitLimit::now())));
  EXPECT_FALSE(queue_.try_put(std::string(20'000, 'x')));

  node_.bury(*dead);

  EXPECT_EQ(payload_bytes(view()), 0U);
  EXPECT_TRUE(queue_.try_put(std::string(20'000, 'x')));
  expect_clean();
}

TEST_F(KeeperTest, extent_that_was_named_and_not_claimed_is_a_reservation_until_the_burial) {
  const auto dead = node_.join();
  const BorrowedPort port = port_of(abandon(open_as(dead, queue_)));
  queue_.put(std::string(30'000, 'x'));
  const std::uint32_t name = only_extent();
  queue_.get();
  spare_block(view(), port).extent = name;  // where it died
  EXPECT_FALSE(queue_.try_put(std::string(20'000, 'x')));

  node_.bury(*dead);

  EXPECT_EQ(payload_bytes(view()), 0U);
  EXPECT_TRUE(queue_.try_put(std::string(20'000, 'x')));
  expect_clean();
}

TEST_F(KeeperTest, extent_that_was_named_and_that_another_claimed_stays_the_others) {
  const auto dead = node_.join();
  const BorrowedPort port = port_of(abandon(open_as(dead, queue_)));
  queue_.put(std::string(20'000, 'x'));
  spare_block(view(), port).extent = only_extent();

  node_.bury(*dead);

  expect_clean();
  EXPECT_EQ(queue_.get(), std::string(20'000, 'x'));
  expect_clean();
}

TEST_F(KeeperTest, extent_that_was_freed_and_is_still_named_is_named_no_more) {
  queue_.put(std::string(20'000, 'x'));
  const auto dead = node_.join();
  auto& reader = abandon(open_as(dead, queue_));
  auto& message = abandon(reader.channel().local().take(IntentKind::get, WaitLimit::now()));
  ASSERT_TRUE(message);
  const std::uint32_t extent = only_extent() - 1;
  ASSERT_TRUE(free_extent(node_.segment(), extent,
                          ExtentOwnerWord(node_.segment().extent(extent).owner).who()));  // where it died

  node_.bury(*dead);

  EXPECT_EQ(payload_bytes(view()), 0U);
  expect_clean();
}

TEST_F(KeeperTest, gets_that_the_dead_had_not_reported_are_lost_and_others_are_not) {
  for (const char* text : {"a", "b", "c"}) queue_.put(text);
  const auto dead = node_.join();
  auto& reader = abandon(open_as(dead, queue_));
  reader.get();
  reader.task_done();
  reader.get();
  queue_.get();

  node_.bury(*dead);

  EXPECT_EQ(lost_count(view()), 1U);
  EXPECT_FALSE(all_tasks_done(view())) << "ours";
  queue_.task_done();
  EXPECT_TRUE(all_tasks_done(view()));
  expect_clean();
}

TEST_F(KeeperTest, last_holder_that_dies_takes_the_queue_with_it) {
  const std::uint64_t before = node_.segment().header().committed_bytes;
  const auto dead = node_.join();
  auto& lost = abandon(make_queue<int>(dead, {.name = "lost"}));
  const ObjectReference reference = lost.channel().reference();
  node_.bury(*dead);
  EXPECT_EQ(node_.segment().header().committed_bytes, before);
  EXPECT_THROW(Queue<int>(member_, reference), QueueLost);
  EXPECT_EQ(member_->agent().find_object("lost"), std::nullopt);
}

TEST_F(KeeperTest, sleeper_that_was_claimed_and_not_woken_is_mended_by_a_sweep) {
  std::jthread consumer([&] { EXPECT_EQ(queue_.get(), "hello"); });
  wait_for([&] { return asleep(InterestKind::message) == 1; });
  // A putter that died between its claim and its system call.
  ParkerCell& cell = sleeping_cell();
  const BorrowedPort port{&view().port(first_ports - 1), first_ports - 1};
  ASSERT_EQ(PortOwner(port.port->owner).state(), PortState::free);
  std::vector<std::byte> encoded;
  encode_to(encoded, std::string("hello"));
  BlockHeader& block = view().block(port.spare().block());
  block.length = encoded.size();
  std::memcpy(RingView::inline_payload(block), encoded.data(), encoded.size());
  cell.state = parker_notified;
  ASSERT_EQ(ring::put(view(), port), RingOutcome::done);

  node_.sweep();
}

TEST_F(KeeperTest, sleeper_that_nobody_woke_is_mended_by_a_sweep) {
  std::jthread consumer([&] { EXPECT_EQ(queue_.get(), "hello"); });
  wait_for([&] { return asleep(InterestKind::message) == 1; });
  WaiterSet& getters = view().header().getters;
  const std::uint64_t summary = getters.summary.exchange(0);  // a waker looks and finds nobody
  queue_.put("hello");
  getters.summary = summary;

  node_.sweep();
}

TEST_F(KeeperTest, sweep_says_whether_anything_was_put_or_taken_since_the_last_one) {
  node_.sweep();
  EXPECT_FALSE(node_.sweep());
  queue_.put("hello");
  EXPECT_TRUE(node_.sweep());
  EXPECT_FALSE(node_.sweep());
  EXPECT_EQ(queue_.get(), "hello");
  EXPECT_TRUE(node_.sweep());
  EXPECT_FALSE(node_.sweep());
}

TEST_F(KeeperTest, wake_that_the_dead_had_received_is_passed_on) {
  const auto dead = node_.join();
  Parker* parker = nullptr;
  std::thread([&] {
    abandon(open_as(dead, queue_)).try_get();
    parker = abandon(std::make_unique<Parker>(dead)).get();  // as its thread left it when it died
  }).join();
  view().header().getters.add(parker->index());
  parker->prepare(make_interest(InterestKind::message, queue_.channel().reference().index));
  queue_.put("for the living");  // wakes the dead one
  EXPECT_EQ(node_.segment().parker(parker->index()).state, parker_notified);
  std::jthread consumer([&] {
    // Asleep although there is a message, as if it had gone to sleep just before the put.
    Parker& mine = Parker::mine(member_);
    view().header().getters.add(mine.index());
    mine.prepare(make_interest(InterestKind::message, queue_.channel().reference().index));
    mine.park(Deadline::never());
    EXPECT_TRUE(mine.finish());
    view().header().getters.remove(mine.index());
    EXPECT_EQ(queue_.get(), "for the living");
  });
  wait_for([&] { return asleep(InterestKind::message) == 1; });

  node_.bury(*dead);
}

TEST_F(KeeperTest, spin_permits_and_parkers_of_the_dead_are_free_again) {
  const auto dead = node_.join();
  auto& parker = abandon(std::make_unique<Parker>(dead));
  abandon(std::make_unique<SpinPermitHold>(*dead, 1'000'000'000'000));
  parker->prepare(0);
  EXPECT_NE(audit_node(node_.segment()), "");
  node_.bury(*dead);
  EXPECT_EQ(audit_node(node_.segment()), "");
}

}  // namespace
}  // namespace wyvern::test
