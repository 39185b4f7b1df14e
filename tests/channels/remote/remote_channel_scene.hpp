#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

#include "serving_node.hpp"
#include "support/local_node.hpp"

namespace wyvern::test {

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string path_name(const ::testing::TestParamInfo<const char*>& info) { return info.param; }

inline constexpr PeerWatchOptions impatient{.interval = std::chrono::milliseconds(100),
                                            .suspect_after = std::chrono::milliseconds(400),
                                            .lost_after = std::chrono::seconds(2),
                                            .first_answer_within = std::chrono::seconds(30)};

/// Silence tells nothing within any test.
inline constexpr PeerWatchOptions patient{.suspect_after = std::chrono::hours(1),
                                          .lost_after = std::chrono::hours(2)};

/// A process of one node, and a queue on another, over a real provider.
class RemoteChannelTest : public ::testing::TestWithParam<const char*> {
 protected:
  explicit RemoteChannelTest(std::uint32_t window = 64, const PeerWatchOptions& watch = impatient)
      : home_(std::make_unique<ServingNode>(
            key_, GetParam(), HomeOptions{.limits = {.window = window}, .watch = watch, .report = {}})),
        access_(std::make_unique<RemoteAccess>(
            member_, std::make_unique<FabricEndpoint>(EndpointOptions{.provider = GetParam()}), key_,
            [this](std::uint32_t) { return home_->address(); }, watch)) {}

  Channel make_channel(const QueueOptions& options = {}) {
    return Channel::create(home_->local, options, raw_bytes_type_hash, raw_bytes_type_name);
  }
  std::shared_ptr<RemoteChannel> open(const Channel& channel) {
    return RemoteChannel::open(*access_, channel.reference());
  }
  static std::optional<std::string> get(RemoteChannel& channel, const WaitLimit& limit = WaitLimit::never()) {
    const auto message = channel.take(IntentKind::get, limit);
    if (!message) return std::nullopt;
    return text_of(message->bytes());
  }
  static void put(RemoteChannel& channel, std::string_view text) {
    EXPECT_TRUE(channel.put(bytes_of(text), {}, WaitLimit::never()));
  }

  /// The flush says that so many messages that were put ahead met the close.
  static void expect_turned_back(RemoteChannel& channel, int messages) {
    try {
      channel.flush();
      ADD_FAILURE() << "nothing was turned back";
    } catch (const QueueClosed& error) {
      EXPECT_NE(std::string(error.what()).find(std::to_string(messages) + " messages"), std::string::npos)
          << error.what();
    }
  }

  JobKey key_ = JobKey::make();
  LocalNode node_;  // of the guest
  std::shared_ptr<Member> member_ = node_.join();
  std::unique_ptr<ServingNode> home_;
  std::unique_ptr<RemoteAccess> access_;
};

}  // namespace wyvern::test
