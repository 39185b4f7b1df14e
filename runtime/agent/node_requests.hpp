#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <span>
#include <string>
#include <vector>

#include <wyvern/channels/remote/home.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/job_names.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/protocol/node_requests.hpp>

namespace wyvern::agent {

/// Carries out what processes of other nodes ask this node's agent: starting, ending and waiting for its
/// processes, and finding names. What is waited for is remembered until it comes. For the agent's thread.
class NodeRequests {
 public:
  struct Hooks {
    std::function<void(const GuestRequest& request, std::vector<std::byte> reply)> answer;
    std::function<void(const GuestRequest& request, const Error& error)> refuse;
    std::function<bool()> refuses_starts;
  };

  NodeRequests(JobProcesses& processes, JobNames& names, Hooks hooks);

  /// Answers, now or later, or refuses.
  void handle(const GuestRequest& request);
  /// See RequestHandler.
  void cancel(std::uint64_t guest, std::uint32_t operation);

  /// To be called when a process has ended or holds what its arguments name, or a name has come to be.
  void answer_waiting();

 private:
  struct Waiting {
    GuestRequest request;  // without its bytes
    node_request::Any what;
  };

  /// False: not yet.
  bool try_answer(const Waiting& waiting);
  bool carry_out(const GuestRequest& request, const node_request::Start& start);
  bool carry_out(const GuestRequest& request, const node_request::Signal& signal);
  bool carry_out(const GuestRequest& request, const node_request::Detach& detach);
  bool carry_out(const GuestRequest& request, const node_request::WaitForExit& wait);
  bool carry_out(const GuestRequest& request, const node_request::WaitForAnyExit& wait);
  bool carry_out(const GuestRequest& request, const node_request::WaitUntilReady& wait);
  bool carry_out(const GuestRequest& request, const node_request::FindName& find);
  bool carry_out(const GuestRequest& request, const node_request::BindName& bind);

  JobProcesses& processes_;
  JobNames& names_;
  Hooks hooks_;
  std::list<Waiting> waiting_;
};

}  // namespace wyvern::agent
