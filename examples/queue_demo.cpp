// Parallel producers and consumers with one queue: half of the processes make random strings and send each
// with a random selection of functions; the other half apply the functions they receive, one on the result of
// the other.
#include <algorithm>
#include <cctype>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

struct Operation {
  std::string name;
  wyvern::Function<std::string(std::string)> apply;
};

struct Package {
  std::vector<Operation> operations;
  std::string data;
};

using Operations = std::vector<Operation>;

/// Text with every character changed by one of <cctype>'s functions.
std::string map_characters(std::string text, int (*change)(int)) {
  for (char& character : text) character = static_cast<char>(change(static_cast<unsigned char>(character)));
  return text;
}

Operations all_operations() {
  return {
      {"upper", [](std::string text) { return map_characters(text, std::toupper); }},
      {"lower", [](std::string text) { return map_characters(text, std::tolower); }},
      {"strip",
       [](std::string text) {
         constexpr const char* blanks = " \t\r\n\v\f";
         const auto first = text.find_first_not_of(blanks);
         return first == text.npos ? "" : text.substr(first, text.find_last_not_of(blanks) - first + 1);
       }},
      {"capitalize",
       [](std::string text) {
         return map_characters(text.substr(0, 1), std::toupper) +
                map_characters(text.substr(text.empty() ? 0 : 1), std::tolower);
       }},
      {R"(replace(" ", ""))",
       [](std::string text) {
         std::erase(text, ' ');
         return text;
       }},
  };
}

std::string random_words(std::mt19937& random, int first_length, int last_length) {
  std::uniform_int_distribution<int> letter('a', 'z');
  std::string words(1, static_cast<char>(letter(random)));
  for (int length = first_length; length <= last_length; ++length) {
    words += ' ';
    for (int i = 0; i < length; ++i) words += static_cast<char>(letter(random));
  }
  return words;
}

/// One to all of them, none twice, in random order.
Operations random_selection(std::mt19937& random, Operations operations) {
  std::shuffle(operations.begin(), operations.end(), random);
  operations.resize(std::uniform_int_distribution<std::size_t>(1, operations.size())(random));
  return operations;
}

void producer(wyvern::Queue<Package> queue, Operations operations) {
  std::mt19937 random(std::random_device{}());
  const Package package{random_selection(random, operations), random_words(random, 3, 7)};

  std::cout << "I am producer " << wyvern::this_process::puid() << " and I'm sending data: \"" << package.data
            << "\" and string ops: ";
  for (const auto& operation : package.operations) std::cout << operation.name << ' ';
  std::cout << std::endl;

  queue.put(package);
}

void consumer(wyvern::Queue<Package> queue) {
  std::cout << "I am consumer " << wyvern::this_process::puid() << " -- ";

  auto [operations, data] = queue.get();
  for (const auto& [name, apply] : operations) {
    data = apply(data);
    std::cout << name << ": \"" << data << "\" ";
  }
  std::cout << std::endl;
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto queue = runtime.make_queue<Package>();

    std::vector<wyvern::Process> processes;
    for (int i = 0; i < 8; ++i) {
      processes.push_back(runtime.process(producer, queue, all_operations()));
      processes.push_back(runtime.process(consumer, queue));
    }
    for (auto& process : processes) process.start();
    for (auto& process : processes) process.join();
  });
}
