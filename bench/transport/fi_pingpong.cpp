#include "bench/transport/fi_pingpong.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::bench {
namespace {

constexpr std::uint64_t fewest_iterations = 10;
constexpr std::uint64_t most_iterations = 1'000'000;
constexpr std::uint64_t first_iterations = 100;

/// That nobody listens on now: the two processes find each other there.
int unused_port() {
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), generic, length) != 0 || ::getsockname(listener.get(), generic, &length) != 0)
    throw std::runtime_error("fi_pingpong: no port is free");
  return ntohs(address.sin_port);
}

/// A shell command that runs.
class Command {
 public:
  explicit Command(const std::string& command) : pipe_(::popen(command.c_str(), "re")) {
    if (pipe_ == nullptr) throw std::runtime_error("no shell can be started");
  }
  /// What it prints until it ends.
  std::string output() {
    std::string output;
    for (int character = std::fgetc(pipe_.get()); character != EOF; character = std::fgetc(pipe_.get()))
      output += static_cast<char>(character);
    return output;
  }

 private:
  struct Close {
    void operator()(std::FILE* pipe) const { ::pclose(pipe); }
  };
  std::unique_ptr<std::FILE, Close> pipe_;  // waits for the end
};

/// Both processes; what the second one prints.
std::string play_fi_pingpong(const std::string& program) {
  constexpr int most_attempts = 100;
  constexpr std::chrono::milliseconds between_attempts{20};
  const std::string port = std::to_string(unused_port());
  const Command server(program + " -B " + port + " >/dev/null 2>&1");
  std::string client = program;
  client.append(" -P ").append(port).append(" 127.0.0.1 2>&1");
  std::string output;
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    output = Command(client).output();
    if (output.find("Connection refused") == std::string::npos) break;  // the first one listens by now
    std::this_thread::sleep_for(between_attempts);
  }
  return output;
}

struct Game {
  std::string benchmark;
  std::string provider;
  std::uint64_t bytes;
  double seconds;
  std::uint64_t iterations = first_iterations;
  std::uint64_t played = 0;
  double usec = 0;

  void play() {
    usec = fi_pingpong_usec(play_fi_pingpong("timeout 60 fi_pingpong -e rdm -p '" + provider + "' -S " +
                                             std::to_string(bytes) + " -I " + std::to_string(iterations)));
    played = 2 * iterations;
    const double fitting = usec > 0 ? seconds * 1e6 / (2 * usec) : static_cast<double>(most_iterations);
    iterations = static_cast<std::uint64_t>(
        std::clamp(fitting, static_cast<double>(fewest_iterations), static_cast<double>(most_iterations)));
  }
  Row result() const {
    return {.benchmark = benchmark,
            .system = "fi_pingpong",
            .bytes = bytes,
            .messages = played,
            .mean_ns = usec * 1e3,
            .messages_per_s = 1e6 / usec};
  }
};

}  // namespace

double fi_pingpong_usec(const std::string& output) {
  std::istringstream lines(output);
  std::string line;
  std::vector<std::string> names;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::vector<std::string> values;
    for (std::string word; words >> word;) values.push_back(word);
    const auto column = std::find(names.begin(), names.end(), "usec/xfer");
    if (column != names.end() && values.size() == names.size())
      return std::stod(values.at(static_cast<std::size_t>(column - names.begin())));
    names = values;
  }
  throw std::runtime_error("fi_pingpong printed no result: " + output.substr(0, 200));
}

bool has_fi_pingpong() { return std::system("command -v fi_pingpong >/dev/null 2>&1") == 0; }

Contestant make_fi_pingpong(const std::string& benchmark, const std::string& provider, std::uint64_t bytes,
                            double seconds) {
  const auto game = std::make_shared<Game>(
      Game{.benchmark = benchmark, .provider = provider, .bytes = bytes, .seconds = seconds});
  return {
      .name = "fi_pingpong", .play = [game] { game->play(); }, .result = [game] { return game->result(); }};
}

}  // namespace wyvern::bench
