#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/payload.hpp>

#include "local_node.hpp"

namespace wyvern::test {

/// A node with two members, `member_` and `other_`, that play processes. Handles in messages are opened as
/// `member_` unless a test says otherwise (Member::set_current).
class TwoMembers : public ::testing::Test {
 protected:
  TwoMembers() { Member::set_current(member_); }
  ~TwoMembers() override { Member::set_current(nullptr); }

  template <class T>
  Queue<T> make(const QueueOptions& options = {}) {
    return make_queue<T>(member_, options);
  }
  Channel make_channel(const QueueOptions& options = {}) {
    return Channel::create(member_, options, raw_bytes_type_hash, raw_bytes_type_name);
  }
  Channel open_as_other(const Channel& channel) {
    return Channel::open(other_, channel.reference(), raw_bytes_type_hash, raw_bytes_type_name);
  }

  static const Channel& channel_of(const Channel& channel) { return channel; }
  static const Channel& channel_of(const auto& queue) { return queue.channel(); }
  static const RingView& view_of(const auto& queue) { return channel_of(queue).local().view(); }
  static std::uint32_t port_count(const auto& queue) { return view_of(queue).header().port_count; }
  /// Of the payloads outside the ring's blocks.
  static std::uint64_t bytes_outside(const auto& queue) { return payload_bytes(view_of(queue)); }
  std::string audit_of(const auto& queue) const {
    return audit(node_.segment(), channel_of(queue).reference());
  }
  std::uint64_t committed() const { return node_.segment().header().committed_bytes; }
  void wait_for_sleepers(const auto& queue, InterestKind kind, std::uint32_t count = 1) const {
    const std::uint32_t object = channel_of(queue).reference().index;
    wait_for([&] { return sleepers(node_.segment(), kind, object) == count; });
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  std::shared_ptr<Member> other_ = node_.join();
};

/// 0, 1, 2, ...
inline std::vector<int> numbers(int count) {
  std::vector<int> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0);
  return values;
}
inline std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace wyvern::test
