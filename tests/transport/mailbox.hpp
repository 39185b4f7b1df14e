#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <wyvern/transport/endpoint.hpp>

#include "transport/pattern.hpp"

namespace wyvern::test {

/// Keeps what it is told.
class Mailbox : public EndpointHandler {
 public:
  struct ReadEnd {
    const RemoteRead* read;
    ReadResult result;
    int error;
  };

  void message(PeerNumber from, std::span<const std::byte> bytes) override {
    messages.emplace_back(from, Bytes(bytes.begin(), bytes.end()));
  }
  void stranger(std::span<const std::byte> bytes) override {
    of_strangers.emplace_back(bytes.begin(), bytes.end());
  }
  void send_failed(PeerNumber to, int error) override { failures.emplace_back(to, error); }
  void read_ended(RemoteRead& read, ReadResult result, int error) override {
    reads.push_back({.read = &read, .result = result, .error = error});
  }

  std::size_t count_of(PeerNumber peer) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(messages, [peer](const auto& message) { return message.first == peer; }));
  }
  std::vector<Bytes> messages_of(PeerNumber peer) const {
    std::vector<Bytes> result;
    for (const auto& [from, bytes] : messages) {
      if (from == peer) result.push_back(bytes);
    }
    return result;
  }

  std::vector<std::pair<PeerNumber, Bytes>> messages;
  std::vector<Bytes> of_strangers;
  std::vector<std::pair<PeerNumber, int>> failures;
  std::vector<ReadEnd> reads;
};

}  // namespace wyvern::test
