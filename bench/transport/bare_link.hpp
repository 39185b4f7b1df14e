#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <wyvern/transport/fabric_memory.hpp>

#include "bench/common/bare_fabric.hpp"
#include "bench/common/stamped.hpp"

namespace wyvern::bench {

/// A link that somebody would write who needs nothing but this: libfabric's calls, messages that are written
/// where they are sent from, small ones injected, and a posted buffer for each that comes, where it is read.
/// Who sends is not asked, and nobody sends more than there are buffers.
class BareLink {
 public:
  /// As many bytes as `header` stand before each message, and mean nothing.
  BareLink(const std::string& provider, std::size_t message_bytes, std::size_t header = 0);
  ~BareLink() { fabric_.close(); }
  BareLink(const BareLink&) = delete;
  BareLink& operator=(const BareLink&) = delete;

  std::span<const std::byte> address() const { return fabric_.objects().name; }
  void connect(std::span<const std::byte> other) { fabric_.connect(other); }

  bool has_room() const { return !free_sends_.empty(); }
  std::span<std::byte> outgoing(std::size_t bytes) {
    return free_sends_.back()->memory.subspan(header_, bytes);
  }
  bool try_send(std::size_t bytes) {
    MessageBuffer& buffer = *free_sends_.back();
    const std::size_t all = header_ + bytes;
    if (all <= inject_bytes_) {
      return BareFabric::has_begun(
          ::fi_inject(fabric_.endpoint(), buffer.memory.data(), all, fabric_.partner()), "fi_inject");
    }
    const bool has_begun =
        BareFabric::has_begun(::fi_send(fabric_.endpoint(), buffer.memory.data(), all, memory_.description(),
                                        fabric_.partner(), &buffer.context),
                              "fi_send");
    if (has_begun) free_sends_.pop_back();
    return has_begun;
  }
  template <class OnMessage>
  std::size_t poll(OnMessage&& on_message) {
    return fabric_.poll([&](const fi_cq_data_entry& entry) {
      auto& operation = *static_cast<Operation*>(entry.op_context);
      switch (operation.kind) {
        case Kind::receive: {
          auto& buffer = static_cast<MessageBuffer&>(operation);
          on_message(std::span<const std::byte>(buffer.memory).first(entry.len).subspan(header_));
          post(buffer);
          return;
        }
        case Kind::send: free_sends_.push_back(&static_cast<MessageBuffer&>(operation)); return;
        case Kind::read: is_reading_ = false; return;
      }
    });
  }
  void sleep();

  RemoteMemory expose(std::span<std::byte> memory);
  void prepare_reads(std::span<std::byte> destination);
  void begin_read(const RemoteMemory& source);
  bool is_reading() const { return is_reading_; }

 private:
  enum class Kind : std::uint8_t { receive, send, read };
  struct Operation {
    fi_context2 context{};
    Kind kind = Kind::send;
  };
  struct MessageBuffer : Operation {
    std::span<std::byte> memory;
  };
  void post(MessageBuffer& buffer);

  static constexpr std::size_t sends = 64;
  static constexpr std::size_t receives = 64;

  BareFabric fabric_;
  std::size_t header_;
  std::size_t inject_bytes_;
  MessageMemory memory_;  // of all buffers
  std::array<MessageBuffer, sends> sends_;
  std::vector<MessageBuffer*> free_sends_;
  std::array<MessageBuffer, receives> receives_;
  Operation read_;
  std::vector<std::unique_ptr<FabricMemory>> regions_;
  std::span<std::byte> destination_;
  bool is_reading_ = false;
};

}  // namespace wyvern::bench
