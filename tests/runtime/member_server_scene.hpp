#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/member_server.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

namespace wyvern::agent {

inline constexpr std::uint64_t head_key = 4711;

/// The agent's side of the control protocol, and connections of this process to it.
class MemberServerTest : public testing::Test {
 protected:
  MemberServerTest()
      : segment_(Segment::create(
            {.memory_ceiling = std::uint64_t{64} << 20, .layout_hash = channels_layout_hash})),
        keeper_(segment_),
        forwarder_(loop_, STDOUT_FILENO, STDERR_FILENO),
        processes_(loop_, keeper_, forwarder_,
                   {.socket_name = "wyvern-test", .label = false, .descriptors = {64, 64}},
                   [](const JobProcess&, std::int32_t) {}),
        pidfd_(open_pidfd(::getpid())),
        server_(loop_, keeper_, processes_, names_, pidfd_.get(),
                {.leaving = [this](const auto& leaving) { leaving_.push_back(leaving); },
                 .disconnected = [this](Puid process) { disconnected_.push_back(process); },
                 .refuses_starts = [this] { return refuses_starts_; },
                 .network_plan = [this] { return plan_.get(); },
                 .log = [this](std::string_view line) { log_ += std::string(line) + "\n"; }}) {
    processes_.add_head(head_key);
    server_.let_join();
  }

  /// A new connection of this process.
  FileDescriptor connect() {
    auto [ours, theirs] = control::make_socket_pair();
    server_.adopt(std::move(theirs));
    return std::move(ours);
  }
  void turn() { loop_.run_once(EventLoop::Clock::now()); }

  template <class Message>
  void send(const FileDescriptor& socket, const Message& message, std::span<const int> descriptors = {}) {
    ASSERT_EQ(control::send_message(socket.get(), message, descriptors), control::Transfer::done);
    turn();
  }
  template <class Answer>
  Answer answer_on(const FileDescriptor& socket, std::size_t descriptors = 0) {
    control::Packet packet;
    EXPECT_EQ(control::receive_packet(socket.get(), packet), control::Transfer::done);
    return control::read_message<Answer>(packet, descriptors);
  }
  ErrorCode failure_on(const FileDescriptor& socket) {
    return static_cast<ErrorCode>(answer_on<control::Failed>(socket).code);
  }
  bool dropped(const FileDescriptor& socket) {
    control::Packet packet;
    return control::receive_packet(socket.get(), packet) == control::Transfer::closed;
  }

  static control::Attach attach_request(std::uint64_t key = head_key) {
    auto request = control::make_message<control::Attach>(1);
    request.layout_hash = channels_layout_hash;
    request.ticket_key = key;
    return request;
  }
  FileDescriptor attached() {
    FileDescriptor socket = connect();
    send(socket, attach_request());
    answer_on<control::Attached>(socket, 2);
    return socket;
  }

  /// Of a program that joins on that connection.
  Puid joined(const FileDescriptor& joiner) {
    send(joiner, control::make_message<control::Join>(1));
    return Puid(answer_on<control::Joined>(joiner, 1).puid);
  }
  void say_runs(const FileDescriptor& joiner, pid_t program, const FileDescriptor& pidfd) {
    auto runs = control::make_message<control::ProgramRuns>(0);
    runs.pid = static_cast<std::uint32_t>(program);
    const int descriptors[] = {pidfd.get()};
    send(joiner, runs, descriptors);
  }

  EventLoop loop_;
  Segment segment_;
  Keeper keeper_;
  OutputForwarder forwarder_;
  JobProcesses processes_;
  JobNames names_{keeper_};
  FileDescriptor plan_;
  FileDescriptor pidfd_;
  std::vector<MemberServer::Leaving> leaving_;
  std::vector<Puid> disconnected_;
  bool refuses_starts_ = false;
  std::string log_;
  MemberServer server_;
};

}  // namespace wyvern::agent
