#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/memory_limit.hpp>
#include <wyvern/runtime/agent/agent.hpp>

namespace wyvern::agent {
namespace {

/// How often sleepers are looked after that a stopped or dead process should have woken.
constexpr std::chrono::milliseconds sweep_period{250};
/// The same once nothing happened, nor was a queue of the node used, for so many sweeps: an idle job hardly
/// wakes.
constexpr std::chrono::milliseconds idle_sweep_period{1000};
constexpr std::uint32_t sweeps_until_idle = 8;
/// How long the last output may take when nobody is left who waits for it.
constexpr std::chrono::milliseconds hurried_output{500};

Segment make_segment(const AgentOptions& options) {
  return Segment::create({.node = options.node,
                          .nodes = options.network ? options.network->nodes : 1,
                          .job = static_cast<std::uint32_t>(options.job),
                          .agent_socket = options.socket_name,
                          .memory_ceiling = options.memory_ceiling,
                          .usable_cores = usable_cores() / options.nodes_on_machine,
                          .layout_hash = channels_layout_hash});
}

}  // namespace

Agent::Agent(AgentOptions options, AgentDescriptors& descriptors, const rlimit& descriptor_limit)
    : options_(std::move(options)),
      descriptors_(descriptors),
      segment_(make_segment(options_)),
      keeper_(segment_),
      forwarder_(loop_, STDOUT_FILENO, STDERR_FILENO),
      processes_(
          loop_, keeper_, forwarder_,
          {.socket_name = options_.socket_name, .label = options_.label, .descriptors = descriptor_limit},
          [this](const JobProcess& process, std::int32_t status) { on_ended(process, status); },
          [this] { report_awaited(); },
          [this](Puid process, std::uint64_t homes) { on_gone(process, homes); }),
      server_(loop_, keeper_, processes_, names_, descriptors_.self_pidfd.get(),
              {.leaving = [this](const auto& leaving) { on_leaving(leaving); },
               .disconnected = [this](Puid process) { on_disconnected(process); },
               .refuses_starts = [this] { return end_.refuses_starts(); },
               .network_plan = [this] { return network_ != nullptr ? network_->plan() : -1; },
               .log = [this](std::string_view line) { log(line); }}),
      next_sweep_(EventLoop::Clock::now() + sweep_period) {
  signal_watch_ = loop_.watch(descriptors_.signals.get(), EPOLLIN, [this](std::uint32_t) { on_signal(); });
  owner_death_ =
      loop_.watch(descriptors_.owner_pidfd.get(), EPOLLIN, [this](std::uint32_t) { on_owner_gone(); });
  server_.listen(options_.socket_name);
  if (is_launched()) {
    launcher_.emplace(loop_, descriptors_.owner.get(), launcher_hooks());
    if (options_.network) join_nodes();
  } else {
    processes_.add_head(options_.head_ticket_key);
    server_.adopt(std::move(descriptors_.owner));
  }
}

/// Until the job can begin, errors are not lost in the loop: they keep it from coming to be.
void Agent::come_up() {
  while (options_.network && !nodes_ready_ && !over_) {
    loop_.run_once(next_turn());
    turn();
  }
  if (options_.command && !over_) launch_head();
  server_.let_join();
}

void Agent::launch_head() {
  processes_.launch(processes_.add_head(options_.head_ticket_key), *options_.command);
}

void Agent::serve() {
  come_up();
  while (!over_) {
    try {
      loop_.run_once(next_turn());
      turn();
    } catch (const std::exception& error) {
      // Out of memory or descriptors: one request or some output is lost, not the node.
      log(error.what());
    }
  }
  network_.reset();  // closed in order: the provider shm has files
}

void Agent::turn() {
  if (const auto now = EventLoop::Clock::now(); now >= next_sweep_) {
    idle_sweeps_ = keeper_.sweep() ? 0 : idle_sweeps_ + 1;
    processes_.settle_joined(now);
    next_sweep_ = now + (idle_sweeps_ < sweeps_until_idle ? sweep_period : idle_sweep_period);
  } else {  // something has come
    idle_sweeps_ = 0;
    next_sweep_ = std::min(next_sweep_, now + sweep_period);
  }
  if (network_ != nullptr) network_->answer_waiting();
  release_programs();
  report_awaited();
  advance_end();
  report_end();
  forwarder_.flush();
}

std::optional<EventLoop::Clock::time_point> Agent::next_turn() const {
  auto next = next_sweep_;
  for (const auto& limit : {end_.deadline(), output_limit_}) {
    if (limit) next = std::min(next, *limit);
  }
  return next;
}

void Agent::log(std::string_view line) {
  const std::string node = options_.network ? " of node " + std::to_string(options_.node) : "";
  forwarder_.log("wyvern agent" + node + ": " + std::string(line));
}

void Agent::on_signal() {
  signalfd_siginfo info;
  while (::read(descriptors_.signals.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) {
      processes_.reap_children();
    } else {
      end_.asked_to_end(EventLoop::Clock::now());
    }
  }
}

void Agent::on_owner_gone() {
  owner_death_.reset();
  // A head that was run directly and has attached is watched as every member is.
  const JobProcess* head = processes_.find(Puid::make(segment_.header().system, segment_.header().node, 0));
  if (is_launched() || (head != nullptr && head->member == 0)) end_.owner_lost(EventLoop::Clock::now());
}

void Agent::on_signal_job(const control::SignalJob& request) {
  end_.signalled(EventLoop::Clock::now());
  processes_.signal_all(static_cast<int>(request.signal), request.skip_head != 0);
}

void Agent::on_leaving(const MemberServer::Leaving& leaving) {
  const bool is_head = leaving.process.sequence() == 0 && !leaving.is_program;
  if (is_head && !leaving.waits) {
    end_.head_ends_early(EventLoop::Clock::now());
  } else if (is_head) {
    end_.head_returned();
    head_leaving_ = leaving;
    head_returned_ = options_.network.has_value();
    if (head_returned_) launcher_->send_head_returned();
  } else if (leaving.waits) {
    programs_leaving_.push_back(leaving);
  }
}

void Agent::on_disconnected(Puid process) {
  const bool has_left = head_leaving_ && head_leaving_->process == process;
  if (process.sequence() == 0 && !is_launched() && !has_left) end_.head_disconnected(EventLoop::Clock::now());
}

void Agent::on_ended(const JobProcess& process, std::int32_t status) {
  if (!process.is_head()) return;
  head_status_ = status;
  head_leaving_.reset();
  // How a process ended that is not our child is not known; one that ended orderly would have said so.
  end_.head_gone(!is_launched() || status < 0, EventLoop::Clock::now());
}

/// At the end of the job nobody is left who waits for what it had.
void Agent::on_gone(Puid process, std::uint64_t homes) {
  if (network_ != nullptr && !end_.refuses_starts()) network_->process_ended(process, homes);
}

void Agent::release_programs() {
  std::erase_if(programs_leaving_, [this](const MemberServer::Leaving& leaving) {
    if (processes_.awaited(leaving.process) != 0) return false;
    server_.release(leaving);
    return true;
  });
}

void Agent::advance_end() {
  if (!end_.is_near()) return;
  const bool spare_head = end_.spares_head();
  const std::size_t awaited = processes_.awaited() + (waits_for_others() ? 1 : 0);
  switch (end_.next(EventLoop::Clock::now(), awaited, processes_.any_left(spare_head))) {
    case JobEnd::Step::none: break;
    case JobEnd::Step::ask_to_end:
      processes_.signal_all(SIGTERM, spare_head);
      processes_.signal_all(SIGCONT, spare_head);  // a stopped process is to be asked too
      break;
    case JobEnd::Step::kill: processes_.signal_all(SIGKILL, end_.spares_head()); break;
    case JobEnd::Step::finish: finish(); break;
  }
}

/// Nothing of the job is left but a head that is spared. Called again until the last output is out.
void Agent::finish() {
  const bool head_goes_on = is_launched() && end_.spares_head() && processes_.head_left();
  if (!head_goes_on) end_cgroup();
  // Before its output is out: a reader who does not read is no sign of an agent that hangs.
  if (options_.node != head_node) {
    network_.reset();  // nothing is left to be served; should it hang, that is within the time that we have
    say_over();
  }
  if (!is_all_out(head_goes_on)) {
    const auto now = EventLoop::Clock::now();
    if (!output_limit_ && end_.hurried()) output_limit_ = now + hurried_output;
    if (!output_limit_ || now < *output_limit_) return;
  }
  if (head_leaving_) server_.release(*std::exchange(head_leaving_, std::nullopt));
  if (head_goes_on) {
    end_.head_released();
    return;
  }
  if (is_launched()) say_over();
  over_ = true;
}

/// To move out of it takes time: who waits for this agent's end removes it, too, if nobody else is in it.
void Agent::end_cgroup() {
  const bool is_waited_for = head_leaving_ || (is_launched() && !end_.hurried());
  if (is_waited_for && descriptors_.cgroup.holds_this_process_alone()) return;
  descriptors_.cgroup.end(Deadline::after(cgroup_patience));
}

bool Agent::is_all_out(bool head_goes_on) {
  const bool others = waits_for_others();
  return forwarder_.drain_all(/*last=*/!head_goes_on && !others) && !others;
}

void Agent::say_over() {
  if (!std::exchange(said_over_, true)) launcher_->send_job_over(head_status_);
}

}  // namespace wyvern::agent
