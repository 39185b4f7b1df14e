#include "runtime/support/job.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <wyvern/runtime/agent/job_cgroup.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

#include "support/watchdog.hpp"

namespace wyvern::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* marker_variable = "JOB_UNDER_TEST";  // not WYVERN_: doctor would report it
constexpr int hung = -1000;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::map<std::string, std::string> environment_of(pid_t pid) {
  std::map<std::string, std::string> variables;
  std::istringstream text(read_file("/proc/" + std::to_string(pid) + "/environ"));
  for (std::string variable; std::getline(text, variable, '\0');) {
    const auto equals = variable.find('=');
    if (equals != std::string::npos) variables[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  return variables;
}

struct Pipe {
  FileDescriptor reading;
  FileDescriptor writing;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// The two ends of a terminal.
Pipe make_terminal() {
  FileDescriptor screen(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!screen || ::grantpt(screen.get()) != 0 || ::unlockpt(screen.get()) != 0)
    throw std::runtime_error("posix_openpt");
  FileDescriptor inside(::open(::ptsname(screen.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!inside) throw std::runtime_error("the other end of a terminal");
  return {std::move(screen), std::move(inside)};
}

/// The input as a file without a name, so that nobody has to write it.
FileDescriptor make_input(const std::string& text) {
  FILE* file = std::tmpfile();
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
  FileDescriptor input(::fcntl(::fileno(file), F_DUPFD_CLOEXEC, 3));
  ::lseek(input.get(), 0, SEEK_SET);
  std::fclose(file);
  return input;
}

/// What would change what a test sees, if whoever runs it has it set.
bool is_setting(std::string_view name) {
  return name.starts_with("WYVERN_") || name.starts_with("FI_") || name == "NO_COLOR" || name == "TERM";
}

/// This process's own without settings, and those.
std::vector<std::string> variables_for(const std::map<std::string, std::string>& environment) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::string name(text.substr(0, text.find('=')));
    if (!is_setting(name) && !environment.contains(name)) variables.emplace_back(text);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  return variables;
}

int status_from(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto limit = Clock::now() + watchdog_limit();
  while (!condition()) {
    if (Clock::now() > limit) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

/// Collects what comes out of a pipe, on a thread.
class Job::Reader {
 public:
  explicit Reader(FileDescriptor pipe) : pipe_(std::move(pipe)) {}
  ~Reader() {
    if (thread_.joinable()) thread_.join();
  }

  void start() {
    thread_ = std::thread([this] {
      char buffer[4096];
      while (true) {
        const ssize_t count = ::read(pipe_.get(), buffer, sizeof buffer);
        if (count <= 0) break;
        const std::lock_guard lock(mutex_);
        text_.append(buffer, static_cast<std::size_t>(count));
      }
      const std::lock_guard lock(mutex_);
      ended_ = true;
    });
  }

  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  FileDescriptor pipe_;
  mutable std::mutex mutex_;
  std::string text_;
  bool ended_ = false;
  std::thread thread_;
};

Job::Job(How how, std::vector<std::string> command) : Job(how, std::move(command), Options()) {}

Job::Job(How how, std::vector<std::string> command, Options options)
    : marker_(std::to_string(control::random_number())), how_(how) {
  if (how != How::direct) {
    std::vector<std::string> launch{WYVERN_COMMAND, "run"};
    if (how == How::four_nodes) launch.insert(launch.end(), {"--nodes", "4"});
    launch.insert(launch.end(), options.launcher_options.begin(), options.launcher_options.end());
    launch.emplace_back("--");
    command.insert(command.begin(), launch.begin(), launch.end());
  }
  options.environment[marker_variable] = marker_;
  std::vector<std::string> variables = variables_for(options.environment);

  std::vector<char*> argv;
  for (std::string& argument : command) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);

  Pipe out = make_pipe();
  Pipe err = options.terminal ? make_terminal() : make_pipe();
  const FileDescriptor input = make_input(options.input);
  pid_ = ::fork();
  if (pid_ == 0) {
    if (options.terminal) {
      ::setsid();
      ::ioctl(err.writing.get(), TIOCSCTTY, 0);
    } else {
      ::setpgid(0, 0);
    }
    ::dup2(options.terminal ? err.writing.get() : input.get(), STDIN_FILENO);
    ::dup2(out.writing.get(), STDOUT_FILENO);
    ::dup2(err.writing.get(), STDERR_FILENO);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(126);
  }
  if (options.terminal) terminal_ = FileDescriptor(::fcntl(err.reading.get(), F_DUPFD_CLOEXEC, 3));
  out_ = std::make_unique<Reader>(std::move(out.reading));
  err_ = std::make_unique<Reader>(std::move(err.reading));
  if (options.read_output) out_->start();
  err_->start();
}

Job::~Job() {
  // Killing the agent ends its processes; those are seen again until they are gone.
  bool killed = false;
  eventually([&] {
    const auto left = processes();
    for (const SeenProcess& process : left) ::kill(process.pid, SIGKILL);
    killed |= !left.empty();
    return left.empty();
  });
  if (killed) agent::JobCgroup::end_left_over();
  if (pid_ != 0) ::waitpid(pid_, nullptr, 0);
}

int Job::wait() {
  if (pid_ == 0) return status_;
  int wait_status = 0;
  const bool ended = eventually([&] { return ::waitpid(pid_, &wait_status, WNOHANG) != 0; });
  if (!ended) return hung;
  pid_ = 0;
  status_ = eventually([this] { return out_->ended() && err_->ended(); }) ? status_from(wait_status) : hung;
  return status_;
}

void Job::type(const std::string& text) {
  if (::write(terminal_.get(), text.data(), text.size()) < 0)
    throw std::runtime_error("writing to a terminal");
}

void Job::start_reading() { out_->start(); }

std::string Job::output() const { return out_->text(); }
std::string Job::error() const { return err_->text(); }

std::vector<std::string> Job::output_lines() const {
  std::vector<std::string> lines;
  std::istringstream text(output());
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool Job::output_has(const std::string& text) const {
  return eventually([&] { return output().find(text) != std::string::npos; });
}

bool Job::error_has(const std::string& text) const {
  return eventually([&] { return error().find(text) != std::string::npos; });
}

std::vector<SeenProcess> Job::processes() const {
  std::vector<SeenProcess> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  while (const dirent* entry = ::readdir(folder.get())) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0 || pid == ::getpid()) continue;
    auto environment = environment_of(pid);  // empty for one that has ended and waits to be reaped
    const auto marker = environment.find(marker_variable);
    if (marker == environment.end() || marker->second != marker_) continue;
    std::string name = read_file("/proc/" + std::to_string(pid) + "/comm");
    if (!name.empty()) name.pop_back();
    found.push_back({.pid = pid, .name = std::move(name), .environment = std::move(environment)});
  }
  return found;
}

pid_t Job::agent() const {
  for (const SeenProcess& process : processes()) {
    if (process.name == "wyvern-agent") return process.pid;
  }
  return 0;
}

pid_t Job::head() const { return how_ == How::direct ? pid_ : launched_head(); }

pid_t Job::launched_head() const {
  for (const SeenProcess& process : processes()) {
    const auto ticket = process.environment.find(control::ticket_variable);
    if (ticket != process.environment.end() && ticket->second.ends_with(":0")) return process.pid;
  }
  return 0;
}

std::string Job::socket_name() const {
  for (const SeenProcess& process : processes()) {
    const auto name = process.environment.find(control::agent_variable);
    if (name != process.environment.end()) return name->second;
  }
  return {};
}

bool Job::gone(const std::string& socket) const {
  return processes().empty() &&
         (socket.empty() || read_file("/proc/net/unix").find(socket) == std::string::npos);
}

}  // namespace wyvern::test
