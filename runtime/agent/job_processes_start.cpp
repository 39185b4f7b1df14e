// The part of JobProcesses that starts processes.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/find_program.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/agent/output_pipe.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::agent {
namespace {

/// Exit status of a process that never came to be, as shells have it.
constexpr std::int32_t not_executed_status = 127;

/// exec takes pointers to characters that could be changed, and does not change them.
char* const* as_exec_wants(const std::vector<const char*>& strings) {
  return const_cast<char* const*>(strings.data());
}

/// Where an open file lies, for messages.
std::string path_of(const FileDescriptor& file) {
  char path[PATH_MAX];
  const ssize_t length =
      ::readlink(("/proc/self/fd/" + std::to_string(file.get())).c_str(), path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "a file that has gone";
}

/// Whether a variable, "NAME=value", is of that name.
bool is(std::string_view variable, std::string_view name) {
  return variable.starts_with(name) && variable.substr(name.size()).starts_with('=');
}

/// Where the program is that the process is to execute, found as it would find it itself.
std::string path_of_program(const control::StartPayload& content) {
  constexpr std::string_view folders = "PATH";
  const auto variable =
      std::ranges::find_if(content.environment(), [&](const char* text) { return is(text, folders); });
  const bool is_set = variable != content.environment().end();
  const std::string path = find_program(content.program(), is_set ? *variable + folders.size() + 1 : nullptr);
  return std::filesystem::absolute(path);  // it is executed from another folder
}

/// Nothing, if none is named.
FileDescriptor open_directory(const char* path) {
  if (*path == '\0') return {};
  FileDescriptor directory(::open(path, O_PATH | O_CLOEXEC | O_DIRECTORY));
  if (!directory)
    throw SpawnFailed(describe_errno(std::string("opening its working directory ") + path, errno));
  return directory;
}

}  // namespace

JobProcesses::JobProcesses(EventLoop& loop, Keeper& keeper, OutputForwarder& forwarder, Settings settings,
                           OnEnded ended, OnStarted started, OnGone gone)
    : loop_(loop),
      keeper_(keeper),
      forwarder_(forwarder),
      settings_(std::move(settings)),
      on_ended_(std::move(ended)),
      on_started_(std::move(started)),
      on_gone_(std::move(gone)) {}

void JobProcesses::launch(JobProcess& head, HeadCommand& command) {
  std::vector<const char*> arguments;
  arguments.reserve(command.arguments.size() + 1);
  for (const std::string& argument : command.arguments) arguments.push_back(argument.c_str());
  arguments.push_back(nullptr);
  std::vector<const char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);

  head.index = keeper_.admit(head.puid);
  SpawnPlan plan;
  plan.path = command.path.c_str();
  plan.arguments = as_exec_wants(arguments);
  plan.group = command.group;
  OutputPipe output = make_output_pipe();
  OutputPipe error = make_output_pipe();
  ProcessStreams streams{.input = FileDescriptor(std::exchange(command.input, -1)),
                         .output = std::move(output.writing),
                         .error = std::move(error.writing),
                         .forwarded_output = std::move(output.reading),
                         .forwarded_error = std::move(error.reading),
                         .piped = {}};
  spawn(head, plan, environment, streams);
}

JobProcesses::Started JobProcesses::start(Puid starter, FileDescriptor payload,
                                          const FileDescriptor& executable, const FileDescriptor& directory) {
  const control::StartPayload content(payload.get());
  if (content.arguments().empty()) throw control::Malformed("a process is to be started without a name");
  const bool is_other_program = *content.program() != '\0';
  if (!is_other_program && !executable)
    throw control::Malformed("a process is to be started without a program");

  std::string path;
  JobProcess& process = add(starter, control::random_number());
  Started started{.puid = process.puid, .piped = {}};
  try {
    path = is_other_program ? path_of_program(content) : path_of(executable);
    process.index = keeper_.admit(process.puid);
    // What is on other nodes it opens itself; until then who starts it holds it.
    for (const ObjectReference& reference : content.references()) {
      if (reference.id.node() == keeper_.segment().header().node) keeper_.hold(*process.index, reference);
    }
    // Another program knows nothing of the payload. Should it come to be a member, it runs what it likes.
    if (!is_other_program) process.payload = std::move(payload);
    std::vector<const char*> arguments = content.arguments();
    arguments.push_back(nullptr);
    const FileDescriptor own_directory = open_directory(content.directory());
    ProcessStreams streams = open_streams(content);
    SpawnPlan plan;
    plan.executable = is_other_program ? -1 : executable.get();
    plan.path = path.c_str();
    plan.arguments = as_exec_wants(arguments);
    plan.directory = own_directory ? own_directory.get() : directory.get();
    spawn(process, plan, content.environment(), streams);
    started.piped = std::move(streams.piped);
  } catch (const SpawnFailed& error) {
    withdraw(process);
    const SegmentHeader& header = keeper_.segment().header();
    const std::string where = header.nodes > 1 ? " on node " + std::to_string(header.node) : "";
    throw SpawnFailed("cannot start " + (path.empty() ? content.program() : path) + where + ": " +
                      error.what());
  } catch (...) {
    withdraw(process);
    throw;
  }
  on_started_();
  return started;
}

/// Fills in what every process gets, and makes it.
void JobProcesses::spawn(JobProcess& process, SpawnPlan& plan, const std::vector<const char*>& environment,
                         ProcessStreams& streams) {
  const std::string agent = std::string(control::agent_variable) + "=" + settings_.socket_name;
  const std::string ticket = std::string(control::ticket_variable) + "=" + control::to_string(process.ticket);
  std::vector<const char*> variables;
  variables.reserve(environment.size() + 3);
  for (const char* variable : environment) {
    if (!is(variable, control::agent_variable) && !is(variable, control::ticket_variable)) {
      variables.push_back(variable);
    }
  }
  variables.insert(variables.end(), {agent.c_str(), ticket.c_str(), nullptr});

  plan.environment = as_exec_wants(variables);
  plan.input = streams.input.get();
  plan.output = streams.output.get();
  plan.error = (streams.error ? streams.error : streams.output).get();
  plan.descriptors = settings_.descriptors;

  // Before the process exists: if anything of this fails, nothing has happened, and pipes without writers
  // end.
  const std::string label = settings_.label ? "[" + to_string(process.puid) + "] " : "";
  using Stream = OutputForwarder::Stream;
  if (streams.forwarded_output)
    forwarder_.add(std::move(streams.forwarded_output), Stream::out, process.sequence(), label);
  if (streams.forwarded_error)
    forwarder_.add(std::move(streams.forwarded_error), Stream::err, process.sequence(), label);
  process.child = spawner_.spawn(plan);
  process.leads_group = plan.group == 0;
  if (process.index) keeper_.note_os_pid(*process.index, static_cast<std::uint32_t>(process.child));
}

/// Undoes a start that failed. Its puid is used up.
void JobProcesses::withdraw(JobProcess& process) {
  if (process.index) keeper_.bury(*process.index);
  keeper_.end_process(process.sequence(), not_executed_status);
  processes_.erase(process.sequence());
}

}  // namespace wyvern::agent
