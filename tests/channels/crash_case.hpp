#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crash_operation.hpp"
#include "support/child.hpp"
#include "support/history.hpp"
#include "support/local_node.hpp"
#include "support/single_step.hpp"

namespace wyvern::test {

/// `given_back`: half full, and a message in front that was leased and came back. `lent`: closed, and the
/// living member has the only message under a lease, which `help` drops.
enum class RingState {
  empty,
  one,
  half,
  full,
  wrapped,
  given_back,
  closed,
  closed_empty,
  closed_given_back,
  lent
};
std::string to_string(RingState state);
bool is_closed(RingState state);

/// What a victim that is stepped through has done on the channel before: nothing, nor does it remember an
/// extent from elsewhere; messages of each size put and got, unnoticed by the history, on a channel that must
/// be empty; or a get before a put, a put before a get.
enum class Before { nothing, round_trips, opposite };

struct CrashSetup {
  std::uint64_t capacity = 1;
  RingState state = RingState::empty;
  bool large_messages = false;      ///< those that are in the ring already
  std::size_t large_bytes = 5'000;  ///< of a large message
};

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
  /// Starts a process that does `work` with the channel; what it returns is the exit status.
  Victim start(const std::function<int(const Channel&, History::Writer)>& work);
  /// Starts a process that is left alone, and returns when it sleeps. Before that it looks once more: until
  /// then, what it waits for could come true without a wake.
  Victim start_sleeper(Operation operation);
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
  /// The living member empties the channel, then fills and empties it so many times; false unless each lap is
  /// exactly `capacity` messages. Waits for nobody.
  bool work(std::uint64_t laps);
  /// Brings an empty channel into that state, and keeps it there for `refill`.
  void prepare(RingState state);
  /// Puts as many messages as `prepare` left in the ring, if there is room for them.
  void refill();
  void close() { channel_.close(); }
  bool closing() const { return channel_.local().closing(); }
  /// Somebody drops leases: messages may come late.
  void expect_leases() { leases_ = true; }
  /// So that a crowd of forked children does not have to ask for ports and memory.
  void provide_for(std::uint32_t workers);
  /// The port of a victim is the next one that is claimed once it is free.
  void hand_on_port_of(const Member& victim) const;
  void mark_killed(const Member& victim) { history_.mark_killed(victim.puid()); }
  /// A victim has ended: buries it and audits. What is wrong, or nothing.
  std::string bury(const Member& victim, bool killed);
  std::string audit_all() const;
  /// Drains the channel and reports all that the living member has got, when nobody else is there any more:
  /// then what was put is done, or was lost with a victim that had got it. `reported` messages were reported
  /// done by victims, or up to `most_reported`. What is wrong, or nothing.
  std::string account(std::uint64_t reported, std::uint64_t most_reported = 0);
  /// Whether nobody has to wait in a join.
  bool all_done() const;
  /// How many messages a victim has noted that it got.
  std::uint64_t got_by(const Member& victim) const;

  /// The channel's own memory: header, slots, ports, blocks.
  std::span<const std::byte> memory() const;
  /// Which messages are in the channel, those that were given back first; nobody may be at work.
  std::vector<MessageId> contents() const;
  /// How often the messages that were given back have been delivered.
  std::vector<std::uint32_t> deliveries() const;
  /// Gets what is there.
  std::vector<MessageId> drain();
  std::string problems() const { return history_.problems({.at_once = batch, .leases = leases_}); }
  std::uint64_t total_got() const { return history_.total_got(); }
  std::uint64_t capacity() const { return setup_.capacity; }
  std::size_t large_bytes() const { return setup_.large_bytes; }

 private:
  std::size_t bytes_of(bool large) const;
  void put(bool large);
  void report();
  void note_got(std::span<const std::byte> message);
  bool asleep(Operation operation) const;
  Channel open_as(const std::shared_ptr<Member>& member) const;
  void prelude(Operation operation, Before before, const Channel& channel, History::Writer log) const;
  int perform_on_fresh_thread(Operation operation, const std::shared_ptr<Member>& member, History::Writer log,
                              const std::function<void()>& begin) const;

  LocalNode& node_;
  CrashSetup setup_;
  std::shared_ptr<Member> member_;
  History history_;
  History::Writer log_;
  Channel channel_;
  std::optional<ChannelLease> lent_;
  std::uint64_t prepared_ = 0;  // messages
  std::uint64_t got_ = 0;       // by the living member
  std::uint64_t reported_ = 0;  // ... and reported done
  bool closed_ = false;
  bool leases_ = false;
};

}  // namespace wyvern::test
