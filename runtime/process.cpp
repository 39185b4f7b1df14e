#include <signal.h>

#include <exception>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/node_processes.hpp>
#include <wyvern/runtime/process.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern {

Process::Process(std::shared_ptr<Member> member, const ProcessOptions& options, EncodedEntry entry,
                 std::shared_ptr<void> arguments)
    : member_(std::move(member)),
      options_(options),
      entry_(std::move(entry)),
      arguments_(std::move(arguments)) {}

Process::Process(Process&& other) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    finish();
    member_ = std::move(other.member_);
    options_ = other.options_;
    entry_ = std::move(other.entry_);
    arguments_ = std::move(other.arguments_);
    puid_ = other.puid_;
    detached_ = other.detached_;
  }
  return *this;
}

Process::~Process() { finish(); }

void Process::start() {
  if (member_ == nullptr || puid_)
    throw InvalidArgument("a process can be started once; this one was started already");
  Member::check_not_forked();
  const auto payload = control::encode_start_payload({.arguments = program_arguments(),
                                                      .environment = program_environment(),
                                                      .entry = entry_.bytes,
                                                      .references = entry_.references});
  const std::uint32_t node = options_.node != 0 ? options_.node : node_processes::next_node(*member_);
  puid_ = node_processes::start(member_, node, payload, entry_.references, arguments_);
  entry_ = {};
  arguments_.reset();
}

int Process::join() { return *try_join(Deadline::never()); }

std::optional<int> Process::try_join(Deadline deadline) {
  check_started();
  Member::check_not_forked();
  return node_processes::wait_for_exit(member_, puid_, deadline);
}

bool Process::is_alive() const {
  return member_ != nullptr && puid_ && !node_processes::wait_for_exit(member_, puid_, Deadline::now());
}

void Process::terminate() { send_signal(SIGTERM); }
void Process::kill() { send_signal(SIGKILL); }

void Process::send_signal(int signal) {
  check_started();
  Member::check_not_forked();
  if (signal < 0 || signal >= NSIG) throw InvalidArgument("there is no signal " + std::to_string(signal));
  node_processes::send_signal(member_, puid_, signal);
}

void Process::detach() {
  check_started();
  Member::check_not_forked();
  node_processes::detach(member_, puid_);
  detached_ = true;
}

Puid Process::puid() const {
  check_started();
  return puid_;
}

void Process::check_started() const {
  if (member_ == nullptr || !puid_) throw InvalidArgument("this process was not started yet");
}

void Process::finish() noexcept {
  if (member_ == nullptr || !puid_ || detached_) return;
  try {
    join();
  } catch (const std::exception&) {
    // In a plain fork, whose processes these are not; or the node is lost, and the process with it.
  }
}

int join(Puid process) {
  const std::shared_ptr<Member> member = Member::current();
  const SegmentHeader& header = member->segment().header();
  if (process == member->puid()) throw InvalidArgument("a process cannot join itself");
  if (process.system() != header.system || process.node() < 1 || process.node() > header.nodes) {
    throw InvalidArgument("there never was a process " + to_string(process) + " in this job");
  }
  return *node_processes::wait_for_exit(member, process, Deadline::never());
}

}  // namespace wyvern
