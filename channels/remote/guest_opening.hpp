#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/channels/remote/outbox.hpp>
#include <wyvern/channels/remote/served_queue.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/registration_cache.hpp>

namespace wyvern {

/// What a guest may have under way with one queue before the home calls it broken.
struct GuestLimits {
  std::uint32_t window = 64;          ///< messages that it puts ahead of their answers
  std::uint32_t operations = 65'536;  ///< gets, leases, answered puts and joins that have not ended
};

class GuestOpening;

/// A large message that is fetched from a guest into the memory of its queue.
struct LargePut : RemoteRead {
  LargePut(GuestOpening& its_opening, PeerNumber from, const RemoteMemory& source, HeldLoan its_loan,
           std::shared_ptr<RegisteredMemory> its_region)
      : RemoteRead(from, source, its_loan.bytes().first(source.size), its_region.get()),
        opening(&its_opening),
        loan(std::move(its_loan)),
        region(std::move(its_region)) {}

  GuestOpening* opening;
  HeldLoan loan;
  std::shared_ptr<RegisteredMemory> region;
  std::optional<ReadResult> result;
};

/// What the openings of a guest have in common.
struct Guest {
  PeerNumber peer = 0;
  Endpoint& endpoint;
  RegistrationCache& regions;
  /// Where a provider may still write although nobody wants it any more: each keeps its queue open.
  std::vector<std::pair<std::shared_ptr<ServedQueue>, std::unique_ptr<LargePut>>>& abandoned;
  GuestLimits limits;
  wire::Outbox outbox{endpoint.largest_message()};
};

/// A queue that a guest has opened, at its home: carries out what the guest asks and says what came of it.
/// Puts go into the queue in the order in which they came; those that find it full are held here.
///
/// A message on its way to the guest is leased by the home. What was got is confirmed (`received`); what came
/// too late is given back. If the guest is lost, messages that had not been sent, and leases, go back to the
/// queue; what was sent and not confirmed may have been used and counts as got and lost: a get delivers at
/// most once.
///
/// Frames that no guest of this version sends throw DecodeError. For the agent's thread.
class GuestOpening {
 public:
  GuestOpening(std::uint32_t number, std::shared_ptr<ServedQueue> queue, Guest& guest);
  ~GuestOpening();
  GuestOpening(const GuestOpening&) = delete;
  GuestOpening& operator=(const GuestOpening&) = delete;

  ServedQueue& queue() const { return *queue_; }
  const std::shared_ptr<ServedQueue>& shared_queue() const { return queue_; }

  /// The guest lets the queue go: puts ahead that are held still go in when there is room.
  void leave();
  /// Any frame but `open` and `let_go`. The guest holds the objects with these handles.
  void deal_with(const wire::Frame& frame);
  void put(const wire::Frame& frame, const wire::ReceivedCargo& received);

  /// For the queue: the first of the held puts ends if it can; whether it did.
  bool serve_put();
  bool holds_puts() const { return !held_.empty(); }
  /// For the endpoint's handler: the first of the held puts is there, or is not.
  void read_ended(LargePut& put, ReadResult result);
  void deliver(std::uint32_t operation, HeldMessage message, IntentKind kind);
  void say_nothing(std::uint32_t operation) { say(wire::FrameKind::nothing, operation); }
  void say_closed(std::uint32_t operation) { say(wire::FrameKind::closed, operation); }
  void say_value(std::uint32_t operation, std::uint64_t value);
  void refuse(std::uint32_t operation, const Error& error);

 private:
  struct HeldPut {
    std::uint32_t operation = 0;
    bool is_answered = false;
    bool is_now = false;
    std::vector<std::byte> payload = {};
    std::vector<ObjectReference> handles = {};
    RemoteMemory memory = {};              // of a large one
    std::unique_ptr<LargePut> large = {};  // once it is fetched
  };
  /// A message that is on its way to the guest, or there.
  struct Delivery {
    HeldMessage message;
    IntentKind kind;
    std::uint64_t in_message;                  // of the outbox
    std::shared_ptr<RegisteredMemory> region;  // of a large one: the guest reads it
  };

  void say(wire::FrameKind kind, std::uint32_t operation);
  enum class PutOutcome : std::uint8_t { done, full, not_there };

  bool try_put(HeldPut& put, std::span<const std::byte> payload);
  PutOutcome put_into_queue(HeldPut& put, std::span<const std::byte> payload);
  PutOutcome put_large(HeldPut& put);
  void drop_held(std::deque<HeldPut>::iterator put);
  void tell_credit();
  void get(const wire::Frame& frame);
  void cancel(std::uint32_t operation);
  Delivery take_delivery(const wire::Frame& frame);
  void received(const wire::Frame& frame);
  void give_back(const wire::Frame& frame);
  void done(const wire::Frame& frame);
  void tasks_done(std::uint32_t count);
  void report_done();
  void flush(std::uint32_t operation);
  void check_operations() const;
  [[noreturn]] void fail(const char* what) const;

  std::uint32_t number_;
  std::shared_ptr<ServedQueue> queue_;
  Guest& guest_;
  std::deque<HeldPut> held_;
  std::uint32_t held_ahead_ = 0;  // of those, without an answer
  std::uint32_t answers_held_ = 0;
  std::uint32_t ahead_ended_ = 0;  // puts without an answer that are in the queue or turned back; counts on
  std::uint32_t ahead_told_ = 0;   // of those, as the guest knows
  std::uint32_t turned_back_ = 0;
  std::vector<std::uint32_t> flushes_;  // that wait for what is held
  std::unordered_map<std::uint32_t, Delivery> deliveries_;
  std::uint32_t not_reported_ = 0;    // gets of which the guest has not said that they are done
  std::uint32_t reported_early_ = 0;  // done, before the guest has said that it has received them
};

}  // namespace wyvern
