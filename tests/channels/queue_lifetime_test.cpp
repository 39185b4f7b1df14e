#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

class QueueLifetime : public ::testing::Test {
 protected:
  std::uint64_t committed() const { return node_.segment().header().committed_bytes; }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  std::shared_ptr<Member> other_ = node_.join();
  /// Tables are committed once and stay: have the first page of each before anything is measured.
  const bool warm_ = [this] { return static_cast<bool>(make_queue<int>(member_)); }();
};

TEST_F(QueueLifetime, memory_returns_when_the_last_handle_has_gone) {
  const std::uint64_t before = committed();
  auto queue = make_queue<int>(member_);
  EXPECT_GT(committed(), before);
  {
    auto other = open_as(other_, queue);
    queue = {};
    other.put(1);
    EXPECT_EQ(other.get(), 1) << "it lives while another process holds it";
  }
  EXPECT_EQ(committed(), before);
  EXPECT_EQ(audit_node(node_.segment()), "");
}

TEST_F(QueueLifetime, copies_share_one_opening) {
  const std::uint64_t before = committed();
  auto queue = make_queue<int>(member_);
  std::optional copy = queue;
  const auto again = open_as(member_, queue);
  EXPECT_EQ(queue, *copy);
  EXPECT_EQ(queue, again);
  queue = {};
  copy->put(4);
  copy.reset();
  EXPECT_EQ(Queue<int>(again).get(), 4);
  EXPECT_GT(committed(), before);
}

TEST_F(QueueLifetime, undelivered_messages_and_grown_ports_go_with_the_queue) {
  const std::uint64_t before = committed();
  {
    auto queue = make_queue<std::string>(member_, {.capacity = 4});
    node_.provide_ports(queue.channel(), 50);
    queue.put("small");
    queue.put(std::string(10'000, 'x'));
  }
  EXPECT_EQ(audit_node(node_.segment()), "");
  auto all = make_queue<std::string>(member_, {.max_bytes = ~std::uint64_t{0}});
  all = {};
  // What is left are the free extents; they are given back when memory is needed.
  const std::uint64_t room = node_.segment().header().memory_ceiling - before;
  auto large = make_queue<std::string>(member_, {.capacity = 1, .max_bytes = room, .inline_size = 0});
  large.put(std::string(room / 4 * 3, 'x'));
}

TEST_F(QueueLifetime, handle_to_a_queue_that_has_gone_cannot_be_opened) {
  auto queue = make_queue<int>(member_);
  const ObjectReference reference = queue.channel().reference();
  queue = {};
  EXPECT_THROW(Queue<int>(other_, reference), QueueLost);
  const auto next = make_queue<int>(member_);
  EXPECT_EQ(next.channel().reference().index, reference.index) << "its place is used again";
  EXPECT_NE(next.id(), ObjectId(reference.id));
  EXPECT_THROW(Queue<int>(other_, reference), QueueLost);
  EXPECT_THROW(Queue<int>(member_, reference), QueueLost) << "also where the new one is open";
}

TEST_F(QueueLifetime, wrong_type_leaves_no_hold_behind) {
  const std::uint64_t before = committed();
  auto queue = make_queue<int>(member_);
  EXPECT_THROW(Queue<std::string>(other_, queue.channel().reference()), TypeMismatch);
  queue = {};
  EXPECT_EQ(committed(), before);
}

TEST_F(QueueLifetime, two_thousand_queues_leave_nothing_behind) {
  constexpr int count = 2'000;
  {
    std::vector<Queue<int>> first;
    for (int i = 0; i < count; ++i) first.push_back(make_queue<int>(member_, {.capacity = 16}));
  }
  const std::uint64_t before = committed();
  {
    std::vector<Queue<int>> queues;
    for (int i = 0; i < count; ++i) {
      queues.push_back(make_queue<int>(member_, {.capacity = 16, .name = "queue " + std::to_string(i)}));
      queues.back().put(i);
    }
    for (int i = 0; i < count; ++i) ASSERT_EQ(queues[static_cast<std::size_t>(i)].get(), i);
    for (int i = 0; i < count; i += 3) queues[static_cast<std::size_t>(i)] = {};
  }
  EXPECT_EQ(committed(), before);
}

TEST_F(QueueLifetime, name_finds_the_queue_for_every_process) {
  auto queue = make_queue<int>(member_, {.name = "orders"});
  queue.put(3);
  const auto found = other_->agent().find_object("orders");
  ASSERT_TRUE(found);
  EXPECT_EQ(Queue<int>(other_, *found).get(), 3);
  EXPECT_EQ(other_->agent().find_object("order"), std::nullopt);
  EXPECT_EQ(other_->agent().find_object(""), std::nullopt);
}

TEST_F(QueueLifetime, name_that_is_taken_is_an_invalid_argument_until_its_queue_has_gone) {
  auto queue = make_queue<int>(member_, {.name = "orders"});
  EXPECT_THROW(make_queue<int>(other_, {.name = "orders"}), InvalidArgument);
  queue = {};
  EXPECT_EQ(other_->agent().find_object("orders"), std::nullopt);
  const std::uint32_t changes = name_changes(*member_);
  EXPECT_NO_THROW(make_queue<int>(other_, {.name = "orders"}));
  EXPECT_NE(name_changes(*member_), changes) << "who waits for the name looks again";
}

TEST_F(QueueLifetime, found_queue_is_held_at_once) {
  auto queue = make_queue<int>(member_, {.name = "orders"});
  const auto found = other_->agent().find_object("orders");
  queue = {};
  ASSERT_TRUE(found);
  EXPECT_NO_THROW(Queue<int>(other_, *found).put(1));
  EXPECT_EQ(member_->agent().find_object("orders"), std::nullopt) << "and let go with its handle";
}

TEST_F(QueueLifetime, no_memory_for_a_queue_is_out_of_memory_and_changes_nothing) {
  const std::uint64_t before = committed();
  EXPECT_THROW(
      make_queue<int>(member_, {.capacity = max_capacity, .inline_size = max_inline_size, .name = "huge"}),
      OutOfMemory);
  EXPECT_EQ(committed(), before);
  EXPECT_NO_THROW(make_queue<int>(member_, {.name = "huge"}));
}

TEST_F(QueueLifetime, free_extents_make_room_for_new_queues) {
  const std::uint64_t room = node_.segment().header().memory_ceiling - committed();
  {
    auto queue = make_queue<std::string>(member_, {.capacity = 1, .max_bytes = room});
    queue.put(std::string(room / 4 * 3, 'x'));
    queue.get();
  }
  EXPECT_NO_THROW(make_queue<int>(member_, {.capacity = 1024, .inline_size = room / 2048}));
}

TEST_F(QueueLifetime, openings_that_come_and_go_in_many_threads_never_lose_the_queue) {
  const std::uint64_t before = committed();
  {
    auto queue = make_queue<int>(member_);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, member = i % 2 == 0 ? member_ : other_] {
        for (int round = 0; round < 2'000; ++round) {
          auto mine = open_as(member, queue);
          mine.put(round);
          mine.get();
        }
      });
    }
  }
  EXPECT_EQ(committed(), before);
}

}  // namespace
}  // namespace wyvern::test
