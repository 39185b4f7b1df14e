#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stamped.hpp"

namespace wyvern::test {

/// What one worker did, as it is read after a run.
struct WorkerHistory {
  Puid worker;
  std::uint64_t puts_begun = 0;     ///< it has tried to put its messages 0 .. puts_begun - 1
  std::uint64_t puts_ended = 0;     ///< ... and knows that those below puts_ended are in the queue
  std::vector<MessageId> got = {};  ///< in the order in which it got them
  bool killed = false;
  /// How many messages a killed one may have had in its hands; if it did not say, `at_once` of the rules for
  /// one that has got any or has put none.
  std::optional<std::uint64_t> held = std::nullopt;
  bool undecided = false;  ///< it has not learned which of the puts that did not end went in
};

/// What the workers of a run do that the check has to allow for.
struct HistoryRules {
  std::uint64_t at_once = 1;  ///< messages that a worker puts, or holds unread, at a time
  bool leases = false;        ///< a message whose holder died comes late
};

/// What is wrong with a run after which the queue was drained (by a worker, too), one sentence each; empty:
/// nothing.
///  - Every message that was got had been put, and was got once.
///  - Each consumer got the messages of one producer in the order in which they were put, if none were
///  leased.
///  - Every message whose put had ended was got; excused are those that a killed worker may have died with.
///  - Only a worker that was killed, or left undecided, has puts that did not end, and only `at_once`.
std::vector<std::string> check_history(const std::vector<WorkerHistory>& workers, HistoryRules rules = {});

/// Logs of workers which survive their deaths: in memory that is shared with children forked later.
class History {
  struct Log {
    std::atomic<std::uint64_t> worker;
    std::atomic<std::uint64_t> puts_begun;
    std::atomic<std::uint64_t> puts_ended;
    std::atomic<std::uint64_t> got_count;
    std::atomic<std::uint64_t> killed;
    std::atomic<std::uint64_t> held;  // + 1; 0: it did not say
    std::atomic<std::uint64_t> undecided;
    MessageId* got() { return reinterpret_cast<MessageId*>(this + 1); }  // as many as got_count says
  };

 public:
  History(std::size_t most_workers, std::size_t most_gets_per_worker);
  /// In that file instead, so that processes that were not forked find their logs: made as large as need be.
  History(const std::string& file, std::size_t most_workers, std::size_t most_gets_per_worker);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  /// Writes one worker's log; used by one thread.
  class Writer {
   public:
    Writer(Log& log, std::size_t most_gets) : log_(&log), most_gets_(most_gets) {}
    /// The message to put next. Call it before the put, and `put_ended` or `put_refused` after it.
    MessageId begin_put();
    void put_ended();
    void put_refused();
    /// Of several begun at once, which went in is not known.
    void puts_undecided();
    /// From now on there may be so many messages in its hands that it has not noted: 0 for one that only
    /// puts, or takes under leases.
    void may_hold(std::uint64_t messages);
    /// Of several begun at once, so many went in, and no more.
    void puts_ended(std::uint64_t count);
    void got(MessageId id);
    bool full() const { return !has_room_for(1); }
    bool has_room_for(std::size_t gets) const;

   private:
    Log* log_;
    std::size_t most_gets_;
  };

  /// A log for a further worker. Only the test itself adds workers, not its children.
  Writer add(Puid worker);
  /// The log of the worker that was, or will be, added as that number (from 0).
  Writer writer(std::size_t number) const { return {log(number), most_gets_}; }
  void mark_killed(Puid worker);
  /// Messages got by all so far: to see that work goes on.
  std::uint64_t total_got() const;
  std::vector<WorkerHistory> workers() const;
  bool has_room() const { return count_ < most_workers_; }
  /// The first of what `check_history` finds, a line each.
  std::string problems(HistoryRules rules = {}) const;

 private:
  Log& log(std::size_t number) const;
  void map(int fd);

  std::size_t most_workers_;
  std::size_t most_gets_;
  std::size_t stride_;
  std::byte* memory_;
  std::size_t count_ = 0;
};

}  // namespace wyvern::test
