#include <unistd.h>

#include <chrono>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>

#include "support/child.hpp"
#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

TEST(PlainFork, child_is_refused_and_leaves_what_is_its_parents) {
  LocalNode node;
  const auto member = node.join();
  Member::set_current(member);
  auto queue = make_queue<int>(member, {.capacity = 4});
  queue.put(1);
  queue.try_get_for(std::chrono::milliseconds(1));
  queue.try_get_for(std::chrono::milliseconds(1));  // in vain: this thread has a parker now
  const ObjectReference reference = queue.channel().reference();
  const std::uint64_t owner = queue.channel().local().view().port(0).owner.load();

  Child child([&queue]() -> int {
    try {
      queue.put(2);
      return 1;
    } catch (const NotAMember&) {
    }
    queue = Queue<int>();
    return 0;
  });
  const int status = child.wait();
  Member::set_current(nullptr);

  EXPECT_EQ(status, 0);
  EXPECT_TRUE(has_hold(node.segment().object(reference.index), member->process_index()));
  EXPECT_EQ(queue.channel().local().view().port(0).owner.load(), owner);
  EXPECT_EQ(node.segment().parker(Parker::mine(member).index()).owner.load(), member->process_index() + 1);
  queue.put(3);
  EXPECT_EQ(queue.get(), 3);
}

}  // namespace
}  // namespace wyvern::test
