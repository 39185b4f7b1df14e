#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_scene.hpp"

namespace wyvern::test {

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

inline constexpr wire::FrameFlags answer = flag(FrameFlag::answer);
inline constexpr wire::FrameFlags now = flag(FrameFlag::now);
inline constexpr wire::FrameFlags lease = flag(FrameFlag::lease);

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A home, a process on its node, and guests that say one frame at a time.
class HomeTest : public ::testing::Test {
 protected:
  explicit HomeTest(const HomeOptions& options = {}, const LoopbackSettings& network = {})
      : scene_(options, network) {}

  Channel make_channel(const QueueOptions& options = {}) {
    return Channel::create(scene_.local, options, raw_bytes_type_hash, raw_bytes_type_name);
  }
  /// A guest that has opened that channel.
  ScriptedGuest& visitor(const Channel& channel) {
    ScriptedGuest& guest = scene_.add_guest();
    guest.introduce();
    guest.open(channel.reference());
    EXPECT_EQ(guest.next().kind, FrameKind::opened);
    return guest;
  }
  static void put(const Channel& channel, std::string_view text) { channel.put(bytes_of(text)); }
  static std::optional<std::string> get(const Channel& channel) {
    const auto bytes = channel.try_get();
    if (!bytes) return std::nullopt;
    return text_of(*bytes);
  }
  void lose(ScriptedGuest& guest) {
    guest.die();
    scene_.poll_until([&] {
      scene_.pass(std::chrono::milliseconds(100));
      return scene_.home->counters().lost == 1;
    });
    scene_.settle();
  }
  /// Of a guest that is let `go` while its message is fetched.
  template <class Go>
  void expect_large_put_leaves_nothing(Go go) {
    const Channel channel = make_channel();
    ScriptedGuest& guest = visitor(channel);
    Bytes large = pattern(3'000'000);
    auto registered = guest.endpoint->register_memory(large);
    guest.put_large(1, registered->remote(), answer);
    for (int i = 0; i < 3; ++i) scene_.home->poll(scene_.now);  // begins to fetch
    registered.reset();
    go(guest);
    EXPECT_EQ(get(channel), std::nullopt);
    put(channel, "goes on");
    EXPECT_EQ(get(channel), "goes on");
  }
  void expect_sound(const Channel& channel) {
    EXPECT_EQ(audit(scene_.node.segment(), channel.reference()), "");
  }

  HomeScene scene_;
};

}  // namespace wyvern::test
