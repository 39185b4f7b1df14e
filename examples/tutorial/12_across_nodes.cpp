// On several nodes everything is as on one. Where a queue and a process are can be said: here is one of each
// on every node, and a token goes round.
#include <cstdint>
#include <iostream>
#include <set>
#include <vector>

#include <wyvern/wyvern.hpp>

using Visited = std::vector<std::uint32_t>;

void pass_on(wyvern::Queue<Visited> mine, wyvern::Queue<Visited> next) {
  auto token = mine.get();
  token.push_back(wyvern::this_process::runtime().node());
  next.put(token);
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    std::vector<wyvern::Queue<Visited>> queues;
    for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
      queues.push_back(runtime.make_queue<Visited>({.node = node}));
    }
    const auto finish = runtime.make_queue<Visited>();
    std::vector<wyvern::Process> processes;
    for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
      const auto& next = node < runtime.nodes() ? queues[node] : finish;
      processes.push_back(runtime.process({.node = node}, pass_on, queues[node - 1], next));
      processes.back().start();
    }
    queues.front().put({});
    const Visited token = finish.get();
    const bool everywhere = std::set(token.begin(), token.end()).size() == runtime.nodes();
    std::cout << (everywhere ? "The token has been on every node" : "The token has missed a node")
              << std::endl;
  });
}
