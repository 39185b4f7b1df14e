#include <sys/random.h>
#include <unistd.h>

#include <charconv>
#include <random>

#include <fmt/format.h>

#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::control {
namespace {

constexpr std::size_t key_digits = 16;

/// Reads all of `text` as a number.
template <class Number>
bool parse_number(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_string(const Ticket& ticket) { return fmt::format("{:016x}:{}", ticket.key, ticket.sequence); }

std::optional<Ticket> parse_ticket(std::string_view text) {
  Ticket ticket;
  if (text.size() <= key_digits + 1 || text[key_digits] != ':') return std::nullopt;
  if (!parse_number(text.substr(0, key_digits), ticket.key, 16)) return std::nullopt;
  if (!parse_number(text.substr(key_digits + 1), ticket.sequence, 10)) return std::nullopt;
  return ticket;
}

std::string new_socket_name() { return fmt::format("wyvern-{}-{:016x}", ::getuid(), random_number()); }

std::uint64_t random_number() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) == sizeof number) return number;
  std::random_device device;  // a kernel that refuses the call still has the device file
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace wyvern::control
