#include <charconv>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/duration.hpp>

namespace wyvern::launcher {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr Milliseconds longest = std::chrono::hours(24 * 365);

/// What one of that unit is; zero if there is no such unit.
Milliseconds unit_of(std::string_view name) {
  if (name.empty() || name == "s") return std::chrono::seconds(1);
  if (name == "ms") return std::chrono::milliseconds(1);
  if (name == "m") return std::chrono::minutes(1);
  if (name == "h") return std::chrono::hours(1);
  if (name == "d") return std::chrono::hours(24);
  return Milliseconds::zero();
}

}  // namespace

std::chrono::milliseconds parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const Milliseconds time = number * unit_of(text.substr(static_cast<std::size_t>(end - text.data())));
  // Written so that what is not a number is refused, too.
  if (error != std::errc() || !(time.count() >= 1 && time <= longest)) {
    throw InvalidArgument("'" + std::string(text) +
                          "' is not a time of a year at most; expected for example 90, 1.5s, 10m or 2h");
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

}  // namespace wyvern::launcher
