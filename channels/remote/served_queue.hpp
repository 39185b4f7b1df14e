#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <wyvern/channels/local_batch.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/remote/put_run.hpp>

namespace wyvern {

class GuestOpening;

/// A channel of this node on which the agent works for processes of other nodes, and what these wait for
/// there: gets in the order in which they came, whoever they are of; puts that found it full, a queue of each
/// guest's, in turns; joins. Nothing here waits. For the agent's thread.
class ServedQueue {
 public:
  explicit ServedQueue(std::shared_ptr<LocalChannel> local) : local_(std::move(local)) {}

  LocalChannel& local() const { return *local_; }
  std::uint32_t window() const { return local_->view().header().window; }
  /// Whether anything here waits for what others do with the queue.
  bool is_waiting() const {
    return !gets_.empty() || !joins_.empty() || !putters_.empty() || !adopted_.empty();
  }
  /// They wake `parker` from then on, until it ends.
  void expect_wake(std::uint32_t parker);
  void end_wake(std::uint32_t parker);
  /// A wake that came to us, and may have been for this queue, is not lost on others that could use it.
  void pass_wake_on();

  /// False: there is no room. Whoever waits for messages is woken when the queue is served next. Throws what
  /// LocalChannel::put does.
  bool put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
           std::size_t expected);
  /// As many of them as there is room for, at most `most`; these are taken from the run. When it throws, what
  /// it throws is about the first that is left.
  void put(wire::PutRun& run, std::uint32_t most);
  /// One that is there already, as LocalChannel::put; nobody is woken until wake_takers.
  bool put(HeldLoan& loan);
  bool owes_takers() const { return unwoken_ != 0; }
  void wake_takers();
  /// A message for `opening`, now, or, unless it `is_now`, when there is one; or its end. The opening is
  /// told.
  void get(GuestOpening& opening, std::uint32_t operation, IntentKind kind, bool is_now);
  void join(GuestOpening& opening, std::uint32_t operation);
  /// The opening holds puts that found the queue full: it is asked to try again (serve_put).
  void wait_for_room(GuestOpening& opening);
  /// Whether one more large message may be fetched: there will be room for it, or it is the only one that
  /// waits for room. So a full queue costs its home the memory of one message, not of one for each guest.
  bool may_fetch() const;
  /// It is; until it is in the queue, or given up.
  void fetch_begins() { ++fetches_; }
  void fetch_ends() { --fetches_; }
  /// That get or join waits no more; false: it did not.
  bool cancel(const GuestOpening& opening, std::uint32_t operation);
  /// No get of that opening waits any more; it is not told.
  void forget_gets(const GuestOpening& opening) {
    std::erase_if(gets_, [&](const PendingGet& get) { return get.opening == &opening; });
  }
  /// The opening ends: nothing of it waits any more.
  void forget(const GuestOpening& opening);
  /// A message of a guest that lets the queue go before there is room: it goes in when there is, before all
  /// that comes later, or is dropped with the queue. False: there are too many of them already.
  bool adopt(std::vector<std::byte> payload);
  std::size_t adopted() const { return adopted_.size(); }
  /// The opening is told (end_holding) when there are none.
  void wait_for_adopted(GuestOpening& opening) {
    if (std::ranges::find(after_adopted_, &opening) == after_adopted_.end())
      after_adopted_.push_back(&opening);
  }

  /// Does what has become possible; whether that was anything.
  bool serve();

 private:
  struct PendingGet {
    GuestOpening* opening = nullptr;
    std::uint32_t operation = 0;
    IntentKind kind = IntentKind::get;
    bool is_now = false;
  };
  struct PendingJoin {
    GuestOpening* opening = nullptr;
    std::uint32_t operation = 0;
  };

  bool waits_for_room() const { return !putters_.empty() || !adopted_.empty(); }
  bool may_take(const PendingGet& get) const;
  bool try_get(const PendingGet& get);
  bool serve_gets();
  PutBatch& batch(std::size_t expected);
  bool serve_adopted();
  bool serve_puts();
  bool serve_joins();

  std::shared_ptr<LocalChannel> local_;
  std::optional<PutBatch> batch_;      // of puts since it was served last
  std::vector<WaiterSet*> expecting_;  // where a parker is registered
  bool is_behind_its_like(const PendingGet& get, std::list<PendingGet>::const_iterator place) const;

  std::list<PendingGet> gets_;
  std::list<PendingJoin> joins_;
  std::list<GuestOpening*> putters_;  // the next one first
  std::deque<std::vector<std::byte>> adopted_;
  std::size_t adopted_bytes_ = 0;
  std::uint64_t fetches_ = 0;  // of large messages that are not in the queue yet
  std::uint32_t unwoken_ = 0;  // large ones that are, of which nobody was woken
  std::vector<GuestOpening*> after_adopted_;
};

}  // namespace wyvern
