#include "child.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "threads.hpp"

namespace wyvern::test {
namespace {

constexpr int status_of_exception = 99;

int exit_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? -WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int wait_for(pid_t pid, int flags, int& status) {
  pid_t result = 0;
  do {
    result = ::waitpid(pid, &status, flags);
  } while (result < 0 && errno == EINTR);
  if (result < 0) throw std::system_error(errno, std::generic_category(), "waitpid");
  return result;
}

int run(const std::function<int()>& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child %d: %s\n", static_cast<int>(::getpid()), error.what());
    return status_of_exception;
  }
}

#ifdef __SANITIZE_ADDRESS__
/// The address sanitizer does not look after its allocator's locks in a fork: a child of a process in which a
/// thread allocates at that moment waits for ever. Waits until the other threads sleep, a second at most.
void let_other_threads_settle() {
  const auto is_busy = [] {
    for (const pid_t thread : threads_of_this_process()) {
      if (thread == ::gettid()) continue;
      if (state_of("self", thread) == 'R') return true;
    }
    return false;
  };
  for (int look = 0; look < 1000 && is_busy(); ++look) ::usleep(1000);
}
#else
void let_other_threads_settle() {}
#endif

}  // namespace

Child::Child(const std::function<int()>& work) {
  const pid_t parent = ::getpid();
  std::fflush(nullptr);
  let_other_threads_settle();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ > 0) return;
  // Where it is stopped, it is alone: a group without anybody who could continue it, with a stopped process
  // in it, is hung up by the kernel, and the group of all tests is such a one where there is no terminal.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(status_of_exception);
  ::_exit(run(work));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_), stopped_(other.stopped_) {}

Child::~Child() {
  if (pid_ < 0 || status_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

bool Child::sleeps() const {
  if (status_) return false;  // nobody else waits for it: until then it is there
  const std::string process = std::to_string(pid_);
  const std::vector<pid_t> threads = threads_of(process);
  return std::all_of(threads.begin(), threads.end(),
                     [&](pid_t thread) { return state_of(process, thread) == 'S'; });
}

void Child::send(int signal) {
  if (status_) return;
  stopped_ = false;
  ::kill(pid_, signal);
}

int Child::wait() {
  int status = 0;
  if (!status_ && wait_for(pid_, 0, status) == pid_) status_ = exit_status(status);
  return *status_;
}

std::optional<int> Child::poll() {
  int status = 0;
  if (!status_ && wait_for(pid_, WNOHANG | WUNTRACED, status) == pid_) {
    if (WIFSTOPPED(status)) {
      stopped_ = true;
    } else {
      status_ = exit_status(status);
    }
  }
  return status_;
}

std::optional<int> Child::wait_until_stopped() {
  int status = 0;
  if (status_) return std::nullopt;
  wait_for(pid_, WUNTRACED, status);
  if (WIFSTOPPED(status)) {
    stopped_ = true;
    return WSTOPSIG(status);
  }
  status_ = exit_status(status);
  return std::nullopt;
}

bool Child::stopped() {
  poll();
  return stopped_;
}

}  // namespace wyvern::test
