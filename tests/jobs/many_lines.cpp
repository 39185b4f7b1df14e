// Many processes write lines of very different lengths at once, every tenth to stderr too: what comes out has
// to be all of it, every line whole, those of a process in order, and nothing of the other stream.
//   many_lines write PROCESSES LINES                the job
//   many_lines check PROCESSES LINES COMMAND...     runs such a job and reads what it prints

#include <ext/stdio_filebuf.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <wyvern/wyvern.hpp>

namespace {

constexpr std::uint64_t lines_for_each_error = 10;

std::string filling(std::uint64_t number) { return std::string(number * 7 % 200, 'x'); }

void write_lines(std::uint64_t lines) {
  const std::string own = to_string(wyvern::this_process::puid());
  for (std::uint64_t i = 0; i < lines; ++i) {
    std::cout << "out " << own << " " << i << " " << filling(i) << "\n";
    if (i % lines_for_each_error == 0)
      std::cerr << "err " + own + " " + std::to_string(i) + " " + filling(i) + "\n";
  }
}

void write_together(wyvern::Queue<int> ready, wyvern::Queue<int> begin, std::uint64_t lines) {
  ready.put(1);
  begin.get();
  write_lines(lines);
}

/// They begin when all are there, if all are on one node; connections of a thousand processes to another
/// one's queue are another matter.
int write_all(const wyvern::Runtime& runtime, std::uint64_t count, std::uint64_t lines) {
  auto ready = runtime.make_queue<int>();
  auto begin = runtime.make_queue<int>();
  const bool together = runtime.nodes() == 1;
  std::vector<wyvern::Process> processes;
  for (std::uint64_t i = 0; i < count; ++i) {
    processes.push_back(together ? runtime.process(write_together, ready, begin, lines)
                                 : runtime.process(write_lines, lines));
    processes.back().start();
  }
  for (std::uint64_t i = 0; together && i < count; ++i) ready.get();
  for (std::uint64_t i = 0; together && i < count; ++i) begin.put(1);
  const std::vector<int> statuses = wyvern::wait_all(processes);
  return static_cast<int>(std::ranges::count_if(statuses, [](int status) { return status != 0; }));
}

/// What is wrong with a stream; empty: nothing.
std::string check(std::istream& stream, const std::string& name, std::uint64_t processes, std::uint64_t lines,
                  std::uint64_t step) {
  std::map<std::string, std::uint64_t> next;
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("+++")) continue;
    std::istringstream words(line);
    std::string stream_name;
    std::string puid;
    std::uint64_t number = 0;
    words >> stream_name >> puid >> number;
    const std::string whole =
        name + " " + puid + " " + std::to_string(next[puid]) + " " + filling(next[puid]);
    if (line != whole) return "'" + line + "' instead of '" + whole + "'";
    next[puid] += step;
  }
  if (next.size() != processes) return "lines of " + std::to_string(next.size()) + " processes";
  for (const auto& [puid, count] : next) {
    if (count < lines) return "process " + puid + " has only " + std::to_string(count) + " lines";
  }
  return {};
}

/// Reads one stream of the job to its end, on a thread.
class Checked {
 public:
  Checked(int reading, const std::string& name, std::uint64_t processes, std::uint64_t lines,
          std::uint64_t step)
      : thread_([=, this] {
          __gnu_cxx::stdio_filebuf<char> buffer(reading, std::ios::in);
          std::istream stream(&buffer);
          const std::string wrong = check(stream, name, processes, lines, step);
          is_right_ = wrong.empty();
          if (!is_right_) std::cerr << name + ": " + wrong + "\n";
          while (stream.ignore(std::numeric_limits<std::streamsize>::max())) {
          }
        }) {}

  bool is_right() {
    thread_.join();
    return is_right_;
  }

 private:
  bool is_right_ = false;
  std::thread thread_;
};

int check_job(std::uint64_t processes, std::uint64_t lines, char** command) {
  int out[2];
  int err[2];
  if (::pipe(out) != 0 || ::pipe(err) != 0) return 2;
  const pid_t job = ::fork();
  if (job == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    for (const int end : {out[0], out[1], err[0], err[1]}) ::close(end);
    ::execvp(command[0], command);
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  Checked output(out[0], "out", processes, lines, 1);
  Checked error(err[0], "err", processes, lines, lines_for_each_error);
  const bool output_is_right = output.is_right();
  const bool error_is_right = error.is_right();
  int status = 0;
  ::waitpid(job, &status, 0);
  return output_is_right && error_is_right && status == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 3 ? argv[1] : "";
  if (what == "check" && argc > 4) return check_job(std::stoull(argv[2]), std::stoull(argv[3]), argv + 4);
  if (what != "write") {
    std::cerr << "usage: many_lines write PROCESSES LINES | check PROCESSES LINES COMMAND...\n";
    return 2;
  }
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    return write_all(runtime, std::stoull(argv[2]), std::stoull(argv[3]));
  });
}
