#include <array>
#include <cstring>
#include <string>

#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/core/codec/decoder.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::wire {
namespace {

enum class Body : std::uint8_t { none, value, table, cargo, bytes };

/// What frames of a kind look like.
struct Form {
  bool is_known = false;
  Sender sender = Sender::guest;
  FrameFlags flags = 0;
  Body body = Body::none;
};

constexpr auto forms = [] {
  std::array<Form, 1 + static_cast<std::size_t>(FrameKind::MAX)> by_kind{};
  const auto set = [&](FrameKind kind, Sender sender, FrameFlags flags = 0, Body body = Body::none) {
    by_kind.at(static_cast<std::size_t>(kind)) = {true, sender, flags, body};
  };
  set(FrameKind::open, Sender::guest, 0, Body::table);
  set(FrameKind::let_go, Sender::guest);
  set(FrameKind::put, Sender::guest,
      flag(FrameFlag::answer) | flag(FrameFlag::now) | flag(FrameFlag::handles) | flag(FrameFlag::large) |
          flag(FrameFlag::ahead),
      Body::cargo);
  set(FrameKind::get, Sender::guest, flag(FrameFlag::lease) | flag(FrameFlag::now));
  set(FrameKind::cancel, Sender::guest);
  set(FrameKind::received, Sender::guest);
  set(FrameKind::give_back, Sender::guest, flag(FrameFlag::unseen));
  set(FrameKind::done, Sender::guest);
  set(FrameKind::task_done, Sender::guest);
  set(FrameKind::join, Sender::guest);
  set(FrameKind::size, Sender::guest);
  set(FrameKind::flush, Sender::guest);
  set(FrameKind::close, Sender::guest);
  set(FrameKind::create, Sender::guest, 0, Body::table);
  set(FrameKind::request, Sender::guest, flag(FrameFlag::more), Body::bytes);
  set(FrameKind::leave, Sender::guest);
  set(FrameKind::puts, Sender::guest, flag(FrameFlag::answer) | flag(FrameFlag::now), Body::bytes);
  set(FrameKind::ended, Sender::guest, 0, Body::value);
  set(FrameKind::opened, Sender::home, 0, Body::table);
  set(FrameKind::refused, Sender::home, 0, Body::table);
  set(FrameKind::credit, Sender::home);
  set(FrameKind::accepted, Sender::home);
  set(FrameKind::nothing, Sender::home);
  set(FrameKind::closed, Sender::home);
  set(FrameKind::delivery, Sender::home, flag(FrameFlag::large) | flag(FrameFlag::lease), Body::cargo);
  set(FrameKind::turned_back, Sender::home);
  set(FrameKind::value, Sender::home, 0, Body::value);
  set(FrameKind::reply, Sender::home, 0, Body::bytes);
  set(FrameKind::went_in, Sender::home, 0, Body::value);
  set(FrameKind::closed_after, Sender::home, 0, Body::value);
  return by_kind;
}();

/// Null: there is no such kind.
const Form* form_of(FrameKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < forms.size() && forms[index].is_known ? &forms[index] : nullptr;
}

template <class T>
T take(Decoder& decoder) {
  T taken{};
  decoder.read_bytes(&taken, sizeof taken);
  return taken;
}

}  // namespace

const char* name_of(FrameKind kind) { return form_of(kind) == nullptr ? "unknown" : EnumNameFrameKind(kind); }

void FrameReader::fail(const char* problem) const {
  throw DecodeError("a message of " + std::to_string(message_bytes_) + " bytes from " +
                    (sender_ == Sender::guest ? "a process" : "an agent") + " of another node, byte " +
                    std::to_string(message_bytes_ - rest_.size()) + ": " + problem +
                    "; do both nodes run the same version of Wyvern?");
}

std::optional<Frame> FrameReader::next() {
  if (rest_.empty()) return std::nullopt;
  FrameHeader header;
  if (rest_.size() < sizeof header) fail("too few for the head of a frame");
  std::memcpy(&header, rest_.data(), sizeof header);
  const Form* const form = form_of(header.kind());
  if (form == nullptr) fail("no known kind of frame");
  if (form->sender != sender_) fail("a kind of frame that the other side sends");
  if ((header.flags() & ~form->flags) != 0 || header.reserved() != 0) fail("flags that this kind has not");
  if (header.body_bytes() > rest_.size() - sizeof header) fail("a frame that is longer than the message");
  if (form->body == Body::none && header.body_bytes() != 0) fail("a body where there is none");
  if (form->body == Body::value && header.body_bytes() != sizeof(std::uint64_t))
    fail("a number of other size");
  const std::size_t bytes = sizeof header + header.body_bytes();
  const Frame frame{.kind = header.kind(),
                    .flags = header.flags(),
                    .opening = header.opening(),
                    .operation = header.operation(),
                    .body = rest_.subspan(sizeof header, header.body_bytes()),
                    .followed_by = rest_.size() - bytes};
  rest_ = rest_.subspan(bytes);
  return frame;
}

ReceivedCargo read_cargo(const Frame& frame) {
  ReceivedCargo received;
  Decoder decoder(frame.body);
  if (frame.kind == FrameKind::delivery && frame.has(FrameFlag::lease))
    received.cargo.deliveries = take<std::uint32_t>(decoder);
  if (frame.has(FrameFlag::handles)) {
    const auto count = take<std::uint32_t>(decoder);
    if (count == 0) decoder.fail("a list of no handles");
    if (count > decoder.remaining() / sizeof(Reference)) decoder.fail("more handles than there are bytes");
    received.handles.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto reference = take<Reference>(decoder);
      received.handles.push_back({.id = ObjectId(reference.id()), .index = reference.index()});
    }
  }
  if (!frame.has(FrameFlag::large)) {
    received.cargo.payload = decoder.take_bytes(decoder.remaining());
    return received;
  }
  const auto memory = take<Memory>(decoder);
  decoder.expect_end();
  if (memory.size() == 0) decoder.fail("a large payload of no bytes");
  received.cargo.memory = {.address = memory.address(), .key = memory.key(), .size = memory.size()};
  return received;
}

std::uint64_t read_value(const Frame& frame) {
  std::uint64_t value = 0;
  std::memcpy(&value, frame.body.data(), sizeof value);
  return value;
}

}  // namespace wyvern::wire
