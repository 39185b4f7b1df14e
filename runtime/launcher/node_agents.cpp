#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/descendants.hpp>
#include <wyvern/runtime/agent/output_pipe.hpp>
#include <wyvern/runtime/launcher/node_agents.hpp>

namespace wyvern::launcher {
namespace {

/// For agents that have nothing more to do, or whose launcher has let go of them, to end themselves.
constexpr std::chrono::seconds agent_patience{1};

agent::AgentOptions options_for(std::uint32_t node, const RunOptions& options) {
  agent::AgentOptions own;
  own.node = node;
  own.memory_ceiling = options.memory_ceiling / options.nodes;
  own.label = options.label;
  own.nodes_on_machine = options.nodes;
  return own;
}

}  // namespace

NodeAgents::NodeAgents(const RunOptions& options, const agent::HeadCommand& head,
                       const agent::NetworkFactory& open_network)
    : agents_(options.nodes) {
  std::optional<agent::NetworkOptions> network;
  if (options.nodes > 1) {
    network = {.provider = options.provider, .nodes = options.nodes, .key = JobKey::make()};
  }
  // Node 1 comes last: it gets what the others' output is read from.
  agent::AgentOptions first = options_for(head_node, options);
  std::vector<FileDescriptor> readers;
  for (std::uint32_t node = 2; node <= options.nodes; ++node) {
    agent::OutputPipe output = agent::make_output_pipe();
    agent::OutputPipe error = agent::make_output_pipe();
    agent::AgentOptions own = options_for(node, options);
    own.network = network;
    own.open_network = open_network;
    own.output = output.writing.get();
    own.error = error.writing.get();
    agents_[node - 1] = agent::launch_agent(own);
    first.other_nodes.push_back({.out = output.reading.get(), .err = error.reading.get()});
    readers.push_back(std::move(output.reading));
    readers.push_back(std::move(error.reading));
  }
  first.command = head;
  first.network = network;
  first.open_network = open_network;
  agents_.front() = agent::launch_agent(first);
}

control::Transfer NodeAgents::receive(std::uint32_t node, control::Packet& packet) {
  agent::LaunchedAgent& from = agents_.at(node - 1);
  if (!from.socket) return control::Transfer::would_block;
  const control::Transfer result = control::receive_packet(from.socket.get(), packet);
  if (result == control::Transfer::closed) from.socket.reset();
  return result;
}

void NodeAgents::wait(int descriptor, Deadline deadline) const {
  std::vector<pollfd> waited{{descriptor, POLLIN, 0}};
  for (const agent::LaunchedAgent& agent : agents_) waited.push_back({agent.socket.get(), POLLIN, 0});
  control::wait_until_any_ready(waited, deadline);
}

void NodeAgents::kill(std::uint32_t node) { ::kill(agents_.at(node - 1).pid, SIGKILL); }

void NodeAgents::end_orphans() {
  for (const pid_t child : agent::list_children()) {
    if (std::ranges::find(agents_, child, &agent::LaunchedAgent::pid) != agents_.end()) continue;
    agent::signal_child(child, SIGKILL);
    ::waitpid(child, nullptr, WNOHANG);
  }
}

void NodeAgents::end_all() {
  const Deadline deadline = Deadline::after(agent_patience);
  for (agent::LaunchedAgent& agent : agents_) agent.socket.reset();
  for (const agent::LaunchedAgent& agent : agents_) {
    // Not reaped yet, so its pid is its own.
    const FileDescriptor pidfd = open_pidfd(agent.pid);
    if (pidfd) control::wait_until_ready(pidfd.get(), POLLIN, deadline);
  }
  for (agent::LaunchedAgent& agent : agents_) {
    ::waitpid(agent.pid, nullptr, WNOHANG);
    agent.cgroup.kill();
  }
  while (agent::has_children()) {
    agent::signal_children(SIGKILL);
    while (::waitpid(-1, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  const Deadline last = Deadline::after(agent::cgroup_patience);
  for (agent::LaunchedAgent& agent : agents_) agent.cgroup.end(last);
}

}  // namespace wyvern::launcher
