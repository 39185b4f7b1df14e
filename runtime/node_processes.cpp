#include <atomic>
#include <string>
#include <utility>

#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>
#include <wyvern/runtime/member/membership.hpp>
#include <wyvern/runtime/node_processes.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/protocol/node_requests.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::node_processes {
namespace {

bool is_here(const Member& member, std::uint32_t node) { return node == member.segment().header().node; }

std::vector<std::byte> ask(const std::shared_ptr<Member>& member, std::uint32_t node,
                           const node_request::Any& request) {
  return *remote_access(member, node).ask_agent(node, node_request::encode(request), WaitLimit::never());
}

Puid start_there(const std::shared_ptr<Member>& member, std::uint32_t node,
                 std::span<const std::byte> payload) {
  const auto answer = ask(member, node,
                          node_request::Start{.payload = {payload.begin(), payload.end()},
                                              .program = program_path(),
                                              .directory = working_directory()});
  return Puid(decode_from<std::uint64_t>(answer));
}

}  // namespace

std::uint32_t next_node(const Member& member) {
  static std::atomic<std::uint32_t> started = 0;
  const SegmentHeader& header = member.segment().header();
  const std::uint32_t turn = started.fetch_add(1, std::memory_order_relaxed);  // only its own order counts
  return (header.node - 1 + turn % header.nodes) % header.nodes + 1;
}

void check_node(const Member& member, std::uint32_t node) {
  const std::uint32_t nodes = member.segment().header().nodes;
  if (node >= 1 && node <= nodes) return;
  throw InvalidArgument("there is no node " + std::to_string(node) + ": this job has " +
                        (nodes == 1 ? "one node" : std::to_string(nodes) + " nodes") +
                        ", and nodes count from 1");
}

Puid start(const std::shared_ptr<Member>& member, std::uint32_t node, std::span<const std::byte> payload,
           std::span<const ObjectReference> references, std::shared_ptr<void> arguments) {
  const Puid puid = is_here(*member, node)
                        ? agent_link(*member).start(control::write_start_payload(payload), open_program(),
                                                    open_working_directory())
                        : start_there(member, node, payload);
  // Objects of its own node the process holds by now; others it has to open itself.
  const bool opens_others = any_elsewhere(references, node);
  if (opens_others || (!references.empty() && !is_here(*member, node))) {
    const node_request::Any wait = node_request::WaitUntilReady{.puid = puid.value()};
    remote_access(member, node).keep_until_answered(node, node_request::encode(wait), std::move(arguments));
  }
  return puid;
}

std::optional<int> wait_for_exit(const std::shared_ptr<Member>& member, Puid process, Deadline deadline) {
  if (is_here(*member, process.node())) return wyvern::wait_for_exit(member, process.sequence(), deadline);
  const bool is_now = deadline.is_now();
  const node_request::Any wait = node_request::WaitForExit{.puid = process.value(), .is_now = is_now};
  const auto answer =
      remote_access(member, process.node())
          .ask_agent(process.node(), node_request::encode(wait), is_now ? Deadline::never() : deadline);
  if (!answer) return std::nullopt;
  return decode_from<std::optional<std::int32_t>>(*answer);
}

void send_signal(const std::shared_ptr<Member>& member, Puid process, int signal) {
  if (is_here(*member, process.node())) return agent_link(*member).send_signal(process, signal);
  ask(member, process.node(), node_request::Signal{.puid = process.value(), .signal = signal});
}

void detach(const std::shared_ptr<Member>& member, Puid process) {
  if (is_here(*member, process.node())) return agent_link(*member).detach(process);
  ask(member, process.node(), node_request::Detach{.puid = process.value()});
}

}  // namespace wyvern::node_processes
