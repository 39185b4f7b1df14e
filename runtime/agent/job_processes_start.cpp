// The part of JobProcesses that starts processes.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <string_view>
#include <utility>

#include <wyvern/core/error.hpp>
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

}  // namespace

JobProcesses::JobProcesses(EventLoop& loop, Keeper& keeper, OutputForwarder& forwarder, Settings settings,
                           Ended ended, Started started)
    : loop_(loop),
      keeper_(keeper),
      forwarder_(forwarder),
      settings_(std::move(settings)),
      on_ended_(std::move(ended)),
      on_started_(std::move(started)),
      null_input_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  if (!null_input_) throw OutOfMemory(describe_errno("opening /dev/null", errno));
}

void JobProcesses::launch(JobProcess& head, const HeadCommand& command) {
  std::vector<const char*> arguments;
  arguments.reserve(command.arguments.size() + 1);
  for (const std::string& argument : command.arguments) arguments.push_back(argument.c_str());
  arguments.push_back(nullptr);
  std::vector<const char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);

  SpawnPlan plan;
  plan.path = command.path.c_str();
  plan.arguments = as_exec_wants(arguments);
  plan.input = command.input;
  plan.group = command.group;
  spawn(head, plan, environment);
}

Puid JobProcesses::start(Puid starter, FileDescriptor payload, const FileDescriptor& executable,
                         const FileDescriptor& directory) {
  const control::StartPayload content(payload.get());
  if (content.arguments().empty()) throw control::Malformed("a process is to be started without a name");
  std::vector<const char*> arguments = content.arguments();
  arguments.push_back(nullptr);

  JobProcess& process = add(starter, control::random_number());
  try {
    process.index = keeper_.admit(process.puid);
    // What is on other nodes it opens itself; until then who starts it holds it.
    for (const ObjectReference& reference : content.references()) {
      if (reference.id.node() == keeper_.segment().header().node) keeper_.hold(*process.index, reference);
    }
    process.payload = std::move(payload);
    SpawnPlan plan;
    plan.executable = executable.get();
    plan.arguments = as_exec_wants(arguments);
    plan.directory = directory.get();
    plan.input = null_input_.get();
    spawn(process, plan, content.environment());
  } catch (const SpawnFailed& error) {
    withdraw(process);
    throw SpawnFailed("cannot start " + path_of(executable) + ": " + error.what());
  } catch (...) {
    withdraw(process);
    throw;
  }
  on_started_();
  return process.puid;
}

/// Fills in what every process gets, and makes it.
void JobProcesses::spawn(JobProcess& process, SpawnPlan& plan, const std::vector<const char*>& environment) {
  const auto is = [](std::string_view variable, const char* name) {
    return variable.starts_with(name) && variable.substr(std::string_view(name).size()).starts_with('=');
  };
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

  OutputPipe output = make_output_pipe();
  OutputPipe error = make_output_pipe();
  plan.environment = as_exec_wants(variables);
  plan.output = output.writing.get();
  plan.error = error.writing.get();
  plan.descriptors = settings_.descriptors;

  // Before the process exists: if anything of this fails, nothing has happened, and pipes without writers
  // end.
  const std::string label = settings_.label ? "[" + to_string(process.puid) + "] " : "";
  using Stream = OutputForwarder::Stream;
  forwarder_.add(std::move(output.reading), Stream::out, process.sequence(), label);
  forwarder_.add(std::move(error.reading), Stream::err, process.sequence(), label);
  process.child = spawner_.spawn(plan);
  process.leads_group = plan.group == 0;
}

/// Undoes a start that failed. Its puid is used up.
void JobProcesses::withdraw(JobProcess& process) {
  if (process.index) keeper_.bury(*process.index);
  keeper_.end_process(process.sequence(), not_executed_status);
  processes_.erase(process.sequence());
}

}  // namespace wyvern::agent
