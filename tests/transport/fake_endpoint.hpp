#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/fabric_error.hpp>

namespace wyvern::test {

/// An endpoint without a provider: a test says what happens, and sees what it was asked for.
class FakeEndpoint : public Endpoint {
 public:
  struct Peer {
    std::uint64_t heard = 0;
    SendOutcome outcome = SendOutcome::done;  // of beats
    int beats = 0;                            // tried
  };
  std::map<PeerNumber, Peer> peers;

  /// What sleeps on it is asked for by these.
  int wakes_by = -1;
  bool sleeping_is_allowed = true;
  int asked_to_sleep = 0;
  EndpointCounters counted;

  /// Registrations that exist, and how many are refused from now on, and why.
  std::size_t registered = 0;
  std::size_t registered_bytes = 0;
  int refusals = 0;
  int refused_with = 0;

  const std::vector<std::byte>& address() const override { return address_; }
  std::size_t largest_message() const override { return 0; }
  const EndpointCounters& counters() const override { return counted; }
  PeerNumber add_peer(std::span<const std::byte>) override { return 0; }
  void remove_peer(PeerNumber peer) override { peers.erase(peer); }
  SendOutcome send(PeerNumber to, std::span<const std::byte>) override { return peers.at(to).outcome; }
  SendOutcome send_beat(PeerNumber to) override {
    ++peers.at(to).beats;
    return peers.at(to).outcome;
  }
  std::uint64_t heard_from(PeerNumber peer) const override { return peers.at(peer).heard; }
  std::unique_ptr<RegisteredMemory> register_memory(std::span<std::byte> memory) override {
    if (refusals > 0) {
      --refusals;
      throw FabricError("the fake refuses", refused_with);
    }
    return std::make_unique<Memory>(*this, memory);
  }
  bool reads_into_registered_memory_only() const override { return false; }
  void read(RemoteRead&) override {}
  std::size_t poll(EndpointHandler&) override { return 0; }
  int descriptor() const override { return wakes_by; }
  bool may_sleep() override {
    ++asked_to_sleep;
    return sleeping_is_allowed;
  }

 private:
  class Memory : public RegisteredMemory {
   public:
    Memory(FakeEndpoint& endpoint, std::span<std::byte> bytes)
        : RegisteredMemory(bytes, {.address = 0, .key = 7, .size = bytes.size()}), endpoint_(endpoint) {
      ++endpoint_.registered;
      endpoint_.registered_bytes += bytes.size();
    }
    ~Memory() override {
      --endpoint_.registered;
      endpoint_.registered_bytes -= bytes().size();
    }

   private:
    FakeEndpoint& endpoint_;
  };

  std::vector<std::byte> address_;
};

}  // namespace wyvern::test
