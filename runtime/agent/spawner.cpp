#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/spawner.hpp>

namespace wyvern::agent {
namespace {

constexpr std::size_t stack_bytes = std::size_t{64} << 10;
constexpr int exit_before_exec = 127;

/// Shared with the child, which runs in the agent's memory while the agent is suspended.
struct Child {
  const SpawnPlan& plan;
  pid_t agent;
  const char* failed_step = nullptr;
  int error = 0;
};

int fail(Child& child, const char* step) {
  child.failed_step = step;
  child.error = errno;
  return exit_before_exec;
}

void reset_signals(const sigset_t& spared) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) {
    if (sigismember(&spared, number) != 1) ::sigaction(number, &action, nullptr);  // some refuse: as they are
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The child, until it executes the program. All signals are blocked, so no handler of the agent runs in it.
int run_child(void* argument) {
  auto& child = *static_cast<Child*>(argument);
  const SpawnPlan& plan = child.plan;
  // Die with the agent; if it has died before this was set, at once.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail(child, "setting the parent-death signal");
  if (::getppid() != child.agent) return exit_before_exec;
  if (::setpgid(0, plan.group) != 0) return fail(child, "setting its process group");
  if (plan.directory >= 0 && ::fchdir(plan.directory) != 0)
    return fail(child, "entering its working directory");
  // The plan's descriptors are none of 0, 1, 2, so these cannot overwrite one another. Copies are inherited.
  if (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0 ||
      ::dup2(plan.error, STDERR_FILENO) < 0) {
    return fail(child, "connecting its standard streams");
  }
  ::setrlimit(RLIMIT_NOFILE, &plan.descriptors);
  reset_signals(plan.ignored_signals);
  if (plan.executable >= 0) {
    ::execveat(plan.executable, "", plan.arguments, plan.environment, AT_EMPTY_PATH);
  } else {
    ::execve(plan.path, plan.arguments, plan.environment);
  }
  return fail(child, "executing it");
}

}  // namespace

Spawner::Spawner()
    : stack_(::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1,
                    0)) {
  if (stack_ == MAP_FAILED) throw OutOfMemory(describe_errno("mapping a stack", errno));
}

Spawner::~Spawner() { ::munmap(stack_, stack_bytes); }

pid_t Spawner::spawn(const SpawnPlan& plan) {
  Child child{.plan = plan, .agent = ::getpid()};
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  // Like vfork, with a stack of its own: as fast however much memory the agent has, and exec errors come back
  // in memory.
  const pid_t pid =
      ::clone(&run_child, static_cast<char*>(stack_) + stack_bytes, CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
  const int clone_error = errno;
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) throw SpawnFailed(describe_errno("clone", clone_error));
  if (child.failed_step != nullptr) {
    ::waitpid(pid, nullptr, 0);
    throw SpawnFailed(describe_errno(child.failed_step, child.error));
  }
  return pid;
}

}  // namespace wyvern::agent
