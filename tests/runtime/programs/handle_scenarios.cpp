// Handles of queues in messages of queues on other nodes.
#include <signal.h>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

constexpr std::uint32_t nodes = 3;

struct Request {
  int number = 0;
  Queue<int> reply;
};

/// Waits until nothing keeps that queue any more.
void wait_until_gone(const ObjectReference& queue) {
  while (Channel::exists(Member::current(), queue)) std::this_thread::yield();
}

/// The client has its queue at home, and nobody but the messages tells the server of it.
int replies_across_nodes(Runtime& runtime, const Arguments&) {
  constexpr int requests = 50;
  auto inbox = runtime.make_queue<Request>({.node = 1});
  auto sums = runtime.make_queue<int>();
  Process server = runtime.process(
      {.node = 3},
      [](Queue<Request> in) {
        for (const Request& request : in) request.reply.put(request.number * 2);
      },
      inbox);
  Process client = runtime.process(
      {.node = 2},
      [](Queue<Request> out, Queue<int> result) {
        int sum = 0;
        for (int number = 0; number < requests; ++number) {
          const auto reply = this_process::runtime().make_queue<int>();
          out.put({.number = number, .reply = reply});
          sum += reply.get();
        }
        result.put(sum);
      },
      inbox, sums);
  server.start();
  client.start();
  say("sum " + std::to_string(sums.get()));
  inbox.close();
  return client.join() + server.join();
}

/// Something that a process of every node does, for whoever tells it to.
struct Task {
  bool puts = false;
  Queue<Queue<int>> through;
  std::uint32_t home = 0;  // of the queue whose handle is put
  int number = 0;
};

/// What is put has no other handle once it is in the message; its reference is the answer.
void carry_out(Queue<Task> tasks, Queue<ObjectReference> put, Queue<int> got) {
  for (const Task& task : tasks) {
    if (!task.puts) {
      got.put(task.through.get().get());
      continue;
    }
    const auto carried = this_process::runtime().make_queue<int>({.node = task.home});
    carried.put(task.number);
    carried.flush();
    task.through.put(carried);
    put.put(carried.channel().reference());
  }
}

/// Every combination of the nodes of the putter, the queue, the queue that is carried, and the getter.
int handles_every_way(Runtime& runtime, const Arguments&) {
  auto put = runtime.make_queue<ObjectReference>();
  auto got = runtime.make_queue<int>();
  std::vector<Queue<Task>> tasks;
  std::vector<Process> processes;
  for (std::uint32_t node = 1; node <= nodes; ++node) {
    tasks.push_back(runtime.make_queue<Task>({.node = node}));
    processes.push_back(runtime.process({.node = node}, carry_out, tasks.back(), put, got));
    processes.back().start();
  }
  std::vector<ObjectReference> references;
  int ways = 0;
  int right = 0;
  for (std::uint32_t home = 1; home <= nodes; ++home) {
    const auto through = runtime.make_queue<Queue<int>>({.node = home});
    for (std::uint32_t carried = 1; carried <= nodes; ++carried) {
      for (const Queue<Task>& putter : tasks) {
        for (const Queue<Task>& getter : tasks) {
          putter.put({.puts = true, .through = through, .home = carried, .number = ++ways});
          references.push_back(put.get());
          getter.put({.through = through});
          right += got.get() == ways ? 1 : 0;
        }
      }
    }
  }
  for (const ObjectReference& queue : references) wait_until_gone(queue);
  for (const Queue<Task>& queue : tasks) queue.close();
  for (Process& process : processes) {
    if (process.join() != 0) return 1;
  }
  say(std::to_string(right) + " of " + std::to_string(ways) + " arrived, and none is left");
  return 0;
}

/// Puts a handle of a queue on that node, of which there is no other, and ends at once.
void put_and_die(Queue<Queue<int>> through, std::uint32_t home, Queue<ObjectReference> out) {
  const auto carried = this_process::runtime().make_queue<int>({.node = home});
  carried.put(7);
  carried.flush();
  out.put(carried.channel().reference());
  out.flush();
  through.put(carried);
  ::raise(SIGKILL);
}

int putter_dies(Runtime& runtime, const Arguments&) {
  auto out = runtime.make_queue<ObjectReference>();
  std::vector<ObjectReference> references;
  int arrived = 0;
  for (std::uint32_t home = 1; home <= nodes; ++home) {
    for (std::uint32_t putter = 1; putter <= nodes; ++putter) {
      for (std::uint32_t carried = 1; carried <= nodes; ++carried) {
        auto through = runtime.make_queue<Queue<int>>({.node = home});
        Process process = runtime.process({.node = putter}, put_and_die, through, carried, out);
        process.start();
        if (process.join() != -SIGKILL) return 1;
        arrived += through.get().get() == 7 ? 1 : 0;
        references.push_back(out.get());
      }
    }
  }
  // The openings of the dead go when their homes have missed them.
  for (const ObjectReference& queue : references) wait_until_gone(queue);
  say(std::to_string(arrived) + " of 27 arrived, and none is left");
  return 0;
}

/// Messages that are never read: their queue goes with them, and so does what they carried.
int unread_messages(Runtime& runtime, const Arguments&) {
  std::vector<ObjectReference> carried;
  for (std::uint32_t home = 1; home <= nodes; ++home) {
    auto through = runtime.make_queue<Queue<int>>({.node = home});
    for (std::uint32_t node = 1; node <= nodes; ++node) {
      const auto queue = runtime.make_queue<int>({.node = node});
      through.put_many(std::vector{queue, queue, queue});
      carried.push_back(queue.channel().reference());
    }
  }
  for (const ObjectReference& queue : carried) wait_until_gone(queue);
  say("none is left");
  return 0;
}

/// The getter has the message in its hands, and with it the handle.
int getter_dies(Runtime& runtime, const Arguments&) {
  std::vector<ObjectReference> references;
  for (std::uint32_t getter = 1; getter <= nodes; ++getter) {
    auto through = runtime.make_queue<Queue<int>>({.node = 1});
    Process process = runtime.process(
        {.node = getter},
        [](Queue<Queue<int>> in) {
          const auto message = in.take();
          (*message).put(1);
          ::raise(SIGKILL);
        },
        through);
    process.start();
    {
      const auto carried = runtime.make_queue<int>({.node = 2});
      references.push_back(carried.channel().reference());
      through.put(carried);
    }
    if (process.join() != -SIGKILL) return 1;
  }
  for (const ObjectReference& queue : references) wait_until_gone(queue);
  say("none is left");
  return 0;
}

/// With a handle of a queue on node 3 in a message of a queue on node 2, one of which then goes.
int node_goes(Runtime& runtime, const Arguments& arguments) {
  auto through = runtime.make_queue<Queue<int>>({.node = 2});
  ObjectReference reference;
  {
    const auto carried = runtime.make_queue<int>({.node = 3});
    reference = carried.channel().reference();
    through.put(carried);
  }
  say("ready");
  if (arguments.front() == "2") {
    wait_until_gone(reference);
    say("none is left");
    return 0;
  }
  try {
    while (true) runtime.make_queue<int>({.node = 3});
  } catch (const NodeLost&) {
    say("node 3 is lost");
  }
  const Queue<int> lost = through.get();
  try {
    lost.put(1);
    say("no exception");
  } catch (const NodeLost&) {
    say("node_lost");
  }
  through.put(runtime.make_queue<int>());
  through.get().put(2);
  say("the queue goes on");
  return 0;
}

}  // namespace

Scenarios handle_scenarios() {
  return {{"replies_across_nodes", replies_across_nodes}, {"handles_every_way", handles_every_way},
          {"handle_of_a_putter_that_dies", putter_dies},  {"handles_in_unread_messages", unread_messages},
          {"handle_of_a_getter_that_dies", getter_dies},  {"handle_when_a_node_goes", node_goes}};
}

}  // namespace wyvern::test
