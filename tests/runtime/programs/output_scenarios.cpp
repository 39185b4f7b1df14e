// Printing.
#include <unistd.h>

#include <iostream>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

/// "process <puid> line <i> " and as many letters as to make lines of very different lengths.
void print_lines(int count) {
  const std::string start = "process " + to_string(this_process::puid()) + " line ";
  for (int i = 0; i < count; ++i) {
    std::cout << start << i << " " << std::string(static_cast<std::size_t>(i * 7 % 300), 'x') << "\n";
    if (i % 5 == 0) std::cerr << start << i << "\n";
  }
}

int lines(Runtime& runtime, const Arguments& arguments) {
  std::vector<Process> processes;
  for (int i = 0; i < std::stoi(arguments.at(0)); ++i) {
    processes.push_back(runtime.process(print_lines, std::stoi(arguments.at(1))));
  }
  for (Process& process : processes) process.start();
  for (Process& process : processes) process.join();
  return 0;
}

/// What a process printed is there when it was joined.
int printed_before_join(Runtime& runtime, const Arguments&) {
  for (int i = 0; i < 20; ++i) {
    Process process = runtime.process([](int number) { say("child " + std::to_string(number)); }, i);
    process.start();
    process.join();
    say("joined " + std::to_string(i));
  }
  return 0;
}

int unfinished_line(Runtime& runtime, const Arguments&) {
  Process process = runtime.process([] { std::cout << "no end"; });
  process.start();
  process.join();
  say("next");
  return 0;
}

/// A line comes when it is printed, although stdout is a pipe and the process goes on.
int timely_lines(Runtime& runtime, const Arguments&) {
  auto queue = runtime.make_queue<int>();
  Process process = runtime.process(
      [](Queue<int> q) {
        std::printf("printed early\n");
        q.get();
      },
      queue);
  process.start();
  while (std::getchar() != EOF) {
  }
  sleep_for_ever();
}

/// One process prints without end, and nobody reads; two others exchange messages.
int blocked_stdout(Runtime& runtime, const Arguments&) {
  Process printer = runtime.process([] {
    while (true) std::cout << std::string(1000, 'y') << "\n";
  });
  printer.start();
  auto there = runtime.make_queue<int>();
  auto back = runtime.make_queue<int>();
  Process echo = runtime.process(
      [](Queue<int> from, Queue<int> to) {
        for (const int number : from) to.put(number);
      },
      there, back);
  echo.start();
  for (int i = 0; i < 1000; ++i) {
    there.put(i);
    if (back.get() != i) return 1;
  }
  there.close();
  const int status = echo.join();  // its death is noticed, although nothing can be written
  printer.kill();
  const int killed = printer.join();
  std::cerr << "echo " << status << " printer " << killed << std::endl;
  return 0;
}

int print_for_ever(Runtime& runtime, const Arguments&) {
  Process printer = runtime.process([] {
    while (true) std::cout << "line\n";
  });
  printer.start();
  const int status = printer.join();
  std::cerr << "printer ended with " << status << std::endl;
  return 0;
}

}  // namespace

Scenarios output_scenarios() {
  return {{"lines", lines},
          {"printed_before_join", printed_before_join},
          {"unfinished_line", unfinished_line},
          {"timely_lines", timely_lines},
          {"blocked_stdout", blocked_stdout},
          {"print_for_ever", print_for_ever}};
}

}  // namespace wyvern::test
