#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/signal.hpp>
#include <wyvern/core/wait.hpp>
#include <wyvern/runtime/node_processes.hpp>
#include <wyvern/runtime/process_wait.hpp>

namespace wyvern {
namespace {

void check(const Member& member, Puid process) {
  const SegmentHeader& header = member.segment().header();
  if (process == member.puid()) throw InvalidArgument("a process cannot join itself");
  if (process.system() != header.system || process.node() < 1 || process.node() > header.nodes) {
    throw InvalidArgument("there never was a process " + to_string(process) + " in this job");
  }
}

/// Processes of one node, and where they are among all that are waited for.
struct OfOneNode {
  std::vector<Puid> processes;
  std::vector<std::size_t> places;
};

std::map<std::uint32_t, OfOneNode> by_node(const Member& member, std::span<const Puid> processes) {
  std::map<std::uint32_t, OfOneNode> nodes;
  for (std::size_t place = 0; place < processes.size(); ++place) {
    check(member, processes[place]);
    OfOneNode& node = nodes[processes[place].node()];
    node.processes.push_back(processes[place]);
    node.places.push_back(place);
  }
  return nodes;
}

/// What waits on several nodes at once, with a fiber for each, and ends when one of them knows something. So
/// nothing here is shared between threads, and other fibers of the caller's thread go on.
class FirstOfNodes {
 public:
  explicit FirstOfNodes(std::shared_ptr<Member> member) : member_(std::move(member)) {}
  ~FirstOfNodes() { stop_.request_stop(); }
  FirstOfNodes(const FirstOfNodes&) = delete;
  FirstOfNodes& operator=(const FirstOfNodes&) = delete;

  void wait_on(std::uint32_t number, const OfOneNode& node) {
    fibers_.emplace_back([this, number, &node] {
      try {
        const std::stop_token stop = stop_.get_token();
        const auto found =
            node_processes::wait_for_any_exit(member_, number, node.processes, WaitLimit(stop));
        if (found && !first_) first_ = node.places[*found];
      } catch (...) {
        failure_ = std::current_exception();
      }
      // The caller is of the same thread, which takes the signal before it sleeps.
      set_signal(Parker::mine(member_).cell(), signal_of_interest(interest));
    });
  }

  std::optional<std::size_t> result(Deadline deadline) {
    wait_until(
        member_, interest, nullptr, [this] { return first_ || failure_; }, deadline);
    if (!first_ && failure_) std::rethrow_exception(failure_);
    return first_;
  }

 private:
  static constexpr std::uint64_t interest = make_interest(InterestKind::process_exit, any_process);

  std::shared_ptr<Member> member_;
  std::stop_source stop_;
  std::optional<std::size_t> first_;
  std::exception_ptr failure_;
  std::vector<Fiber<>> fibers_;  // last: they end before the rest does
};

}  // namespace

std::optional<int> detail::join_until(Puid process, Deadline deadline) {
  const std::shared_ptr<Member> member = Member::current();
  check(*member, process);
  return node_processes::wait_for_exit(member, process, deadline);
}

std::optional<std::size_t> detail::wait_any_until(std::span<const Puid> processes, Deadline deadline) {
  const std::shared_ptr<Member> member = Member::current();
  if (processes.empty()) throw InvalidArgument("there is no process to wait for");
  const auto nodes = by_node(*member, processes);
  if (deadline.is_now() || nodes.size() == 1) {
    for (const auto& [number, node] : nodes) {
      const auto found = node_processes::wait_for_any_exit(member, number, node.processes, deadline);
      if (found) return node.places[*found];
    }
    return std::nullopt;
  }
  FirstOfNodes first(member);
  for (const auto& [number, node] : nodes) first.wait_on(number, node);
  return first.result(deadline);
}

std::optional<std::vector<int>> detail::wait_all_until(std::span<const Puid> processes, Deadline deadline) {
  const std::shared_ptr<Member> member = Member::current();
  for (const Puid process : processes) check(*member, process);
  std::vector<int> statuses;
  statuses.reserve(processes.size());
  for (const Puid process : processes) {
    const auto status = node_processes::wait_for_exit(member, process, deadline);
    if (!status) return std::nullopt;
    statuses.push_back(*status);
  }
  return statuses;
}

std::vector<Puid> detail::puids_of(std::span<const Process> processes) {
  std::vector<Puid> puids;
  puids.reserve(processes.size());
  for (const Process& process : processes) puids.push_back(process.puid());
  return puids;
}

int join(Puid process) { return *detail::join_until(process, Deadline::never()); }

std::size_t wait_any(std::span<const Puid> processes) {
  return *detail::wait_any_until(processes, Deadline::never());
}

std::size_t wait_any(std::span<const Process> processes) { return wait_any(detail::puids_of(processes)); }

std::vector<int> wait_all(std::span<const Puid> processes) {
  return *detail::wait_all_until(processes, Deadline::never());
}

std::vector<int> wait_all(std::span<const Process> processes) {
  return wait_all(detail::puids_of(processes));
}

}  // namespace wyvern
