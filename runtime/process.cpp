#include <signal.h>

#include <exception>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/node_processes.hpp>
#include <wyvern/runtime/process.hpp>
#include <wyvern/runtime/start_options.hpp>

namespace wyvern {

Process::Process(std::shared_ptr<Member> member, ProcessOptions options, EncodedEntry entry,
                 std::shared_ptr<void> arguments)
    : member_(std::move(member)),
      options_(std::move(options)),
      entry_(std::move(entry)),
      arguments_(std::move(arguments)) {}

Process::Process(std::shared_ptr<Member> member, ProcessOptions options, std::vector<std::string> program)
    : member_(std::move(member)), options_(std::move(options)), program_(std::move(program)) {}

Process::Process(Process&& other) noexcept = default;

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    finish();
    member_ = std::move(other.member_);
    options_ = std::move(other.options_);
    entry_ = std::move(other.entry_);
    arguments_ = std::move(other.arguments_);
    program_ = std::move(other.program_);
    puid_ = other.puid_;
    detached_ = other.detached_;
    input_ = std::move(other.input_);
    output_ = std::move(other.output_);
    error_ = std::move(other.error_);
  }
  return *this;
}

Process::~Process() { finish(); }

void Process::start() {
  if (member_ == nullptr || puid_)
    throw InvalidArgument("a process can be started once; this one was started already");
  Member::check_not_forked();
  control::StartContent content = start_options::content(options_, program_);
  content.entry = entry_.bytes;
  content.references = entry_.references;
  const std::uint32_t node = options_.node != 0                  ? options_.node
                             : start_options::has_pipe(options_) ? member_->segment().header().node
                                                                 : node_processes::next_node(*member_);
  auto started = node_processes::start(member_, node, content, arguments_);
  puid_ = started.puid;
  take_pipes(std::move(started.piped));
  entry_ = {};
  arguments_.reset();
}

/// They come in the order of the streams.
void Process::take_pipes(std::vector<FileDescriptor> piped) {
  auto next = piped.begin();
  const auto take = [&](const StandardStream& stream, FileDescriptor& end) {
    if (stream.kind() == StandardStream::Kind::piped && next != piped.end()) end = std::move(*next++);
  };
  take(options_.input, input_);
  take(options_.output, output_);
  take(options_.error, error_);
}

int Process::join() { return *try_join(Deadline::never()); }

std::optional<int> Process::try_join(Deadline deadline) {
  check_started();
  Member::check_not_forked();
  if (deadline.is_never()) input_.reset();  // who reads it to its end ends
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

std::string Process::name() const { return start_options::name(options_, program_); }

void Process::check_started() const {
  if (member_ == nullptr || !puid_) throw InvalidArgument("this process was not started yet");
}

void Process::finish() noexcept {
  if (member_ == nullptr || !puid_ || detached_) return;
  for (FileDescriptor* const end : {&input_, &output_, &error_}) end->reset();  // it does not wait for us
  try {
    join();
  } catch (const std::exception&) {
    // In a plain fork, whose processes these are not; or the node is lost, and the process with it.
  }
}

}  // namespace wyvern
