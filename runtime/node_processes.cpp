#include <algorithm>
#include <array>
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

namespace wyvern::node_processes {
namespace {

bool is_here(const Member& member, std::uint32_t node) { return node == member.segment().header().node; }

std::vector<std::byte> ask(const std::shared_ptr<Member>& member, std::uint32_t node,
                           const node_request::Any& request) {
  return *remote_access(member, node).ask_agent(node, node_request::encode(request), WaitLimit::never());
}

Puid start_there(const std::shared_ptr<Member>& member, std::uint32_t node,
                 const control::StartContent& content) {
  const auto answer =
      ask(member, node,
          node_request::Start{.payload = control::encode_start_payload(content),
                              .program = content.program.empty() ? program_path() : std::string(),
                              .directory = content.directory.empty() ? working_directory() : std::string()});
  return Puid(decode_from<std::uint64_t>(answer));
}

SocketAgentLink::Started start_here(const Member& member, const control::StartContent& content) {
  const auto piped =
      std::ranges::count(std::array{content.input.kind(), content.output.kind(), content.error.kind()},
                         StandardStream::Kind::piped);
  return agent_link(member).start(control::write_start_payload(control::encode_start_payload(content)),
                                  open_program(), open_working_directory(), static_cast<std::size_t>(piped));
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

SocketAgentLink::Started start(const std::shared_ptr<Member>& member, std::uint32_t node,
                               const control::StartContent& content, std::shared_ptr<void> arguments) {
  SocketAgentLink::Started started =
      is_here(*member, node)
          ? start_here(*member, content)
          : SocketAgentLink::Started{.puid = start_there(member, node, content), .piped = {}};
  // Objects of its own node the process holds by now; others it has to open itself.
  const bool opens_others = any_elsewhere(content.references, node);
  if (opens_others || (!content.references.empty() && !is_here(*member, node))) {
    const node_request::Any wait = node_request::WaitUntilReady{.puid = started.puid.value()};
    remote_access(member, node).keep_until_answered(node, node_request::encode(wait), std::move(arguments));
  }
  return started;
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

std::optional<std::size_t> wait_for_any_exit(const std::shared_ptr<Member>& member, std::uint32_t node,
                                             std::span<const Puid> processes, const WaitLimit& limit) {
  if (is_here(*member, node)) {
    std::vector<std::uint32_t> sequences;
    for (const Puid process : processes) sequences.push_back(process.sequence());
    return wyvern::wait_for_any_exit(member, sequences, limit);
  }
  const bool is_now = limit.is_now();
  node_request::WaitForAnyExit wait{.puids = {}, .is_now = is_now};
  for (const Puid process : processes) wait.puids.push_back(process.value());
  const auto answer = remote_access(member, node)
                          .ask_agent(node, node_request::encode(node_request::Any(std::move(wait))),
                                     is_now ? WaitLimit::never() : limit);
  if (!answer) return std::nullopt;
  const auto place = decode_from<std::optional<std::uint64_t>>(*answer);
  if (place && *place >= processes.size())
    throw NodeLost("the agent of node " + std::to_string(node) + " sent a malformed answer");
  return place;
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
