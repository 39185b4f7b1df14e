#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>

#include "channels/remote/home_scene.hpp"
#include "fuzz/input.hpp"

// A guest with the job's key that says whatever it likes: the home throws it out or goes on, the queue stays
// sound, and a guest that behaves is served.
namespace wyvern::test {
namespace {

using wire::FrameKind;

void fail(const std::string& what) {
  std::cerr << what << '\n';
  std::abort();
}

/// Mostly frames that there are, with some of the numbers that are in use.
void say_something(FuzzInput& input, ScriptedGuest& guest, const ObjectReference& object,
                   const RemoteMemory& offered) {
  constexpr std::size_t longest_payload = 300;
  const auto opening = static_cast<std::uint32_t>(input.choose(3));
  const auto operation = static_cast<std::uint32_t>(input.choose(6));
  const auto flags = static_cast<wire::FrameFlags>(input.choose(64));
  const auto kind = static_cast<FrameKind>(input.choose(19));
  wire::FrameBuffer buffer(guest.endpoint->largest_message());
  switch (input.choose(11)) {
    case 0: buffer.add(FrameKind::open, 0, opening, operation, wire::encode_open(object)); break;
    case 1:
      if ((flags & 5) == 5) {
        for (std::size_t more = input.choose(4) + 1; more != 0; --more)
          buffer.add_to_run(flags & 3, opening, operation, input.take(input.choose(longest_payload)));
        break;
      }
      if ((flags & wire::flag(wire::FrameFlag::answer)) != 0) {
        buffer.add_cargo(FrameKind::put, flags & 3, opening, operation,
                         {.payload = input.take(input.choose(longest_payload))});
        break;
      }
      for (std::size_t more = input.choose(4) + 1; more != 0; --more)
        buffer.add_put_ahead(opening, input.take(input.choose(longest_payload)));
      break;
    case 2: buffer.add(FrameKind::get, flags & 6, opening, operation); break;
    case 3: buffer.add(kind, flags, opening, operation, input.take(input.choose(32))); break;
    case 4: {
      std::array<ObjectReference, 1> handles{object};
      buffer.add_cargo(FrameKind::put, flags & 3, opening, operation, {.handles = handles});
      break;
    }
    case 5: {
      const std::span<const std::byte> number = input.take(sizeof(std::uint64_t));
      RemoteMemory memory{.address = offered.address, .key = offered.key, .size = 0};
      std::memcpy(&memory.size, number.data(), number.size());
      if (input.choose(2) == 0) memory = offered;
      const std::array<ObjectReference, 1> handles{object};
      buffer.add_cargo(FrameKind::put, flags & 3, opening, operation,
                       {.handles = std::span(handles).first(input.choose(2)), .memory = memory});
      break;
    }
    case 6: buffer.add(FrameKind::let_go, 0, opening, 0); break;
    case 7: {
      const ChannelSpec spec{.capacity = input.choose(5),
                             .inline_size = input.choose(100),
                             .max_deliveries = static_cast<std::uint32_t>(input.choose(3)),
                             .dead_letters = input.choose(2) == 0 ? object : ObjectReference{},
                             .type_name = input.choose(2) == 0 ? "bytes" : "another",
                             .name = input.choose(2) == 0 ? "" : "name"};
      buffer.add(FrameKind::create, 0, opening, operation, wire::encode_create(spec));
      break;
    }
    case 8:
      buffer.add(FrameKind::request, flags & wire::flag(wire::FrameFlag::more), 0, operation,
                 input.take(input.choose(200)));
      break;
    case 9: buffer.add_ended(Puid::make(0, 2, static_cast<std::uint32_t>(input.choose(4)))); break;
    default: {
      const bool is_unseen = kind == FrameKind::give_back && (flags & 1) != 0;
      buffer.add(kind, is_unseen ? wire::flag(wire::FrameFlag::unseen) : wire::FrameFlags{}, opening,
                 operation);
    }
  }
  guest.send(buffer.bytes());
}

void get_something(const Channel& channel) {
  try {
    channel.try_get();
  } catch (const QueueClosed&) {
    return;  // the guest has closed it, which it may
  }
}

/// Answers at once, or keeps a request until it is cancelled or asked for the next one.
class Agent : public RequestHandler {
 public:
  void request(GuestRequest request) override { asked_.push_back(std::move(request)); }
  void cancel(std::uint64_t guest, std::uint32_t operation) override {
    std::erase_if(asked_, [&](const GuestRequest& request) {
      return request.guest == guest && (operation == 0 || request.operation == operation);
    });
  }
  void answer_some(Home& home) {
    while (asked_.size() > 1) {
      const GuestRequest request = std::move(asked_.front());
      asked_.erase(asked_.begin());
      home.answer(request.guest, request.operation, request.bytes);
    }
  }

 private:
  std::vector<GuestRequest> asked_;
};

/// What their node says of its processes at some time, before they come or after.
void tell_some_end(FuzzInput& input, ScriptedGuest& agent, const ScriptedGuest& guest) {
  agent.tell_ended(input.choose(2) == 0 ? guest.puid() : Puid::make(0, 2, 4711));
}

void play(FuzzInput input) {
  Agent agent;
  HomeScene scene({.limits = {.window = 4, .operations = 16, .request_bytes = 500}, .requests = &agent});
  const auto channel = Channel::create(scene.local, {.capacity = 3, .max_bytes = 1 << 20, .inline_size = 64},
                                       raw_bytes_type_hash, raw_bytes_type_name);
  ScriptedGuest& guest = scene.add_guest();
  guest.introduce();
  guest.open(channel.reference());
  ScriptedGuest& node_agent = scene.add_guest(Puid::make(0, 2, agent_sequence));
  node_agent.introduce();
  Bytes large = pattern(100'000);
  const auto registered = guest.endpoint->register_memory(large);
  while (!input.empty() && scene.home->guests() == 2) {
    say_something(input, guest, channel.reference(), registered->remote());
    if (input.choose(4) == 0) get_something(channel);
    if (input.choose(16) == 15) tell_some_end(input, node_agent, guest);
    scene.pass(std::chrono::milliseconds(input.choose(8)));
    agent.answer_some(*scene.home);
    scene.step();
  }
  scene.settle();

  ScriptedGuest& other = scene.add_guest();
  other.introduce();
  other.open(channel.reference());
  if (other.next().kind != FrameKind::opened) fail("the next guest cannot open the queue");
  other.say(FrameKind::size, 1);
  if (!other.next().is(FrameKind::value, 1)) fail("the next guest is not answered");
  scene.home.reset();
  if (const std::string wrong = audit(scene.node.segment(), channel.reference()); !wrong.empty()) fail(wrong);
}

}  // namespace
}  // namespace wyvern::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wyvern::test::play({data, size});
  return 0;
}
