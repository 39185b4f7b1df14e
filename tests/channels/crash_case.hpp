#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/child.hpp"
#include "support/history.hpp"
#include "support/local_node.hpp"
#include "support/single_step.hpp"

namespace wyvern::test {

/// What a victim does when it dies or stops: opens the channel and performs one of these.
/// `put_large_again` is a large put by a thread that has freed such an extent before.
enum class Operation { put_small, put_large, put_large_again, get, close, put_waiting, get_waiting };
enum class RingState { empty, one, half, full, wrapped, closed, closed_empty };

/// What a victim that is stepped through has done on the channel before: nothing, nor does it remember an
/// extent from elsewhere; messages of each size put and got, unnoticed by the history, on a channel that must
/// be empty; or a get before a put, a put before a get.
enum class Before { nothing, round_trips, opposite };

std::string to_string(Operation operation);
std::string to_string(RingState state);
inline bool is_put(Operation operation) {
  return operation == Operation::put_small || operation == Operation::put_large ||
         operation == Operation::put_large_again || operation == Operation::put_waiting;
}

inline bool waits(Operation operation) {
  return operation == Operation::put_waiting || operation == Operation::get_waiting;
}

struct CrashSetup {
  std::uint64_t capacity = 1;
  RingState state = RingState::empty;
  bool large_messages = false;      ///< those that are in the ring already
  std::size_t large_bytes = 5'000;  ///< of a large message
};

/// Whether `now` can be in the ring after the victim has died or stopped in its operation, when `before` was
/// in it and nobody else was at work: the operation has happened or it has not.
bool is_possible(Operation operation, const std::vector<MessageId>& before, const std::vector<MessageId>& now,
                 Puid victim);
/// Whether the victim's message is in the ring, or one is not of the `before` that it can have taken.
bool took_effect(Operation operation, std::size_t before, const std::vector<MessageId>& now, Puid victim);

/// A crash point and the how manieth passage of it.
using Visit = std::pair<std::string, std::uint32_t>;

/// A fresh channel on a node, prepared as `setup` says by one living member, and a history of all that
/// happens to it.
class CrashCase {
 public:
  CrashCase(LocalNode& node, const CrashSetup& setup);
  ~CrashCase();
  CrashCase(const CrashCase&) = delete;
  CrashCase& operator=(const CrashCase&) = delete;

  struct Victim {
    std::shared_ptr<Member> member;
    History::Writer log;
    Child child;
  };
  /// Starts a victim that gets `signal` at that visit.
  Victim start(Operation operation, const Visit& visit, int signal);
  struct SteppedVictim {
    std::shared_ptr<Member> member;
    History::Writer log;
    SteppedChild child;
  };
  /// Starts a victim that stands before its operation, the channel open.
  SteppedVictim start_stepped(Operation operation, Before before);
  /// The visits of an operation that is left alone, in order.
  std::vector<Visit> discover(Operation operation);

  /// For an operation that waits: once the victim sleeps, makes true what it waits for; false if it ended or
  /// stopped before, or does not wait.
  bool help_when_asleep(Operation operation, Victim& victim);
  /// Whether somebody sleeps for what that operation waits for, and rightly so: nobody has claimed it, and
  /// what it waits for does not hold.
  bool rightly_asleep(Operation operation) const;
  /// Makes true what any operation may wait for.
  void help(Operation operation);
  /// The living member empties the ring, then fills and empties it so many times; false unless each lap is
  /// exactly `capacity` messages. Waits for nobody.
  bool work(std::uint64_t laps);
  /// Brings an empty channel into that state, and keeps it there for `refill`.
  void prepare(RingState state);
  /// Puts as many messages as `prepare` did, if there is room for them.
  void refill();
  /// The port of a victim is the next one that is claimed once it is free.
  void hand_on_port_of(const Member& victim) const;
  /// A victim has ended: buries it and audits. What is wrong, or nothing.
  std::string bury(const Member& victim, bool killed);
  std::string audit_all() const;

  /// The channel's own memory: header, slots, ports, blocks.
  std::span<const std::byte> memory() const;
  /// Which messages are in the ring; nobody may be at work.
  std::vector<MessageId> contents() const;
  /// Gets what is there.
  std::vector<MessageId> drain();
  std::string problems() const { return history_.problems(); }

 private:
  std::size_t bytes_of(bool large) const;
  void put(bool large);
  bool asleep(Operation operation) const;
  int perform(Operation operation, Channel channel, History::Writer log, SteppedPart* part = nullptr) const;
  Channel open_as(const std::shared_ptr<Member>& member) const;
  void prelude(Operation operation, Before before, Channel channel, History::Writer log) const;
  int perform_on_fresh_thread(Operation operation, const std::shared_ptr<Member>& member, History::Writer log,
                              const std::function<void()>& begin) const;

  LocalNode& node_;
  CrashSetup setup_;
  std::shared_ptr<Member> member_;
  History history_;
  History::Writer log_;
  Channel channel_;
  std::uint64_t prepared_ = 0;  // messages
  bool closed_ = false;
};

}  // namespace wyvern::test
