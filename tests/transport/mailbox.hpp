#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <wyvern/transport/endpoint.hpp>

namespace wyvern::test {

using Bytes = std::vector<std::byte>;

/// Bytes that tell their place and which message or memory they are of.
inline Bytes pattern(std::size_t size, unsigned seed = 1) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 251 + seed);
  return bytes;
}

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
  void send_failed(PeerNumber to, int error) override { failures.emplace_back(to, error); }
  void read_ended(RemoteRead& read, ReadResult result, int error) override {
    reads.push_back({.read = &read, .result = result, .error = error});
  }

  std::vector<std::pair<PeerNumber, Bytes>> messages;
  std::vector<std::pair<PeerNumber, int>> failures;
  std::vector<ReadEnd> reads;
};

}  // namespace wyvern::test
