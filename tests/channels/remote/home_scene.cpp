#include "channels/remote/home_scene.hpp"

#include <stdexcept>

namespace wyvern::test {

using wire::FrameKind;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string Said::payload() const {
  const wire::Frame frame{.kind = kind, .flags = flags, .body = body};
  const wire::ReceivedCargo received = wire::read_cargo(frame);
  const auto& bytes = received.cargo.payload;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::uint64_t Said::value() const { return wire::read_value({.kind = kind, .body = body}); }
ErrorCode Said::error() const { return wire::decode_refused(body).code; }

std::ostream& operator<<(std::ostream& out, const Said& said) {
  return out << wire::name_of(said.kind) << ' ' << said.operation;
}

ScriptedGuest::ScriptedGuest(HomeScene& scene, Puid puid)
    : endpoint(std::make_unique<LoopbackEndpoint>(scene.network)),
      scene_(scene),
      puid_(puid),
      home_(endpoint->add_peer(scene.endpoint.address())) {}

void ScriptedGuest::send(std::span<const std::byte> message) {
  scene_.poll_until([&] { return endpoint->send(home_, message) == SendOutcome::done; });
}

void ScriptedGuest::say(FrameKind kind, std::uint32_t operation, wire::FrameFlags flags) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  buffer.add(kind, flags, current_opening, operation);
  send(buffer.bytes());
}

void ScriptedGuest::put(std::uint32_t operation, std::string_view payload, wire::FrameFlags flags,
                        std::span<const ObjectReference> handles) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  buffer.add_cargo(FrameKind::put, flags, current_opening, operation,
                   {.handles = handles, .payload = bytes_of(payload)});
  send(buffer.bytes());
}

void ScriptedGuest::put_ahead(std::initializer_list<std::string_view> payloads) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  for (const std::string_view payload : payloads) buffer.add_put_ahead(current_opening, bytes_of(payload));
  send(buffer.bytes());
}

void ScriptedGuest::put_run(std::uint32_t operation, std::initializer_list<std::string_view> payloads,
                            wire::FrameFlags flags) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  for (const std::string_view payload : payloads)
    buffer.add_to_run(flags, current_opening, operation, bytes_of(payload));
  send(buffer.bytes());
}

void ScriptedGuest::put_large(std::uint32_t operation, const RemoteMemory& memory, wire::FrameFlags flags) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  buffer.add_cargo(FrameKind::put, flags, current_opening, operation, {.memory = memory});
  send(buffer.bytes());
}

void ScriptedGuest::tell_ended(Puid process) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  buffer.add_ended(process);
  send(buffer.bytes());
}

void ScriptedGuest::say_hello() {
  hello_ = wire::make_hello(scene_.key, {.puid = puid_, .address = endpoint->address()},
                            scene_.endpoint.address());
  send(hello_);
}

void ScriptedGuest::introduce() {
  say_hello();
  scene_.poll_until([&] { return is_welcome_; });
}

void ScriptedGuest::open(const ObjectReference& object, std::uint32_t opening) {
  wire::FrameBuffer buffer(endpoint->largest_message());
  buffer.add(FrameKind::open, 0, opening, 0, wire::encode_open(object));
  send(buffer.bytes());
  current_opening = opening;
}

Said ScriptedGuest::next() {
  scene_.poll_until([&] { return !told.empty(); });
  Said said = std::move(told.front());
  told.pop_front();
  return said;
}

bool ScriptedGuest::is_told_nothing() {
  scene_.settle();
  return told.empty();
}

void ScriptedGuest::die() {
  scene_.network.kill(*endpoint);
  endpoint.reset();
}

void ScriptedGuest::message(PeerNumber, std::span<const std::byte> bytes) {
  if (!is_welcome_) {
    is_welcome_ = wire::is_welcome(scene_.key, hello_, bytes);
    if (!is_welcome_) throw std::logic_error("no welcome");
    return;
  }
  wire::FrameReader reader(bytes, wire::Sender::home);
  while (const auto frame = reader.next()) {
    told.push_back({.kind = frame->kind,
                    .flags = frame->flags,
                    .opening = frame->opening,
                    .operation = frame->operation,
                    .body = {frame->body.begin(), frame->body.end()}});
  }
}

HomeScene::HomeScene(const HomeOptions& options, const LoopbackSettings& network_settings)
    : network(network_settings) {
  HomeOptions reporting = options;
  reporting.report = [this](const std::string& text) { reports.push_back(text); };
  home.emplace(home_member, std::move(made_endpoint), key, reporting);
}

ScriptedGuest& HomeScene::add_guest() {
  return add_guest(Puid::make(0, 2, static_cast<std::uint32_t>(guests.size())));
}

void HomeScene::step() {
  home->poll(now);
  for (ScriptedGuest& guest : guests) guest.poll();
}

void HomeScene::settle() {
  // A frame that is answered takes some polls of both sides.
  constexpr int more_than_any_exchange_takes = 20;
  for (int i = 0; i < more_than_any_exchange_takes; ++i) step();
}

}  // namespace wyvern::test
