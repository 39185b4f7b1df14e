#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/provider_choice.hpp>

#include "transport/tested_providers.hpp"

namespace wyvern::test {

inline bool is_offered(const std::string& provider) {
  const FabricLibrary& library = FabricLibrary::get();
  try {
    choose_provider(list_offers(library), library.version(), provider);
  } catch (const NotFound&) {
    return false;
  }
  return true;
}

/// One of two endpoints, and what it was told.
struct EndpointSide : EndpointHandler {
  explicit EndpointSide(const std::string& provider)
      : endpoint({.provider = provider, .node = node_for(provider)}) {}
  std::size_t poll() { return endpoint.poll(*this); }
  void message(PeerNumber, std::span<const std::byte>) override { ++messages; }
  void send_failed(PeerNumber, int) override { ++failures; }
  void read_ended(RemoteRead&, ReadResult result, int) override { last_read = result; }

  FabricEndpoint endpoint;
  int messages = 0;
  int failures = 0;
  std::optional<ReadResult> last_read;
};

/// Two endpoints of a provider in this process that know each other.
struct TwoEndpoints {
  explicit TwoEndpoints(const std::string& provider)
      : a(provider),
        b(provider),
        to_b(a.endpoint.add_peer(b.endpoint.address())),
        to_a(b.endpoint.add_peer(a.endpoint.address())) {}
  void poll() {
    a.poll();
    b.poll();
  }
  /// From a to b, some bytes.
  void send() {
    const std::byte bytes[8]{};
    while (a.endpoint.send(to_b, bytes) == SendOutcome::retry) poll();
  }

  EndpointSide a;
  EndpointSide b;
  PeerNumber to_b;
  PeerNumber to_a;
};

}  // namespace wyvern::test
