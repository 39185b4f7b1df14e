// Processes and queues over several nodes.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/protocol/node_requests.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

template <class Function>
void say_error(const std::string& what, Function&& function) {
  try {
    function();
    say(what + ": no exception");
  } catch (const Error& error) {
    say(what + ": " + std::string(to_string(error.code())));
  }
}

int statuses_of_other_nodes(Runtime& runtime, const Arguments&) {
  for (const int wanted : {0, 42, 255}) {
    Process process = runtime.process(
        {.node = 2}, [](int status) { return status; }, wanted);
    process.start();
    const int first = process.join();
    say("exit " + std::to_string(first) + " " + std::to_string(process.join()) + " " +
        std::to_string(process.try_join_for(std::chrono::seconds(0)).value_or(-1)));
  }
  Process aborts = runtime.process({.node = 3}, [] {
    ::signal(SIGABRT, SIG_DFL);
    ::raise(SIGABRT);
  });
  aborts.start();
  say("signal " + std::to_string(aborts.join()) + " of node " + std::to_string(aborts.puid().node()));
  return 0;
}

/// What no Process asks of the agent of another node.
int asked_of_another_agent(Runtime& runtime, const Arguments&) {
  const std::shared_ptr<Member> member = Member::current();
  const std::uint32_t there = runtime.nodes();
  const auto ask = [&](const std::string& what, const node_request::Any& request) {
    say_refusal<InvalidArgument>(what, [&] {
      remote_access(member, there).ask_agent(there, node_request::encode(request), WaitLimit::never());
    });
  };
  const auto start = [](StandardStream output, const std::string& directory) {
    const control::StartContent content{
        .arguments = {"x"}, .environment = {}, .output = std::move(output), .entry = {}, .references = {}};
    return node_request::Start{
        .payload = control::encode_start_payload(content), .program = program_path(), .directory = directory};
  };
  ask("pipe", start(StandardStream::piped(), "/"));
  ask("no folder", start(StandardStream::null(), ""));
  ask("any of none", node_request::WaitForAnyExit{.puids = {}, .is_now = true});
  Process ended = runtime.process({.node = there}, [] {});
  ended.start();
  ended.join();
  const std::uint64_t never_started = Puid::make(0, there, 1001).value();
  ask("any of one that ended and none",
      node_request::WaitForAnyExit{.puids = {ended.puid().value(), never_started}, .is_now = true});
  return 0;
}

int signals_to_other_nodes(Runtime& runtime, const Arguments&) {
  Process process = runtime.process({.node = 2}, sleep_for_ever);
  process.start();
  say(process.is_alive() ? "alive" : "dead");
  say(process.try_join_for(std::chrono::milliseconds(20)) ? "joined" : "not in time");
  process.terminate();
  say("status " + std::to_string(process.join()));
  say(process.is_alive() ? "alive" : "dead");
  process.kill();  // of no effect after the end
  Process detached = runtime.process({.node = 3}, sleep_for_ever);
  detached.start();
  detached.detach();
  return 0;
}

int misuse_of_nodes(Runtime& runtime, const Arguments&) {
  say_error("process on node 9", [&] { (void)runtime.process({.node = 9}, [] {}); });
  say_error("queue on node 9", [&] { runtime.make_queue<int>({.node = 9}); });
  say_error("join of nobody", [] { join(Puid::make(0, 2, 1000)); });
  say_error("join of a head that is none", [] { join(Puid::make(0, 2, 0)); });
  return 0;
}

int join_across_nodes(Runtime& runtime, const Arguments&) {
  Process sleeper = runtime.process({.node = 2}, sleep_for_ever);
  sleeper.start();
  Process joiner = runtime.process(
      {.node = 3}, [](std::uint64_t puid) { say("joined " + std::to_string(join(Puid(puid)))); },
      sleeper.puid().value());
  joiner.start();
  sleeper.kill();
  return joiner.join();
}

int inheritance_across_nodes(Runtime& runtime, const Arguments&) {
  ::setenv("INHERITED", "yes", 1);
  if (::chdir("/usr") != 0) return 1;
  Process process = runtime.process({.node = 2}, [] {
    char folder[PATH_MAX] = {};
    say(std::string(::getenv("INHERITED")) + " " + ::getcwd(folder, sizeof folder) + " parent " +
        to_string(this_process::parent()) + " node " + std::to_string(this_process::runtime().node()) +
        " of " + std::to_string(this_process::runtime().nodes()));
  });
  process.start();
  return process.join();
}

/// The queue is nobody's but an argument's, until the process has it.
int handle_that_travels_alone(Runtime& runtime, const Arguments&) {
  auto results = runtime.make_queue<int>();
  for (std::uint32_t home = 1; home <= runtime.nodes(); ++home) {
    auto queue = std::make_optional(runtime.make_queue<int>({.node = home}));
    queue->put(static_cast<int>(home));
    queue->flush();
    for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
      Process process = runtime.process(
          {.node = node},
          [](Queue<int> mine, Queue<int> out) {
            const int number = mine.get();
            out.put(number);
            mine.put(number);
            mine.flush();
          },
          *queue, results);
      if (node == runtime.nodes()) queue.reset();
      process.start();
      if (process.join() != 0) return 1;
    }
  }
  int sum = 0;
  for (std::uint32_t i = 0; i < runtime.nodes() * runtime.nodes(); ++i) sum += results.get();
  say("sum " + std::to_string(sum));
  return 0;
}

/// Three rounds over all nodes, each of which has the queue of one member.
int token_ring(Runtime& runtime, const Arguments&) {
  constexpr int rounds = 3;
  std::vector<Queue<int>> places;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node)
    places.push_back(runtime.make_queue<int>({.node = node}));
  std::vector<Process> members;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    members.push_back(runtime.process(
        {.node = node},
        [](Queue<int> mine, Queue<int> next) {
          for (int round = 0; round < rounds; ++round) next.put(mine.get() + 1);
          next.flush();
        },
        places[node - 1], places[node % runtime.nodes()]));
    members.back().start();
  }
  places.front().put(0);
  for (Process& member : members) {
    if (member.join() != 0) return 1;
  }
  say("token " + std::to_string(places.front().get()));
  return 0;
}

/// Each starts two more, wherever it is their turn, to that depth.
void descend(int depth, Queue<std::uint64_t> puids) {
  puids.put(this_process::puid().value());
  puids.flush();
  if (depth == 0) return;
  std::vector<Process> children;
  for (int i = 0; i < 2; ++i) {
    children.push_back(this_process::runtime().process(descend, depth - 1, puids));
    children.back().start();
  }
  for (Process& child : children) child.join();
}
int recursive(Runtime& runtime, const Arguments&) {
  auto puids = runtime.make_queue<std::uint64_t>();
  Process process = runtime.process(descend, 3, puids);
  process.start();
  if (process.join() != 0) return 1;
  std::set<std::uint64_t> all;
  std::set<std::uint32_t> nodes;
  while (const auto puid = puids.try_get()) {
    all.insert(*puid);
    nodes.insert(Puid(*puid).node());
  }
  say(std::to_string(all.size()) + " processes on " + std::to_string(nodes.size()) + " nodes");
  return 0;
}

int names_across_nodes(Runtime& runtime, const Arguments&) {
  auto answers = runtime.make_queue<std::string>();
  // Waits for a name that comes to be on another node than the one that keeps names, and the other way round.
  Process waits = runtime.process(
      {.node = 3},
      [](Queue<std::string> out) {
        Runtime here = this_process::runtime();
        if (here.try_open_queue_for<int>(std::chrono::milliseconds(10), "nobody")) return 1;
        out.put("waiting");
        here.open_queue<int>("second").put(2);
        here.open_queue<int>("first").put(1);
        try {
          here.make_queue<int>({.name = "first"});
        } catch (const InvalidArgument&) {
          out.put("taken");
        }
        return 0;
      },
      answers);
  waits.start();
  answers.get();
  auto second = std::make_optional(runtime.make_queue<int>({.node = 2, .name = "second"}));
  auto first = runtime.make_queue<int>({.name = "first"});
  say("got " + std::to_string(second->get()) + " and " + std::to_string(first.get()) + ", " + answers.get());
  if (waits.join() != 0) return 1;
  say_error("of another type", [&] { runtime.open_queue<std::string>("second"); });
  say_error("again", [&] { runtime.make_queue<int>({.node = 3, .name = "second"}); });
  second.reset();
  // Its home has to notice that nobody has it.
  std::optional<Queue<int>> anew;
  while (!anew) {
    try {
      anew = runtime.make_queue<int>({.node = 3, .name = "second"});
    } catch (const InvalidArgument&) {
      ::usleep(1000);  // the watchdog of the test is the limit
    }
  }
  anew->put(5);
  say("anew " + std::to_string(runtime.open_queue<int>("second").get()) + " on node " +
      std::to_string(anew->id().node()));
  return 0;
}

/// What this process shares with others: the inodes of mappings whose path has that text.
std::vector<std::uint64_t> shared_mappings(const std::string& text) {
  std::set<std::uint64_t> inodes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::array<char, 8> permissions{};
    unsigned long long inode = 0;
    const bool is_read = std::sscanf(line.c_str(), "%*s %7s %*s %*s %llu", permissions.data(), &inode) == 2;
    if (is_read && permissions[3] == 's' && inode != 0 && line.find(text) != std::string::npos)
      inodes.insert(inode);
  }
  return {inodes.begin(), inodes.end()};
}
int mappings_of_nodes(Runtime& runtime, const Arguments& arguments) {
  using Mapped = std::vector<std::uint64_t>;
  auto found = runtime.make_queue<Mapped>();
  std::map<std::uint64_t, int> nodes_of;
  std::size_t mapped = 0;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    Process process = runtime.process(
        {.node = node}, [](Queue<Mapped> out, std::string text) { out.put(shared_mappings(text)); }, found,
        arguments.at(0));
    process.start();
    if (process.join() != 0) return 1;
    const Mapped inodes = found.get();
    mapped += inodes.empty() ? 0 : 1;
    for (const std::uint64_t inode : inodes) ++nodes_of[inode];
  }
  const auto shared = std::ranges::count_if(nodes_of, [](const auto& inode) { return inode.second > 1; });
  say(std::to_string(mapped) + " nodes have mappings, " + std::to_string(shared) + " are of several");
  return 0;
}

/// Producers and consumers on all nodes, and every item once.
int many_to_many(Runtime& runtime, const Arguments&) {
  constexpr int each = 500;
  auto items = runtime.make_queue<std::uint64_t>({.capacity = 32, .node = 2});
  auto got = runtime.make_queue<std::uint64_t>({.capacity = 100'000, .node = 3});
  std::vector<Process> producers;
  std::vector<Process> consumers;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    producers.push_back(runtime.process(
        {.node = node},
        [](Queue<std::uint64_t> out) {
          for (std::uint64_t i = 0; i < each; ++i) out.put(this_process::puid().value() * 1000 + i);
          out.flush();
        },
        items));
    consumers.push_back(runtime.process(
        {.node = node},
        [](Queue<std::uint64_t> in, Queue<std::uint64_t> out) {
          for (const std::uint64_t item : in) out.put(item);
          out.flush();
        },
        items, got));
  }
  for (Process& process : producers) process.start();
  for (Process& process : consumers) process.start();
  for (Process& process : producers) {
    if (process.join() != 0) return 1;
  }
  items.close();
  for (Process& process : consumers) {
    if (process.join() != 0) return 1;
  }
  std::set<std::uint64_t> all;
  std::size_t count = 0;
  for (; const auto item = got.try_get(); ++count) all.insert(*item);
  say(std::to_string(count) + " items, " + std::to_string(all.size()) + " different");
  return 0;
}

/// A clean exit leaves nothing behind that was put.
int puts_before_an_exit(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<int>();
  Process returns = runtime.process(
      {.node = 2},
      [](Queue<int> out) {
        for (int i = 0; i < 100; ++i) out.put(i);
      },
      queue);
  Process exits = runtime.process(
      {.node = 3},
      [](Queue<int> out) {
        for (int i = 0; i < 100; ++i) out.put(i);
        std::exit(0);
      },
      queue);
  returns.start();
  exits.start();
  const int statuses = returns.join() + exits.join();
  int count = 0;
  while (count < 200 && queue.try_get_for(std::chrono::seconds(20))) ++count;
  say("status " + std::to_string(statuses) + ", got " + std::to_string(count));
  return 0;
}

}  // namespace

Scenarios node_scenarios() {
  return {{"statuses_of_other_nodes", statuses_of_other_nodes},
          {"asked_of_another_agent", asked_of_another_agent},
          {"signals_to_other_nodes", signals_to_other_nodes},
          {"misuse_of_nodes", misuse_of_nodes},
          {"join_across_nodes", join_across_nodes},
          {"inheritance_across_nodes", inheritance_across_nodes},
          {"handle_that_travels_alone", handle_that_travels_alone},
          {"token_ring", token_ring},
          {"recursive", recursive},
          {"names_across_nodes", names_across_nodes},
          {"mappings_of_nodes", mappings_of_nodes},
          {"many_to_many", many_to_many},
          {"puts_before_an_exit", puts_before_an_exit}};
}

}  // namespace wyvern::test
