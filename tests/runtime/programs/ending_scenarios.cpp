// How jobs end.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

/// Lives past the end of the program, so that no destructor joins it.
void start_and_forget(Process process) {
  static auto* const forgotten = new std::vector<Process>;
  process.start();
  forgotten->push_back(std::move(process));
}

int returns_early(Runtime& runtime, const Arguments&) {
  start_and_forget(runtime.process([] {
    ::usleep(200'000);
    say("the child has finished");
  }));
  return 3;
}

int detached(Runtime& runtime, const Arguments&) {
  Process process = runtime.process(sleep_for_ever);
  process.start();
  process.detach();
  return 4;
}

/// At the end of the job it may still do something.
int detached_one_tidies_up(Runtime& runtime, const Arguments&) {
  auto ready = runtime.make_queue<int>();
  Process process = runtime.process(
      {.node = runtime.nodes()},
      [](Queue<int> queue) {
        sigset_t asked;
        sigemptyset(&asked);
        sigaddset(&asked, SIGTERM);
        ::sigprocmask(SIG_BLOCK, &asked, nullptr);
        queue.put(1);
        int number = 0;
        ::sigwait(&asked, &number);
        say("asked to end by " + std::to_string(number));
      },
      ready);
  process.start();
  process.detach();
  ready.get();
  return 0;
}

/// A process that has left its group, its session and its parent, and heeds what this one does.
void leave_an_orphan() {
  if (const pid_t between = ::fork(); between != 0) {
    ::waitpid(between, nullptr, 0);
    return;
  }
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  sleep_for_ever();
}

/// Ends only by SIGKILL; an orphan that left its group and its parent is there too.
int stubborn(Runtime& runtime, const Arguments&) {
  auto ready = runtime.make_queue<int>();
  Process process = runtime.process(
      {.node = runtime.nodes()},
      [](Queue<int> queue) {
        for (const int number : {SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
        leave_an_orphan();
        queue.put(1);
        sleep_for_ever();
      },
      ready);
  process.start();
  process.detach();
  ready.get();
  say("ready");
  return 5;
}

/// One on each node. Returns when it gets SIGUSR1.
int orphans_everywhere(Runtime& runtime, const Arguments&) {
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &asked, nullptr);
  auto ready = runtime.make_queue<int>();
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    start_and_forget(runtime.process(
        {.node = node},
        [](Queue<int> queue) {
          leave_an_orphan();
          queue.put(1);
          sleep_for_ever();
        },
        ready));
  }
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) ready.get();
  say("ready");
  int number = 0;
  ::sigwait(&asked, &number);
  say("returns");
  return 0;
}

int exit_inside(Runtime& runtime, const Arguments&) {
  start_and_forget(runtime.process(sleep_for_ever));
  ::exit(7);
}

int exec_inside(Runtime& runtime, const Arguments&) {
  start_and_forget(runtime.process(sleep_for_ever));
  ::execlp("true", "true", nullptr);
  return 1;
}

/// Heeds no signal but SIGKILL, nor does its child.
int heeds_nothing(Runtime& runtime, const Arguments&) {
  for (const int number : {SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
  Process process = runtime.process([] {
    for (const int number : {SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
    say("ready");
    sleep_for_ever();
  });
  process.start();
  sleep_for_ever();
}

/// Ends in order when it gets SIGTERM or SIGINT.
int heeds_signals(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<int>();
  Process process = runtime.process(
      [](Queue<int> q) {
        sigset_t wanted;
        sigemptyset(&wanted);
        sigaddset(&wanted, SIGTERM);
        sigaddset(&wanted, SIGINT);
        ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
        say("ready");
        int number = 0;
        ::sigwait(&wanted, &number);
        say("process got " + std::to_string(number));
        q.put(number);
      },
      queue);
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  process.start();
  return queue.get();
}

/// With fibers that wait for a queue of each node, and put one more message while they end.
int leaves_fibers_behind(Runtime& runtime, const Arguments&) {
  auto farewells = runtime.make_queue<int>();
  for (const std::uint32_t node : {1U, runtime.nodes()}) {
    auto queue = runtime.make_queue<int>({.node = node});
    Fiber([queue, farewells, node] {
      try {
        queue.get();
      } catch (const FiberEnded&) {
        farewells.put(static_cast<int>(node));
        say("a fiber was ended");
      }
    }).detach();
  }
  this_fiber::yield();
  return 6;
}

/// The same by exit().
int exits_with_fibers(Runtime& runtime, const Arguments& arguments) {
  ::exit(leaves_fibers_behind(runtime, arguments));
}

/// How many SIGINT have come when a moment has passed without another one.
int count_interrupts(const sigset_t& interrupt) {
  const timespec moment{.tv_sec = 0, .tv_nsec = 300'000'000};
  int count = 0;
  int number = 0;
  for (::sigwait(&interrupt, &number); number == SIGINT;
       number = ::sigtimedwait(&interrupt, nullptr, &moment))
    ++count;
  return count;
}

/// The head and a process say how many SIGINT they get.
int counts_interrupts(Runtime& runtime, const Arguments&) {
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  ::sigprocmask(SIG_BLOCK, &interrupt, nullptr);
  Process process = runtime.process([] {
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, SIGINT);
    ::sigprocmask(SIG_BLOCK, &own, nullptr);
    say("ready");
    say("process got " + std::to_string(count_interrupts(own)));
  });
  process.start();
  const int count = count_interrupts(interrupt);
  process.join();
  say("head got " + std::to_string(count));
  return 0;
}

/// A process runs a pipe in a shell; neither heeds a signal, nor does the head, which says when it has got
/// one.
int stubborn_shell(Runtime& runtime, const Arguments&) {
  ::signal(SIGINT, [](int) {
    constexpr std::string_view text = "interrupted\n";
    [[maybe_unused]] const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
  });
  Process process = runtime.process([] {
    for (const int number : {SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
    ::execlp("sh", "sh", "-c", "echo ready; sleep 1000 | sleep 1000", nullptr);
  });
  process.start();
  sleep_for_ever();
}

}  // namespace

Scenarios ending_scenarios() {
  return {{"detached_one_tidies_up", detached_one_tidies_up},
          {"returns_early", returns_early},
          {"detached", detached},
          {"stubborn", stubborn},
          {"orphans_everywhere", orphans_everywhere},
          {"exit_inside", exit_inside},
          {"exec_inside", exec_inside},
          {"heeds_nothing", heeds_nothing},
          {"heeds_signals", heeds_signals},
          {"leaves_fibers_behind", leaves_fibers_behind},
          {"exits_with_fibers", exits_with_fibers},
          {"counts_interrupts", counts_interrupts},
          {"stubborn_shell", stubborn_shell}};
}

}  // namespace wyvern::test
