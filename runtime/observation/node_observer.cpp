#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/core/process_stat.hpp>
#include <wyvern/runtime/observation/node_observer.hpp>

namespace wyvern::observation {
namespace {

std::string folder_of(pid_t process) { return "/proc/" + std::to_string(process); }

/// As the kernel shows the file that Segment::create makes.
bool is_segment(const std::string& link) {
  constexpr std::string_view shown = "/memfd:wyvern-segment";
  char target[64];
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
  return length > 0 && std::string_view(target, static_cast<std::size_t>(length)).starts_with(shown);
}

/// The agent's own descriptor of its segment, opened anew and for reading only; invalid: it has none.
FileDescriptor open_segment(pid_t agent) {
  const std::string folder = folder_of(agent) + "/fd";
  const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(::opendir(folder.c_str()), &::closedir);
  if (descriptors == nullptr) {
    if (errno == ENOENT || errno == ESRCH) return {};
    throw NotFound(describe_errno("looking at the agent with pid " + std::to_string(agent), errno) +
                   "; a job whose program runs with other rights is seen by root alone");
  }
  while (const dirent* entry = ::readdir(descriptors.get())) {
    const std::string link = folder + "/" + entry->d_name;
    if (!is_segment(link)) continue;
    FileDescriptor segment(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
    if (!segment && errno != ENOENT && errno != ESRCH)
      throw NotFound(
          describe_errno("opening the segment of the agent with pid " + std::to_string(agent), errno));
    return segment;
  }
  return {};
}

/// A process that an agent is about to start looks like it, and has its descriptors, until it executes.
bool is_own(const ObservedSegment& segment, pid_t agent) {
  std::ifstream lines(folder_of(agent) + "/status");
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("NSpid:")) continue;  // its pids, from this namespace's to its own
    std::uint32_t pid = 0;
    std::from_chars(line.data() + line.find_last_of(" \t") + 1, line.data() + line.size(), pid);
    return pid == segment.agent_pid();
  }
  return false;
}

/// Waits for the segment of an agent that is just coming up. False: it does not come to be.
bool is_made(const FileDescriptor& segment) {
  constexpr int looks = 20;
  constexpr std::chrono::milliseconds between_looks{5};
  for (int look = 0; look < looks; ++look) {
    if (look > 0) std::this_thread::sleep_for(between_looks);
    std::uint64_t magic = 0;  // written last
    if (::pread(segment.get(), &magic, sizeof magic, 0) == sizeof magic && magic != 0) return true;
  }
  return false;
}

std::uint64_t pid_namespace_of(pid_t process) {
  struct stat status {};
  return ::stat((folder_of(process) + "/ns/pid").c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

std::string state_word(char state) {
  switch (state) {
    case 'R': return "running";
    case 'S':
    case 'I': return "sleeping";
    case 'D': return "in the kernel";
    case 'T': return "stopped";
    case 't': return "traced";
    case 'Z':
    case 'X': return "ended";
    default: return "unknown";
  }
}

std::unique_ptr<NodeObserver> NodeObserver::of_agent(pid_t agent) {
  FileDescriptor pidfd = open_pidfd(agent);
  if (!pidfd) return nullptr;
  FileDescriptor segment = open_segment(agent);
  if (!segment || !is_made(segment)) return nullptr;
  try {
    std::unique_ptr<NodeObserver> observer(new NodeObserver(agent, std::move(pidfd), std::move(segment)));
    const bool is_agent = is_own(observer->segment(), agent);
    // Last: until then the pid was not another's.
    return !is_agent || observer->has_ended() ? nullptr : std::move(observer);
  } catch (const VersionMismatch& error) {
    throw VersionMismatch("the job of the agent with pid " + std::to_string(agent) +
                          " cannot be looked at: " + error.what());
  }
}

NodeObserver::NodeObserver(pid_t agent, FileDescriptor pidfd, FileDescriptor segment)
    : agent_(agent),
      pidfd_(std::move(pidfd)),
      segment_(std::move(segment), channels_layout_hash),
      pid_namespace_(pid_namespace_of(agent)),
      knows_pids_(segment_.agent_pid() == static_cast<std::uint32_t>(agent)) {}

bool NodeObserver::has_ended() const {
  pollfd waited{pidfd_.get(), POLLIN, 0};
  return ::poll(&waited, 1, 0) == 1;
}

NodeFigures NodeObserver::observe() const {
  NodeFigures figures{.node = segment_.node(),
                      .agent = agent_,
                      .memory = segment_.committed_bytes(),
                      .memory_ceiling = segment_.memory_ceiling(),
                      .processes = {},
                      .queues = {}};
  for (std::uint32_t index = 0; index < max_processes; ++index) {
    const ProcessEntry& entry = segment_.process(index);
    // Acquire: the pid is that of the process, or of the next one if the entry was given out again.
    const Puid puid(entry.puid.load(std::memory_order_acquire));
    if (!puid || puid.sequence() == agent_sequence) continue;
    const auto pid = static_cast<pid_t>(entry.os_pid.load(std::memory_order_acquire));
    if (entry.puid.load(std::memory_order_relaxed) != puid.value()) continue;
    figures.processes.push_back(observe_process(puid, pid));
  }
  const std::uint32_t objects = segment_.objects();
  for (std::uint32_t object = 0; object < objects; ++object) {
    if (auto queue = observe_channel(segment_, object)) figures.queues.push_back(*std::move(queue));
  }
  return figures;
}

ProcessFigures NodeObserver::observe_process(Puid puid, pid_t pid) const {
  ProcessFigures process{.puid = puid, .pid = pid, .name = {}, .state = pid == 0 ? "starting" : "unknown"};
  if (pid == 0 || !knows_pids_) return process;
  if (auto stat = read_process_stat(pid)) {
    process.name = std::move(stat->name);
    process.state = state_word(stat->state);
  }
  return process;
}

std::string NodeObserver::head_name() const {
  if (segment_.node() != head_node || !knows_pids_) return {};
  for (std::uint32_t index = 0; index < max_processes; ++index) {
    const Puid puid(segment_.process(index).puid.load(std::memory_order_acquire));
    if (!puid || puid.sequence() != 0) continue;
    const auto stat =
        read_process_stat(static_cast<pid_t>(segment_.process(index).os_pid.load(std::memory_order_acquire)));
    return stat ? stat->name : "";
  }
  return {};
}

}  // namespace wyvern::observation
