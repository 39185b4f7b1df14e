#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "crash_case.hpp"

namespace wyvern::test {

/// One to three processes that put and take on a channel in all ways, copies, batches, loans, and leases if
/// they may, and report what they have taken, until they are told to end. None of them waits for long.
class Crowd {
 public:
  static constexpr std::size_t most_members = 3;

  Crowd(LocalNode& node, CrashCase& crash, std::size_t members, bool leases);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  /// Starts a victim that performs the operation again and again, others in between, and gets `signal` at
  /// that visit of all that it makes. Returns when it has died or stopped, or, after others have long gone on
  /// without, when it has ended. One that is continued ends after the operation that it is in.
  CrashCase::Victim start_victim(Operation operation, const Visit& visit, int signal);
  /// Waits until each member has gone on, and messages have been got if the channel is open, while the agent
  /// does its rounds: hangs, until the watchdog ends it, if somebody is held up.
  void expect_progress();
  /// Ends and buries them. How many messages they have taken, or nothing if one did not end well.
  std::optional<std::uint64_t> end();

 private:
  struct Shared {
    std::atomic<bool> ended;
    std::atomic<bool> victim_ended;
    std::array<std::atomic<std::uint64_t>, most_members> rounds;
  };
  class Member;
  std::uint64_t rounds() const;

  LocalNode& node_;
  CrashCase& crash_;
  Shared* shared_;
  std::vector<CrashCase::Victim> members_;
};

}  // namespace wyvern::test
