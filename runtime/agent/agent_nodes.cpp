// The part of Agent that belongs to a launcher, and to a job of several nodes.

#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/agent.hpp>

namespace wyvern::agent {

LauncherLink::Hooks Agent::launcher_hooks() {
  return {.signal_job = [this](const control::SignalJob& request) { on_signal_job(request); },
          .nodes_ready =
              [this](std::vector<std::vector<std::byte>> addresses) {
                network_->set_nodes(std::move(addresses));
                nodes_ready_ = true;
              },
          .head_returned = [this] { head_returned_ = true; },
          .end_node =
              [this](bool kill) {
                const auto now = EventLoop::Clock::now();
                kill ? end_.asked_to_kill(now) : end_.asked_to_end(now);
              },
          .others_ended = [this] { others_ended_ = true; },
          .lost = [this] { end_.owner_lost(EventLoop::Clock::now()); }};
}

/// Opens the network and says so. What other nodes print leaves the job here from now on.
void Agent::join_nodes() {
  using Stream = OutputForwarder::Stream;
  for (const NodeOutput& node : options_.other_nodes) {
    forwarder_.add_node(FileDescriptor(node.out), Stream::out);
    forwarder_.add_node(FileDescriptor(node.err), Stream::err);
  }
  try {
    network_ = options_.open_network({.node = options_.node,
                                      .options = *options_.network,
                                      .loop = loop_,
                                      .keeper = keeper_,
                                      .processes = processes_,
                                      .names = names_,
                                      .refuses_starts = [this] { return end_.refuses_starts(); },
                                      .log = [this](std::string_view line) { log(line); }});
  } catch (const Error& error) {
    throw_error(error.code(),
                "node " + std::to_string(options_.node) + " cannot open its network: " + error.what());
  }
  launcher_->send_ready(network_->address());
}

void Agent::report_awaited() {
  if (!head_returned_) return;
  const bool any = processes_.awaited() != 0;
  if (std::exchange(reported_awaited_, any) != any) launcher_->send_awaited(any);
}

/// The launcher ends other nodes when nobody is awaited any more. That this node ends for another reason it
/// does not know.
void Agent::report_end() {
  if (!waits_for_others() || !end_.refuses_starts()) return;
  const bool kill = end_.kills();
  if (reported_kill_ && (*reported_kill_ || !kill)) return;
  reported_kill_ = kill;
  launcher_->send_job_ends(kill);
}

/// Whether this is the node that ends last, and others are left.
bool Agent::waits_for_others() const {
  return options_.network && options_.node == head_node && nodes_ready_ && !others_ended_;
}

}  // namespace wyvern::agent
