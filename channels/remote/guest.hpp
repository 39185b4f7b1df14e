#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/outbox.hpp>
#include <wyvern/channels/remote/served_queue.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

class GuestOpening;

/// What a guest may have at its home before that calls it broken. They bound what one process of another node
/// can make the agent keep.
struct GuestLimits {
  /// Messages of an opening that it puts ahead of their answers: so many at most, whatever a queue allows.
  std::uint32_t window = 65'536;
  /// Bytes that they take together (wire::held_bytes), but for a single one: so much memory a producer takes
  /// from a home whose queue nobody reads. Enough for as many messages of 64 bytes as a queue allows by
  /// itself.
  std::uint32_t window_bytes = 448U << 10;
  /// Of an opening: gets, leases, answered puts, joins that have not ended. More are refused.
  std::uint32_t operations = 16'384;
  std::uint32_t openings = 131'072;
  std::size_t request_bytes = wire::most_request_bytes;
  std::size_t held_bytes = std::size_t{64} << 20;  ///< of messages that wait for room, of all its openings
  /// Messages of an opening that are on their way or leased: each takes a port of the queue, which has 8,200.
  /// Gets beyond that wait.
  std::uint32_t deliveries = 2048;
  /// Of messages to it that cannot be sent: so much, and its gets wait; sixteen times as much, and it is
  /// broken.
  std::size_t unsent_bytes = std::size_t{1} << 20;
};

/// A large message that is fetched from a guest into the memory of its queue.
struct LargePut : RemoteRead {
  LargePut(GuestOpening& its_opening, PeerNumber from, const RemoteMemory& source, HeldLoan its_loan,
           std::unique_ptr<RegisteredMemory> its_region)
      : RemoteRead(from, source, its_loan.bytes().first(source.size), its_region.get()),
        opening(&its_opening),
        loan(std::move(its_loan)),
        region(std::move(its_region)) {}

  GuestOpening* opening;  // null: nobody waits for it any more
  HeldLoan loan;
  std::unique_ptr<RegisteredMemory> region;
  std::optional<ReadResult> result;
};

/// Whether bytes of large puts are coming in. Nobody is told of each that does: they count as coming for a
/// while after one was begun, or has ended.
class Incoming {
 public:
  using Time = Deadline::Clock::time_point;

  void begun(Time now) {
    ++puts_;
    moved_ = now;
  }
  void ended(Time now) {
    --puts_;
    moved_ = now;
  }
  bool is_moving(Time now) const { return puts_ != 0 && now - moved_ < longest_transfer; }

 private:
  /// Of what is under way at a time, over a network that is worth waiting for awake.
  static constexpr std::chrono::milliseconds longest_transfer{2};

  std::size_t puts_ = 0;
  Time moved_{};
};

/// One into whose memory a provider may still write although nobody wants it any more.
struct AbandonedPut {
  std::shared_ptr<ServedQueue> queue;  // outlives the message
  std::unique_ptr<LargePut> put;
};

/// What the openings of a guest have in common.
struct Guest {
  PeerNumber peer = 0;
  Endpoint& endpoint;
  std::list<AbandonedPut>& abandoned;
  Incoming& incoming;
  GuestLimits limits;
  wire::Outbox outbox{endpoint.largest_message()};

  std::size_t held_bytes = 0;              ///< of messages that wait for room
  std::vector<GuestOpening*> untold = {};  ///< openings with puts that have ended without its knowing

  /// It does not take what it has asked for: more of that can wait.
  bool is_backed_up() const { return outbox.unsent_bytes() >= limits.unsent_bytes; }
};

}  // namespace wyvern
