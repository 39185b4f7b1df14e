#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/channels/remote/guest.hpp>
#include <wyvern/channels/remote/served_queue.hpp>
#include <wyvern/channels/remote/stand_in.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// A queue that a guest has opened, at its home: carries out what the guest asks and says what came of it.
/// Puts go into the queue in the order in which they came; those that find it full are held here.
///
/// A message on its way to the guest is leased by the home. What was got is confirmed (`received`); what came
/// too late is given back. If the guest is lost, messages that had not been sent, and leases, go back to the
/// queue; what was sent and not confirmed may have been used and counts as got and lost: a get delivers at
/// most once.
///
/// An operation has its number to itself until it has ended: until it is answered, and, if that is by a
/// message, until the guest has said what becomes of it.
///
/// Frames that no guest of this version sends throw DecodeError. For the agent's thread.
class GuestOpening {
 public:
  /// An object whose handle a message carries, and which is held so: a queue of this node, or what stands for
  /// one of another.
  struct Carried {
    std::shared_ptr<ServedQueue> queue;
    std::shared_ptr<StandIn> stand_in;
  };

  GuestOpening(std::uint32_t number, std::shared_ptr<ServedQueue> queue, Guest& guest);
  /// What was not settled by `end` goes as the memory of the process allows.
  ~GuestOpening();
  GuestOpening(const GuestOpening&) = delete;
  GuestOpening& operator=(const GuestOpening&) = delete;

  ServedQueue& queue() const { return *queue_; }
  const std::shared_ptr<ServedQueue>& shared_queue() const { return queue_; }
  const Guest& guest() const { return guest_; }
  /// Messages that the guest may put ahead of their answers.
  std::uint32_t window() const { return std::min(queue_->window(), guest_.limits.window); }
  /// Whether another message may be on its way to the guest.
  bool may_deliver() const { return deliveries_.size() < guest_.limits.deliveries; }

  /// The guest lets the queue go: puts ahead that are held still go in when there is room, as many as the
  /// queue can keep; how many that were too many.
  std::size_t leave();
  /// The guest's process has ended: none of its gets waits any more.
  void end_gets() { queue_->forget_gets(*this); }
  /// Settles what becomes of messages that are on their way; the last call but the destructor.
  void end();
  /// Any frame but `open`, `let_go` and those of puts.
  void deal_with(const wire::Frame& frame);
  /// Messages that are put together: ahead of their answers, or with one for all.
  void put_run(const wire::Frame& frame);
  /// One that is answered. `carried`: what its handles are of, for as long as it is not in the queue.
  void put(const wire::Frame& frame, const wire::ReceivedCargo& received, std::vector<Carried> carried);

  /// For the queue: the first of the held puts ends if it can, and more of its run if no other guest waits
  /// for room, `is_alone`; whether any did.
  bool serve_put(bool is_alone);
  bool holds_puts() const { return !held_.empty(); }
  /// For the queue: it keeps no messages of openings that have gone.
  void end_holding();
  void deliver(std::uint32_t operation, HeldMessage message, IntentKind kind);
  void end_with(wire::FrameKind kind, std::uint32_t operation);
  void end_with_value(std::uint32_t operation, std::uint64_t value) {
    end_with_number(wire::FrameKind::value, operation, value);
  }
  void refuse(std::uint32_t operation, const Error& error);
  /// For the home, when there is nothing more to do: the guest hears how far its puts are.
  void tell_credit();

 private:
  enum class PutOutcome : std::uint8_t { done, full, not_there };
  /// One message, which is answered, or a run of several, with one answer or none.
  struct HeldPut {
    std::uint32_t operation = 0;  // 0: there is no answer
    bool is_now = false;          // does not wait for room
    bool is_ahead = false;        // nobody waits for its answer: it is turned back by others' closes only
    bool is_run = false;
    std::vector<std::byte> payload = {};  // or the body of the run
    wire::PutRun run = {};                // what is left of it
    std::uint32_t went_in = 0;            // of a run that is answered
    std::vector<Carried> carried = {};
    std::vector<ObjectReference> handles = {};  // of this node, once all that is carried is there
    RemoteMemory memory = {};                   // of a large one
    std::unique_ptr<LargePut> large = {};       // once it is fetched
  };
  /// A message that is on its way to the guest, or there.
  struct Delivery {
    HeldMessage message;
    IntentKind kind;
    std::uint64_t in_message;                  // of the outbox
    std::unique_ptr<RegisteredMemory> region;  // of a large one: the guest reads it
  };

  bool begin(std::uint32_t operation);
  static bool find_handles(HeldPut& put);
  bool try_put(HeldPut& put, std::span<const std::byte> payload, std::size_t expected);
  void check_window(const wire::PutRun& run) const;
  bool put_some(HeldPut& put, std::uint32_t most);
  void end_run(wire::FrameKind kind, HeldPut& put);
  bool serve_run(HeldPut& held, bool is_alone);
  void hold_run(HeldPut put);
  PutOutcome put_into_queue(HeldPut& put, std::span<const std::byte> payload, std::size_t expected);
  PutOutcome put_large(HeldPut& put);
  bool begin_to_fetch(HeldPut& put);
  void fetch_next();
  void drop_held(std::deque<HeldPut>::iterator put);
  void count_ahead_ended(std::uint32_t count);
  void hold(HeldPut put);
  void stop_holding(const HeldPut& put);
  void turn_back(HeldPut& put);
  bool may_hold(std::uint32_t operation, std::size_t bytes);
  void hold_more(std::uint32_t operation, const wire::PutRun& run);
  void hold_less(std::uint32_t operation, const wire::PutRun& run);
  void turn_back_answered();
  void close_behind();
  void abandon(HeldPut& put);
  void say(wire::FrameKind kind, std::uint32_t operation);
  void end_with_number(wire::FrameKind kind, std::uint32_t operation, std::uint64_t number);
  void cancel(std::uint32_t operation);
  Delivery take_delivery(const wire::Frame& frame);
  void received(const wire::Frame& frame);
  void give_back(const wire::Frame& frame);
  void done(const wire::Frame& frame);
  void tasks_done(std::uint32_t count);
  void report_done();
  [[noreturn]] void fail(const char* what) const;

  std::uint32_t number_;
  std::shared_ptr<ServedQueue> queue_;
  Guest& guest_;
  std::unordered_set<std::uint32_t> operations_;  // that have not ended
  std::deque<HeldPut> held_;
  std::uint32_t held_ahead_ = 0;   // of those, without an answer
  std::size_t held_bytes_ = 0;     // that these take
  std::uint32_t ahead_ended_ = 0;  // puts without an answer that are in the queue or turned back; counts on
  std::uint32_t ahead_told_ = 0;   // of those, as the guest knows
  std::uint32_t turned_back_ = 0;
  std::vector<std::uint32_t> closes_;   // that wait for what is held
  bool is_closing_ = false;             // nothing more is put
  std::vector<std::uint32_t> flushes_;  // that wait for what is held
  std::vector<std::uint32_t> joins_;    // the same
  std::unordered_map<std::uint32_t, Delivery> deliveries_;
  std::uint32_t gets_on_their_way_ = 0;  // of those
  std::uint64_t not_reported_ = 0;       // gets of which the guest has not said that they are done
  std::uint64_t reported_early_ = 0;     // done, before the guest has said that it has received them
};

}  // namespace wyvern
