// Starting, joining, signalling.
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <iostream>
#include <stdexcept>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

void print_puids() { say(to_string(this_process::puid()) + " parent " + to_string(this_process::parent())); }

int puids(Runtime& runtime, const Arguments& arguments) {
  print_puids();
  for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
    Process process = runtime.process(print_puids);
    process.start();
    if (process.join() != 0) return 1;
  }
  return 0;
}

/// Twice, and with a deadline that has passed: the status stays.
int exit_statuses(Runtime& runtime, const Arguments&) {
  for (const int wanted : {0, 1, 42, 255}) {
    Process process = runtime.process([](int status) { return status; }, wanted);
    process.start();
    const int first = process.join();
    say("exit " + std::to_string(first) + " " + std::to_string(process.join()) + " " +
        std::to_string(process.try_join_for(std::chrono::seconds(0)).value_or(-1)));
  }
  for (const int wanted : {SIGTERM, SIGABRT, SIGSEGV}) {
    Process process = runtime.process(
        [](int number) {
          ::signal(number, SIG_DFL);
          ::raise(number);
        },
        wanted);
    process.start();
    say("signal " + std::to_string(process.join()));
  }
  return 0;
}

int head_status(Runtime&, const Arguments& arguments) { return std::stoi(arguments.at(0)); }

int head_signal(Runtime&, const Arguments& arguments) {
  ::signal(std::stoi(arguments.at(0)), SIG_DFL);
  ::raise(std::stoi(arguments.at(0)));
  return 0;
}

/// A process with a child of its own, a plain program: both end by kill.
int kill_group(Runtime& runtime, const Arguments&) {
  auto ready = runtime.make_queue<int>();
  Process process = runtime.process(
      {.node = runtime.nodes()},
      [](Queue<int> queue) {
        const pid_t grandchild = ::fork();
        if (grandchild == 0) sleep_for_ever();
        queue.put(grandchild);
        sleep_for_ever();
      },
      ready);
  process.start();
  const pid_t grandchild = ready.get();
  say(process.is_alive() ? "alive" : "dead");
  say(process.try_join_for(std::chrono::milliseconds(20)) ? "joined" : "not in time");
  process.kill();
  say("status " + std::to_string(process.join()));
  say(process.is_alive() ? "alive" : "dead");
  while (::kill(grandchild, 0) == 0) ::usleep(1000);  // the watchdog of the test is the limit
  say("grandchild gone");
  return 0;
}

int terminate(Runtime& runtime, const Arguments&) {
  Process process = runtime.process({.node = runtime.nodes()}, sleep_for_ever);
  process.start();
  process.terminate();
  const int status = process.join();
  process.terminate();  // of no effect after the end
  say("status " + std::to_string(status));
  return 0;
}

/// When its object has gone, by its end or because another took its place, a process has ended; unless it was
/// detached.
int destructor_joins(Runtime& runtime, const Arguments&) {
  const auto start = [&](Process& process) {
    process = runtime.process({.node = runtime.nodes()}, [] { ::usleep(50'000); });
    process.start();
    return process.puid();
  };
  const auto has_ended = [](Puid puid) { return try_join_for(std::chrono::seconds(0), puid).has_value(); };
  Puid first;
  Puid second;
  {
    Process process = runtime.process([] {});
    first = start(process);
    second = start(process);
    say(has_ended(first) ? "the first has ended" : "the first goes on");
  }
  say(has_ended(second) ? "the second has ended" : "the second goes on");
  Puid detached;
  {
    Process process = runtime.process({.node = runtime.nodes()}, sleep_for_ever);
    process.start();
    process.detach();
    detached = process.puid();
  }
  say(has_ended(detached) ? "the detached one has ended" : "the detached one goes on");
  return 0;
}

template <class Exception, class Function>
void expect_throw(const std::string& what, Function&& function) {
  try {
    function();
    say(what + ": no exception");
  } catch (const Exception&) {
    say(what + ": refused");
  }
}

int misuse(Runtime& runtime, const Arguments&) {
  Process process = runtime.process([] {});
  expect_throw<InvalidArgument>("puid before start", [&] { (void)process.puid(); });
  expect_throw<InvalidArgument>("join before start", [&] { process.join(); });
  expect_throw<InvalidArgument>("kill before start", [&] { process.kill(); });
  process.start();
  expect_throw<InvalidArgument>("second start", [&] { process.start(); });
  expect_throw<InvalidArgument>("join of nobody", [&] { join(Puid(4294967296 + 1000)); });
  expect_throw<InvalidArgument>("join of another node", [&] { join(Puid(2 * 4294967296)); });
  expect_throw<InvalidArgument>("join of oneself", [&] { join(runtime.puid()); });
  expect_throw<InvalidArgument>("nested run", [&] {
    char name[] = "nested";
    char* argv[] = {name, nullptr};
    run(1, argv, [](Runtime&) {});
  });
  return 0;
}

int join_by_puid(Runtime& runtime, const Arguments&) {
  Process sleeper = runtime.process(sleep_for_ever);
  sleeper.start();
  Process joiner = runtime.process(
      [](std::uint64_t puid) { say("joined " + std::to_string(join(Puid(puid)))); }, sleeper.puid().value());
  joiner.start();
  sleeper.kill();
  return joiner.join();
}

/// The middle one has gone when the last one uses the queue that it was handed.
void last(Queue<std::string> queue) {
  join(this_process::parent());
  queue.put("from " + to_string(this_process::puid()) + " started by " + to_string(this_process::parent()));
}
void middle(Queue<std::string> queue) {
  Process process = this_process::runtime().process(last, queue);
  process.start();
  ::_exit(0);  // without a destructor that would join
}
int nested(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<std::string>();
  Process process = runtime.process(middle, queue);
  process.start();
  process.join();
  say(queue.get());
  return 0;
}

int fork_is_no_member(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<int>();
  const pid_t child = ::fork();
  if (child == 0) {
    expect_throw<NotAMember>("puid", [] { this_process::puid(); });
    expect_throw<NotAMember>("put", [&] { queue.put(1); });
    expect_throw<NotAMember>("make_queue", [&] { runtime.make_queue<int>(); });
    expect_throw<NotAMember>("process", [&] { runtime.process([] {}); });
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  queue.put(1);
  say("parent got " + std::to_string(queue.get()));
  return 0;
}

/// The program's file may not be executed any more.
int spawn_failed(Runtime& runtime, const Arguments&) {
  char path[PATH_MAX] = {};
  if (::readlink("/proc/self/exe", path, sizeof path - 1) < 0 || ::chmod(path, 0600) != 0) return 1;
  Process process = runtime.process([] {});
  try {
    process.start();
  } catch (const SpawnFailed& error) {
    say(error.what());
  }
  expect_throw<InvalidArgument>("puid", [&] { (void)process.puid(); });
  ::chmod(path, 0700);
  process.start();
  say("status " + std::to_string(process.join()) + " of " + to_string(process.puid()));
  return 0;
}

int inheritance(Runtime& runtime, const Arguments& arguments) {
  ::setenv("INHERITED", "yes", 1);
  if (::chdir("/usr") != 0) return 1;
  Process process = runtime.process(
      [](std::string first_argument) {
        char folder[PATH_MAX] = {};
        char name[32] = {};
        std::FILE* comm = std::fopen("/proc/self/comm", "r");
        if (comm == nullptr || std::fscanf(comm, "%31s", name) != 1) return 1;
        std::fclose(comm);
        say(std::string(::getenv("INHERITED")) + " " + ::getcwd(folder, sizeof folder) + " " + name + " " +
            first_argument);
        say("stdin ends " + std::to_string(std::getchar()));
        return 0;
      },
      arguments.at(0));
  process.start();
  return process.join();
}

/// A program that the head runs as any other joins the job.
int join_by_environment(Runtime&, const Arguments&) {
  print_puids();
  std::cout.flush();
  return WEXITSTATUS(
      std::system((std::string("/proc/") + std::to_string(::getpid()) + "/exe puids 0").c_str()));
}

int throw_in_head(Runtime&, const Arguments&) { throw std::runtime_error("a head's mistake"); }

int throw_in_process(Runtime& runtime, const Arguments&) {
  struct Odd {};
  Process first = runtime.process([] { throw QueueClosed("a process's mistake"); });
  Process second = runtime.process([] { throw Odd(); });
  first.start();
  say("status " + std::to_string(first.join()));
  second.start();
  say("status " + std::to_string(second.join()));
  return 0;
}

int many(Runtime& runtime, const Arguments& arguments) {
  auto queue = runtime.make_queue<int>();
  std::vector<Process> processes;
  for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
    processes.push_back(runtime.process([](Queue<int> q) { return q.get() == 1 ? 0 : 1; }, queue));
    queue.put(1);
  }
  for (Process& process : processes) process.start();
  int failed = 0;
  for (Process& process : processes) failed += process.join();
  return failed;
}

}  // namespace

Scenarios process_scenarios() {
  return {{"puids", puids},
          {"exit_statuses", exit_statuses},
          {"head_status", head_status},
          {"head_signal", head_signal},
          {"kill_group", kill_group},
          {"terminate", terminate},
          {"destructor_joins", destructor_joins},
          {"misuse", misuse},
          {"join_by_puid", join_by_puid},
          {"nested", nested},
          {"fork_is_no_member", fork_is_no_member},
          {"spawn_failed", spawn_failed},
          {"inheritance", inheritance},
          {"join_by_environment", join_by_environment},
          {"throw_in_head", throw_in_head},
          {"throw_in_process", throw_in_process},
          {"many", many},
          {"run_twice", [](Runtime&, const Arguments&) { return 0; }}};
}

}  // namespace wyvern::test
