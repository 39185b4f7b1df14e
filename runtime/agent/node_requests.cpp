#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <exception>
#include <optional>
#include <utility>

#include <wyvern/runtime/agent/node_requests.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::agent {
namespace {

FileDescriptor open_there(const std::string& path, int flags) {
  FileDescriptor fd(::open(path.c_str(), O_PATH | O_CLOEXEC | flags));
  if (!fd) {
    throw SpawnFailed(describe_errno("opening " + path + " on the node where the process is to run", errno) +
                      "; program and working directory have to lie at the same place on every node");
  }
  return fd;
}

/// What a starter on another node must not ask for.
void check_comes_from_afar(const node_request::Start& start, const control::StartPayload& content) {
  for (const StandardStream* stream : {&content.input(), &content.output(), &content.error()}) {
    if (stream->kind() == StandardStream::Kind::piped)
      throw InvalidArgument("a pipe does not lead to another node");
  }
  if (start.directory.empty() && *content.directory() == '\0')
    throw InvalidArgument("a process is to be started on another node without a working directory");
}

node_request::NamedObject named(const std::optional<ObjectReference>& object) {
  return object ? node_request::NamedObject{.id = object->id.value(), .index = object->index}
                : node_request::NamedObject{};
}

}  // namespace

NodeRequests::NodeRequests(JobProcesses& processes, JobNames& names, Hooks hooks)
    : processes_(processes), names_(names), hooks_(std::move(hooks)) {}

void NodeRequests::handle(const GuestRequest& request) {
  try {
    Waiting waiting{.request = {.guest = request.guest,
                                .process = request.process,
                                .operation = request.operation,
                                .bytes = {}},
                    .what = decode_from<node_request::Any>(request.bytes)};
    if (!try_answer(waiting)) waiting_.push_back(std::move(waiting));
  } catch (const Error& error) {
    hooks_.refuse(request, error);
  } catch (const std::exception& error) {
    hooks_.refuse(request, InvalidArgument(error.what()));
  }
}

bool NodeRequests::try_answer(const Waiting& waiting) {
  return std::visit([&](const auto& what) { return carry_out(waiting.request, what); }, waiting.what);
}

void NodeRequests::cancel(std::uint64_t guest, std::uint32_t operation) {
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const GuestRequest& request = waiting.request;
    if (request.guest != guest || (operation != 0 && request.operation != operation)) return false;
    if (operation != 0) hooks_.answer(request, {});  // which tells that nothing more comes
    return true;
  });
}

void NodeRequests::answer_waiting() {
  for (auto waiting = waiting_.begin(); waiting != waiting_.end();) {
    const auto current = waiting++;
    try {
      if (!try_answer(*current)) continue;
    } catch (const Error& error) {
      hooks_.refuse(current->request, error);
    }
    waiting_.erase(current);
  }
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::Start& start) {
  if (hooks_.refuses_starts())
    throw SpawnFailed("the job is coming to its end: no process is started any more");
  FileDescriptor payload = control::write_start_payload(start.payload);
  check_comes_from_afar(start, control::StartPayload(payload.get()));
  const FileDescriptor program = start.program.empty() ? FileDescriptor() : open_there(start.program, 0);
  const FileDescriptor directory =
      start.directory.empty() ? FileDescriptor() : open_there(start.directory, O_DIRECTORY);
  const auto started = processes_.start(request.process, std::move(payload), program, directory);
  hooks_.answer(request, node_request::encode(started.puid.value()));
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::Signal& signal) {
  if (signal.signal < 0 || signal.signal >= NSIG)
    throw InvalidArgument("there is no signal " + std::to_string(signal.signal));
  processes_.send_signal(Puid(signal.puid), signal.signal);
  hooks_.answer(request, {});
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::Detach& detach) {
  processes_.detach(Puid(detach.puid));
  hooks_.answer(request, {});
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::WaitForExit& wait) {
  const auto status = processes_.status_of(Puid(wait.puid));
  if (!status && !wait.is_now) return false;
  hooks_.answer(request, node_request::encode(status));
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::WaitForAnyExit& wait) {
  if (wait.puids.empty()) throw InvalidArgument("there is no process to wait for");
  std::optional<std::uint64_t> ended;
  for (std::uint64_t place = 0; place < wait.puids.size(); ++place) {
    const bool has_ended = processes_.status_of(Puid(wait.puids[place])).has_value();  // each is checked
    if (has_ended && !ended) ended = place;
  }
  if (!ended && !wait.is_now) return false;
  hooks_.answer(request, node_request::encode(ended));
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::WaitUntilReady& wait) {
  const JobProcess* const process = processes_.find(Puid(wait.puid));
  if (process != nullptr && !process->is_ready) return false;
  hooks_.answer(request, {});
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::FindName& find) {
  const auto found = names_.find(find.name);
  if (!found && !find.is_now) return false;
  hooks_.answer(request, node_request::encode(named(found)));
  return true;
}

bool NodeRequests::carry_out(const GuestRequest& request, const node_request::BindName& bind) {
  const ObjectReference object{.id = ObjectId(bind.id), .index = bind.index};
  hooks_.answer(request,
                node_request::encode(named(names_.bind(bind.name, object, ObjectId(bind.instead_of)))));
  return true;
}

}  // namespace wyvern::agent
