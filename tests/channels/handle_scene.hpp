#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "support/two_members.hpp"

namespace wyvern::test {

/// Handles of queues in messages of other queues.
class HandleScene : public TwoMembers {
 protected:
  /// Everybody that plays a process has gone through its tables once, so that memory can be compared.
  HandleScene() {
    {
      std::vector<Queue<int>> queues;
      for (int i = 0; i < 20; ++i) queues.push_back(make<int>());
    }
    before_ = committed();
  }

  bool is_alive(const ObjectReference& reference) const {
    return node_.segment().object(reference.index).id == reference.id.value();
  }
  std::uint32_t count_alive() const {
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < node_.segment().header().objects_ready; ++i) {
      count += node_.segment().object(i).id != 0;
    }
    return count;
  }
  static ObjectReference reference_of(const auto& queue) { return queue.channel().reference(); }
  /// A queue of our own with `value` in it; what is left of it is in the message.
  Queue<int> with_value(int value) {
    auto queue = make<int>({.capacity = 4});
    queue.put(value);
    return queue;
  }
  template <class T>
  T get_as(const std::shared_ptr<Member>& member, const Queue<T>& queue) {
    Member::set_current(member);
    auto value = open_as(member, queue).get();
    Member::set_current(member_);
    return value;
  }

  std::uint64_t before_ = 0;
};

}  // namespace wyvern::test
