#include "bench/common/command_line.hpp"

#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/memory_size.hpp>

namespace wyvern::bench {
namespace {

constexpr double longest_repetition_s = 3600;
constexpr std::uint32_t most_repetitions = 100'000;

}  // namespace

bool parse_command_line(CLI::App& app, int argc, const char* const* argv, const std::string& example) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    app.exit(help);
    return false;
  } catch (const CLI::ParseError& error) {
    const std::string text = error.what();
    throw BadOption(text.substr(0, text.find('\n')));
  }
  if (argc > 1 && std::string(argv[1]).starts_with("-")) {
    throw BadOption("the benchmark comes first: " + example);
  }
  return true;
}

std::vector<std::uint64_t> parse_sizes(const std::vector<std::string>& sizes) {
  std::vector<std::uint64_t> parsed;
  for (const std::string& size : sizes) {
    std::uint64_t bytes = 0;
    try {
      bytes = parse_memory_size(size);
    } catch (const InvalidArgument& error) {
      throw BadOption("--sizes: " + std::string(error.what()));
    }
    if (bytes < smallest_message || bytes > largest_message) {
      throw BadOption(
          "--sizes: a message has from 8 bytes, for the stamp that it is checked by, to 1G, not " + size);
    }
    parsed.push_back(bytes);
  }
  return parsed;
}

void check_range(const char* option, std::uint32_t value, std::uint32_t largest) {
  if (value >= 1 && value <= largest) return;
  throw BadOption(std::string(option) + ": from 1 to " + std::to_string(largest) + " is possible, not " +
                  std::to_string(value));
}

void check_repetitions(double seconds, std::uint32_t repetitions) {
  check_range("--repetitions", repetitions, most_repetitions);
  if (!(seconds > 0 && seconds <= longest_repetition_s)) {
    throw BadOption("--seconds: a repetition takes more than 0 and at most 3600 seconds");
  }
}

}  // namespace wyvern::bench
