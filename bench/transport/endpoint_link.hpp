#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <wyvern/transport/event_wait.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

#include "bench/common/stamped.hpp"
#include "bench/transport/wait_mode.hpp"

namespace wyvern::bench {

/// Wyvern's endpoint with one peer, used as by the layers above: through its interface, with default options.
/// What is public here is what a link has; BareLink has the same.
class EndpointLink {
 public:
  /// For messages of at most so many bytes.
  EndpointLink(const std::string& provider, std::size_t message_bytes)
      : endpoint_(std::make_unique<FabricEndpoint>(EndpointOptions{.provider = provider})),
        outgoing_(message_bytes) {}

  /// For the other side's `connect`.
  std::span<const std::byte> address() const { return endpoint_->address(); }
  void connect(std::span<const std::byte> other) { peer_ = endpoint_->add_peer(other); }

  /// Where the next message is written. Only while there is room: until then, poll.
  static bool has_room() { return true; }
  std::span<std::byte> outgoing(std::size_t bytes) { return outgoing_.bytes().first(bytes); }
  /// False: poll, then again. Throws if the other side cannot be reached.
  bool try_send(std::size_t bytes) {
    switch (endpoint_->send(peer_, outgoing(bytes))) {
      case SendOutcome::done: return true;
      case SendOutcome::retry: return false;
      case SendOutcome::failed: break;
    }
    throw std::runtime_error("the other side cannot be reached");
  }
  /// Deals with what has come; `on_message(bytes)` is called for each message, and may throw. How many events
  /// there were.
  template <class OnMessage>
  std::size_t poll(OnMessage&& on_message) {
    Handler<OnMessage> handler(*this, on_message);
    const std::size_t events = endpoint_->poll(handler);
    if (failure_ != nullptr) std::rethrow_exception(failure_);
    return events;
  }
  /// After a poll that found nothing: until something may have come.
  void sleep() { wait_.wait({}, Deadline::after(longest_sleep)); }

  /// Lets the other side read that memory, as long as this object is there.
  RemoteMemory expose(std::span<std::byte> memory) { return register_memory(memory).remote(); }
  /// Where `begin_read` reads to.
  void prepare_reads(std::span<std::byte> destination) {
    destination_ = destination;
    if (endpoint_->reads_into_registered_memory_only()) destination_region_ = &register_memory(destination);
  }
  /// As many bytes as the destination has. Over when is_reading() is false, after polls.
  void begin_read(const RemoteMemory& source) {
    read_.emplace(peer_, source, destination_, destination_region_);
    endpoint_->read(*read_);
  }
  bool is_reading() const { return read_.has_value(); }

 private:
  template <class OnMessage>
  class Handler final : public EndpointHandler {
   public:
    Handler(EndpointLink& link, OnMessage& on_message) : link_(link), on_message_(on_message) {}

    void message(PeerNumber, std::span<const std::byte> bytes) override {
      try {
        on_message_(bytes);
      } catch (...) {
        link_.failure_ = std::current_exception();
      }
    }
    void send_failed(PeerNumber, int fabric_errno) override { link_.fail("a send", fabric_errno); }
    void read_ended(RemoteRead&, ReadResult result, int fabric_errno) override {
      if (result != ReadResult::done) link_.fail("a remote read", fabric_errno);
      link_.read_.reset();
    }

   private:
    EndpointLink& link_;
    OnMessage& on_message_;
  };

  void fail(const std::string& what, int fabric_errno) {
    failure_ = std::make_exception_ptr(
        std::runtime_error(what + " failed: " + FabricLibrary::get().describe(fabric_errno)));
  }
  const RegisteredMemory& register_memory(std::span<std::byte> memory) {
    return *regions_.emplace_back(endpoint_->register_memory(memory));
  }

  std::unique_ptr<Endpoint> endpoint_;
  EventWait wait_{*endpoint_};
  std::vector<std::unique_ptr<RegisteredMemory>> regions_;
  Buffer outgoing_;
  PeerNumber peer_ = 0;
  std::span<std::byte> destination_;
  const RegisteredMemory* destination_region_ = nullptr;
  std::optional<RemoteRead> read_;
  std::exception_ptr failure_;
};

}  // namespace wyvern::bench
