// Words go through three stages, each a process with a queue in front of it. In a job of several nodes every
// stage, and its queue with it, is on another one.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

using Work = wyvern::Function<std::string(std::string)>;

void stage(wyvern::Consumer<std::string> in, Work work, wyvern::Producer<std::string> out) {
  for (const std::string& word : in) out.put(work(word));
  out.close();
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    const std::vector<Work> works{
        [](std::string word) { return std::string(word.rbegin(), word.rend()); },
        [](std::string word) {
          std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::toupper(c); });
          return word;
        },
        [](std::string word) { return word + "!"; },
    };

    const auto source = runtime.make_queue<std::string>();
    auto last = source;
    std::vector<wyvern::Process> stages;
    std::uint32_t node = 1;
    for (const Work& work : works) {
      node = node % runtime.nodes() + 1;
      const auto next = runtime.make_queue<std::string>({.node = node});
      stages.push_back(runtime.process({.node = node}, stage, last.consumer(), work, next.producer()));
      stages.back().start();
      last = next;
    }

    for (const char* word : {"stressed", "drawer", "lived", "parts", "tool"}) source.put(word);
    source.close();
    for (const std::string& word : last) std::cout << word << std::endl;
  });
}
