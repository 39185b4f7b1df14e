#pragma once

#include <signal.h>

#include <array>
#include <optional>
#include <set>

namespace wyvern {

/// While it lives, signal handlers that somebody else's code installs are of no duration: when destroyed it
/// puts back those that have changed. Loading libfabric takes over SIGINT, SIGTERM, SIGSEGV and others.
/// Dispositions belong to the process: other threads must not change theirs meanwhile.
class SignalHandlersKept {
 public:
  SignalHandlersKept();
  ~SignalHandlersKept();
  SignalHandlersKept(const SignalHandlersKept&) = delete;
  SignalHandlersKept& operator=(const SignalHandlersKept&) = delete;

 private:
  static constexpr int signals = NSIG;
  std::array<struct sigaction, signals> before_{};
};

/// While it lives, descriptors that somebody else's code opens without close-on-exec are taken note of: when
/// destroyed it sets that for all that have come up, so that no started program keeps a connection open. What
/// other threads open meanwhile, on purpose without it, gets it too.
class DescriptorsClosedOnExec {
 public:
  DescriptorsClosedOnExec();
  ~DescriptorsClosedOnExec();
  DescriptorsClosedOnExec(const DescriptorsClosedOnExec&) = delete;
  DescriptorsClosedOnExec& operator=(const DescriptorsClosedOnExec&) = delete;

 private:
  std::optional<std::set<int>> before_;  // nothing: it could not be seen
};

}  // namespace wyvern
