#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/channels/remote/home.hpp>
#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/transport/loopback_endpoint.hpp>

#include "support/local_node.hpp"
#include "transport/mailbox.hpp"

namespace wyvern::test {

/// Its bytes as they are in messages.
std::span<const std::byte> bytes_of(std::string_view text);

/// A frame that a home has sent.
struct Said {
  wire::FrameKind kind = wire::FrameKind::none;
  wire::FrameFlags flags = 0;
  std::uint32_t opening = 0;
  std::uint32_t operation = 0;
  std::vector<std::byte> body;

  bool is(wire::FrameKind wanted, std::uint32_t of_operation) const {
    return kind == wanted && operation == of_operation;
  }
  std::string payload() const;
  std::uint64_t value() const;
  ErrorCode error() const;
};
/// "delivery 3", for messages of tests.
std::ostream& operator<<(std::ostream& out, const Said& said);

class HomeScene;

/// A process on another node as far as the home can tell: says frames, and keeps what it is told.
class ScriptedGuest : public EndpointHandler {
 public:
  ScriptedGuest(HomeScene& scene, Puid puid);

  /// Without looking whether that is right.
  void send(std::span<const std::byte> message);
  void say(wire::FrameKind kind, std::uint32_t operation, wire::FrameFlags flags = 0);
  void put(std::uint32_t operation, std::string_view payload, wire::FrameFlags flags = 0,
           std::span<const ObjectReference> handles = {});
  /// In one frame.
  void put_ahead(std::initializer_list<std::string_view> payloads);
  /// In one frame, with one answer.
  void put_run(std::uint32_t operation, std::initializer_list<std::string_view> payloads,
               wire::FrameFlags flags = wire::flag(wire::FrameFlag::answer));
  void put_large(std::uint32_t operation, const RemoteMemory& memory, wire::FrameFlags flags);

  /// As only the agent of that process's node does.
  void tell_ended(Puid process);

  /// Introduces itself.
  void introduce();
  void say_hello();
  void open(const ObjectReference& object, std::uint32_t opening = 1);
  /// The next frame that comes, of those that are not taken yet.
  Said next();
  /// Whether nothing more comes as long as nobody does anything.
  bool is_told_nothing();
  Puid puid() const { return puid_; }
  /// As if its process was killed.
  void die();
  void poll() {
    if (endpoint != nullptr) endpoint->poll(*this);
  }

  std::unique_ptr<LoopbackEndpoint> endpoint;
  std::deque<Said> told;
  std::optional<ReadResult> read_result;
  std::uint32_t current_opening = 1;  // of what is said

 private:
  void message(PeerNumber from, std::span<const std::byte> bytes) override;
  void send_failed(PeerNumber, int) override {}
  void read_ended(RemoteRead&, ReadResult result, int) override { read_result = result; }

  HomeScene& scene_;
  Puid puid_;
  PeerNumber home_ = 0;
  std::vector<std::byte> hello_;
  bool is_welcome_ = false;
};

/// A node with a home, and guests, all in this thread; time passes when the scene says so.
class HomeScene {
 public:
  explicit HomeScene(const HomeOptions& options = {}, const LoopbackSettings& network = {});

  /// A process of node 2, another one each time.
  ScriptedGuest& add_guest();
  ScriptedGuest& add_guest(Puid puid) { return guests.emplace_back(*this, puid); }
  /// Everybody polls once.
  void step();
  /// Until nothing moves.
  void settle();
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) step();
  }
  void pass(std::chrono::milliseconds time) { now += time; }

  LocalNode node;
  std::shared_ptr<Member> local = node.join();  // a process of the node
  std::shared_ptr<Member> home_member = node.join();
  JobKey key = JobKey::make();
  LoopbackNetwork network;
  std::unique_ptr<LoopbackEndpoint> made_endpoint = std::make_unique<LoopbackEndpoint>(network);
  LoopbackEndpoint& endpoint = *made_endpoint;  // the home's
  std::vector<std::string> reports;
  Home::Time now{};
  std::optional<Home> home;
  std::deque<ScriptedGuest> guests;
};

}  // namespace wyvern::test
