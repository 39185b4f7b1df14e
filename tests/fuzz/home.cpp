#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/channels/remote/remote_node.hpp>
#include <wyvern/core/error.hpp>

#include "fuzz/input.hpp"

// A home that says whatever it likes to a guest, which has asked for some things: at worst that is an Error,
// by which the node counts as lost, and what is under way is what was begun and has not ended.
namespace wyvern::test {
namespace {

using wire::FrameKind;

constexpr std::size_t largest_message = 4096;
constexpr std::uint32_t puts_ahead = 5;

/// Mostly frames that there are, with some of the numbers that are in use.
std::vector<std::byte> something(FuzzInput& input) {
  constexpr std::array kinds{FrameKind::opened,   FrameKind::refused, FrameKind::credit,
                             FrameKind::accepted, FrameKind::nothing, FrameKind::closed,
                             FrameKind::delivery, FrameKind::value,   FrameKind::turned_back,
                             FrameKind::reply,    FrameKind::went_in, FrameKind::closed_after};
  constexpr std::size_t longest_body = 100;
  wire::FrameBuffer buffer(largest_message);
  for (std::size_t more = input.choose(3) + 1; more != 0; --more) {
    const FrameKind kind = kinds.at(input.choose(kinds.size()));
    const auto opening = static_cast<std::uint32_t>(input.choose(3));
    const auto operation = static_cast<std::uint32_t>(input.choose(8));
    switch (input.choose(4)) {
      case 0: buffer.add(kind, 0, opening, operation); break;
      case 1: buffer.add_value(kind, opening, operation, input.choose(256)); break;
      case 2: {
        const auto flags = static_cast<wire::FrameFlags>(input.choose(256));
        buffer.add(kind, flags, opening, operation, input.take(input.choose(longest_body)));
        break;
      }
      default: {
        const RemoteMemory memory{.address = 1, .key = 2, .size = input.choose(2)};
        buffer.add_cargo(FrameKind::delivery, static_cast<wire::FrameFlags>(input.choose(8) & 4), opening,
                         operation, {.payload = input.take(input.choose(longest_body)), .memory = memory});
      }
    }
  }
  return {buffer.bytes().begin(), buffer.bytes().end()};
}

void listen(FuzzInput& input) {
  static const JobKey key = JobKey::make();
  const std::vector<std::byte> address(8);
  const auto hello = wire::make_hello(key, {.puid = Puid::make(0, 2, 1), .address = address}, address);
  RemoteNode node(1, 0, hello, largest_message);
  node.message(wire::make_welcome(key, hello), key);

  PutsAhead ahead;
  ahead.allow(2 * puts_ahead, 1000);
  for (std::uint32_t i = 0; i < puts_ahead; ++i) ahead.sent(10);
  const std::uint32_t opening = node.begin_opening(ahead);
  std::array<NumberedOperation, 4> asked;
  for (NumberedOperation& one : asked) one.number = node.begin(one.operation);
  std::size_t begun = asked.size() + 1;
  {
    RemoteOperation left;
    node.leave_get(node.begin(left), opening, false);
  }
  while (!input.empty()) {
    if (input.choose(16) == 0) {
      node.message(input.take(64), key);
    } else {
      node.message(something(input), key);
    }
    for (NumberedOperation& one : asked) {
      if (one.number == 0 || !one.operation.is_over()) continue;
      node.end(std::exchange(one.number, 0));
      --begun;
    }
    const bool is_sound =
        node.operations() <= begun && node.operations() + 1 >= begun && ahead.not_ended() <= puts_ahead;
    if (is_sound) continue;
    std::cerr << "what is under way is not what was begun and has not ended\n";
    std::abort();
  }
}

}  // namespace
}  // namespace wyvern::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wyvern::test::FuzzInput input(data, size);
  try {
    wyvern::test::listen(input);
  } catch (const wyvern::Error&) {
    return 0;  // the node counts as lost
  }
  return 0;
}
