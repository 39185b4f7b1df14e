#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string_view>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/member/agent_watch.hpp>

namespace wyvern {
namespace {

void watch(int agent_pidfd, agent::JobCgroup& cgroup, int stop) {
  pollfd waited[] = {{agent_pidfd, POLLIN, 0}, {stop, POLLIN, 0}};
  while (::poll(waited, 2, -1) < 0 && errno == EINTR) {
  }
  if (waited[1].revents != 0) return;
  constexpr std::string_view message = "wyvern: the agent of this node has died: this process ends\n";
  // Whether it can be said or not: without its agent a process can only hang.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message.data(), message.size());
  cgroup.end(Deadline::after(agent::cgroup_patience));
  ::kill(::getpid(), SIGKILL);
}

}  // namespace

AgentWatch::AgentWatch(FileDescriptor agent_pidfd, agent::JobCgroup& cgroup)
    : agent_pidfd_(std::move(agent_pidfd)), stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!stop_) throw OutOfMemory(describe_errno("eventfd", errno));
  // The program's signals are for the program's threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread(watch, agent_pidfd_.get(), std::ref(cgroup), stop_.get());
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

AgentWatch::~AgentWatch() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

bool AgentWatch::dies_with_parent(int agent_pid) {
  int signal = 0;
  return ::getppid() == agent_pid && ::prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == SIGKILL;
}

}  // namespace wyvern
