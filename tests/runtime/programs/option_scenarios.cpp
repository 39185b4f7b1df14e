// Processes with options: environment, folder, name, standard streams; and other programs.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "runtime/programs/scenarios.hpp"

namespace wyvern::test {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// In one line, so that it can be said.
std::string in_one_line(std::string text) {
  for (char& character : text) character = character == '\n' ? '/' : character;
  return text;
}

std::string read_to_the_end(const FileDescriptor& fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t count = 0; (count = ::read(fd.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(count));
  return text;
}

void write_all(const FileDescriptor& fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd.get(), text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

int run_to_its_end(Process process) {
  process.start();
  return process.join();
}

void show_surroundings() {
  std::string name = content_of("/proc/self/comm");
  name.pop_back();
  char folder[PATH_MAX] = {};
  say(name + " " + ::getenv("ADDED") + " " + ::getenv("REPLACED") + " " + ::getenv("KEPT") + " " +
      ::getcwd(folder, sizeof folder));
}

int surroundings(Runtime& runtime, const Arguments& arguments) {
  ::setenv("KEPT", "kept", 1);
  ::setenv("REPLACED", "old", 1);
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    Process process = runtime.process({.node = node,
                                       .name = "worker",
                                       .environment = {{"ADDED", "a=b"}, {"REPLACED", "new"}},
                                       .directory = arguments.at(0)},
                                      show_surroundings);
    const std::uint32_t before = process.node();
    process.start();
    const int status = process.join();
    say(process.name() + " " + std::to_string(status) + " on node " + std::to_string(process.node()) +
        " of " + std::to_string(before));
  }
  Process plain = runtime.process([] {});
  say(plain.name() + " on node " + std::to_string(plain.node()));
  return 0;
}

/// In this order, whatever is buffered.
void print_to_both() {
  std::cout << "out 1" << std::endl;
  std::cerr << "err 1" << std::endl;
  std::cout << "out 2" << std::endl;
  std::cerr << "err 2" << std::endl;
}

/// Paths are relative to where the starter is, not to where the process works.
int output_to_files(Runtime& runtime, const Arguments& arguments) {
  std::filesystem::current_path(arguments.at(0));
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    const std::string own = std::to_string(node);
    std::ofstream("out" + own) << "this is longer than what is printed and is lost";
    ProcessOptions options{.node = node,
                           .directory = "/",
                           .output = StandardStream::file("out" + own),
                           .error = StandardStream::file("err" + own)};
    run_to_its_end(runtime.process(options, print_to_both));
    say(in_one_line(content_of("out" + own) + content_of("err" + own)));
    options.output = StandardStream::append("out" + own);
    run_to_its_end(runtime.process(options, print_to_both));
    say(in_one_line(content_of("out" + own)));
    options.output = options.error = StandardStream::file("both" + own);
    run_to_its_end(runtime.process(options, print_to_both));
    say(in_one_line(content_of("both" + own)));
    options.output = options.error = StandardStream::null();
    run_to_its_end(runtime.process(options, print_to_both));
  }
  return 0;
}

int input_from_a_file(Runtime& runtime, const Arguments& arguments) {
  const std::string path = arguments.at(0) + "/input";
  std::ofstream(path) << "one\ntwo\n";
  const auto echo = [] {
    for (std::string line; std::getline(std::cin, line);) say("read " + line);
    say("end");
  };
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    run_to_its_end(runtime.process({.node = node, .input = StandardStream::file(path)}, echo));
    run_to_its_end(runtime.process({.node = node}, echo));
  }
  return 0;
}

/// There is more of it than a pipe holds.
int piped_through_a_process(Runtime& runtime, const Arguments&) {
  Process process = runtime.process(
      {.input = StandardStream::piped(), .output = StandardStream::piped(), .error = StandardStream::piped()},
      [] {
        for (std::string line; std::getline(std::cin, line);) std::cout << line << "!\n";
        std::cerr << "done" << std::endl;
      });
  process.start();
  FileDescriptor input = process.take_input();
  if (process.take_input()) return 1;
  Process writer = runtime.program("true");  // so that this process has started one on another node, too
  writer.start();
  for (int i = 0; i < 1000; ++i) write_all(input, "line " + std::to_string(i) + "\n");
  input.reset();
  std::istringstream output(read_to_the_end(process.take_output()));
  int lines = 0;
  for (std::string line; std::getline(output, line);) lines += line == "line " + std::to_string(lines) + "!";
  say(std::to_string(lines) + " lines, then " + in_one_line(read_to_the_end(process.take_error())));
  say("status " + std::to_string(process.join()) + " on node " + std::to_string(process.node()));
  return 0;
}

/// What nobody takes ends, and does not keep the process from ending.
int pipes_that_nobody_takes(Runtime& runtime, const Arguments&) {
  {
    Process reader = runtime.program({.input = StandardStream::piped()}, "cat");
    reader.start();
    say("reader " + std::to_string(reader.join()));
  }
  Puid puid;
  {
    Process printer = runtime.program({.output = StandardStream::piped()}, "yes");
    printer.start();
    puid = printer.puid();
  }
  say("printer " + std::to_string(join(puid)));
  return 0;
}

int files_that_are_not_there(Runtime& runtime, const Arguments& arguments) {
  const std::string missing = arguments.at(0) + "/missing";
  const std::string inside = missing + "/file";
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    const auto refused = [&](const std::string& what, const ProcessOptions& options) {
      say_refusal<SpawnFailed>(what, [&] { run_to_its_end(runtime.process(options, [] {})); });
    };
    refused("directory", {.node = node, .directory = missing});
    refused("input", {.node = node, .input = StandardStream::file(inside)});
    refused("output", {.node = node, .output = StandardStream::file(inside)});
    refused("error", {.node = node, .error = StandardStream::append(inside)});
    Process again = runtime.process({.node = node, .output = StandardStream::file(inside)}, [] {});
    say_refusal<SpawnFailed>("first", [&] { again.start(); });
    std::filesystem::create_directory(missing);
    again.start();
    say("then " + std::to_string(again.join()));
    std::filesystem::remove_all(missing);
  }
  return 0;
}

/// The agent does not wait for somebody to read it; the process writes to it as to any.
int output_to_a_fifo(Runtime& runtime, const Arguments& arguments) {
  const std::string path = arguments.at(0) + "/fifo";
  if (::mkfifo(path.c_str(), 0600) != 0) return 1;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    Process process = runtime.process({.node = node, .output = StandardStream::file(path)},
                                      [] { say(std::string(100'000, 'x')); });
    say_refusal<SpawnFailed>("without a reader", [&] { process.start(); });
    const FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    process.start();
    ::fcntl(reader.get(), F_SETFL, 0);
    const std::size_t bytes = read_to_the_end(reader).size();
    say(std::to_string(bytes) + " read, status " + std::to_string(process.join()));
  }
  return 0;
}

int options_that_cannot_be(Runtime& runtime, const Arguments&) {
  const auto refused = [&](const std::string& what, const ProcessOptions& options) {
    say_refusal<InvalidArgument>(what, [&] { (void)runtime.process(options, [] {}); });
  };
  refused("input of the head", {.input = StandardStream::inherit()});
  refused("input to append to", {.input = StandardStream::append("x")});
  refused("file without a path", {.output = StandardStream::file("")});
  refused("variable without a name", {.environment = {{"", "x"}}});
  refused("variable with =", {.environment = {{"A=B", "x"}}});
  refused("zero in a variable", {.environment = {{"A", std::string("x\0y", 3)}}});
  refused("zero in a name", {.name = std::string("x\0y", 3)});
  refused("node that is not there", {.node = 9});
  say_refusal<InvalidArgument>("empty program", [&] { (void)runtime.program(""); });
  say_refusal<InvalidArgument>("zero in an argument",
                               [&] { (void)runtime.program("true", std::string("x\0y", 3)); });
  return 0;
}

int pipe_to_another_node(Runtime& runtime, const Arguments&) {
  say_refusal<InvalidArgument>(
      "pipe", [&] { (void)runtime.process({.node = 2, .output = StandardStream::piped()}, [] {}); });
  return 0;
}

int programs(Runtime& runtime, const Arguments& arguments) {
  const std::string script = arguments.at(0) + "/script";
  std::ofstream(script) << "#!/bin/sh\necho script: $#: $1: $2: $VARIABLE\nexit 3\n";
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    const ProcessOptions here{.node = node};
    say("found in PATH " + std::to_string(run_to_its_end(runtime.program(here, "sh", "-c", "exit 42"))));
    say("by path " + std::to_string(run_to_its_end(runtime.program(here, "/bin/sh", "-c", "kill -9 $$"))));
    const ProcessOptions in_folder{
        .node = node, .environment = {{"PATH", "/nowhere:" + arguments.at(0)}, {"VARIABLE", "v"}}};
    Process process = runtime.program(in_folder, "script", "a b", std::string("c"));
    const std::string name = process.name();
    say(name + " " + std::to_string(run_to_its_end(std::move(process))));
    const auto refused = [&](const std::string& path) {
      say_refusal<SpawnFailed>("refused", [&] { run_to_its_end(runtime.program(here, path)); });
    };
    refused("no-such-program");
    refused(arguments.at(0) + "/no-such-program");
    refused(arguments.at(0));
  }
  std::filesystem::current_path(arguments.at(0));
  say("relative " + std::to_string(run_to_its_end(runtime.program({.directory = "/"}, "./script"))));
  return 0;
}

/// This program, as another would be: it becomes a member, and starts a process of its own.
int programs_that_join(Runtime& runtime, const Arguments&) {
  char path[PATH_MAX] = {};
  if (::readlink("/proc/self/exe", path, sizeof path - 1) < 0) return 1;
  for (std::uint32_t node = 1; node <= runtime.nodes(); ++node) {
    say("status " + std::to_string(run_to_its_end(runtime.program({.node = node}, path, "puids", "1"))));
    say("status " +
        std::to_string(run_to_its_end(runtime.program({.node = node}, path, "head_status", "7"))));
  }
  return 0;
}

bool is_gone(pid_t pid) { return ::kill(pid, 0) != 0; }

/// A shell with a child, both of which heed no SIGTERM.
int kill_a_program(Runtime& runtime, const Arguments&) {
  Process process = runtime.program({.output = StandardStream::piped()}, "sh", "-c",
                                    "trap '' TERM; sleep 1000 >/dev/null & echo $!; exec >&-; wait");
  process.start();
  const pid_t grandchild = std::stoi(read_to_the_end(process.take_output()));
  process.terminate();
  say(process.is_alive() && !is_gone(grandchild) ? "both are alive" : "one has ended");
  process.send_signal(SIGKILL);
  say("status " + std::to_string(process.join()));
  while (!is_gone(grandchild)) ::usleep(1000);  // the watchdog of the test is the limit
  say("grandchild gone");
  return 0;
}

}  // namespace

Scenarios option_scenarios() {
  return {{"surroundings", surroundings},
          {"output_to_files", output_to_files},
          {"input_from_a_file", input_from_a_file},
          {"piped_through_a_process", piped_through_a_process},
          {"pipes_that_nobody_takes", pipes_that_nobody_takes},
          {"files_that_are_not_there", files_that_are_not_there},
          {"output_to_a_fifo", output_to_a_fifo},
          {"options_that_cannot_be", options_that_cannot_be},
          {"pipe_to_another_node", pipe_to_another_node},
          {"programs", programs},
          {"programs_that_join", programs_that_join},
          {"kill_a_program", kill_a_program}};
}

}  // namespace wyvern::test
