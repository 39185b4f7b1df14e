#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/memory_limit.hpp>
#include <wyvern/runtime/memory_size.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern {
namespace {

constexpr double largest_size = 1ULL << 60;

/// The number of bytes that a unit stands for; 0 if it is none.
double unit_bytes(std::string_view unit) {
  if (unit.empty() || unit == "B") return 1;
  const std::size_t power = std::string_view("KMGT").find(
      unit.front() >= 'a' ? static_cast<char>(unit.front() - 32) : unit.front());
  const std::string_view rest = unit.substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "B" || rest == "iB")) return 0;
  return std::pow(1024.0, static_cast<double>(power + 1));
}

}  // namespace

std::uint64_t parse_memory_size(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const double unit = unit_bytes(text.substr(static_cast<std::size_t>(end - text.data())));
  if (error != std::errc() || unit == 0 || !(number * unit >= 1) || number * unit > largest_size) {
    throw InvalidArgument("'" + std::string(text) +
                          "' is not an amount of memory; expected for example 512M or 4G");
  }
  return static_cast<std::uint64_t>(number * unit);
}

std::uint64_t memory_ceiling_from_environment() {
  const char* text = std::getenv(control::memory_variable);
  if (text == nullptr) return default_memory_ceiling();
  try {
    return parse_memory_size(text);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string(control::memory_variable) + ": " + error.what());
  }
}

}  // namespace wyvern
