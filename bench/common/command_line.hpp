#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): theirs
class App;
}

namespace wyvern::bench {

/// A message begins with a stamp of so many bytes, by which it is checked.
inline constexpr std::uint64_t smallest_message = 8;
inline constexpr std::uint64_t largest_message = std::uint64_t{1} << 30;

/// What is wrong with the command line, in one sentence.
class BadOption : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// False: help was asked for and printed. Throws BadOption. `example` is a command line that would do.
bool parse_command_line(CLI::App& app, int argc, const char* const* argv, const std::string& example);

/// Of --sizes: messages as people write their sizes. Throws BadOption, as all below.
std::vector<std::uint64_t> parse_sizes(const std::vector<std::string>& sizes);
/// From 1 to `largest`.
void check_range(const char* option, std::uint32_t value, std::uint32_t largest);
void check_repetitions(double seconds, std::uint32_t repetitions);

}  // namespace wyvern::bench
