#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <wyvern/core/agent_link.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern {

/// A process's connection to its node's agent. From any thread; one request at a time. Everything but `leave`
/// throws NodeLost when the agent has gone, or does not answer within `answer_limit`, and else what the agent
/// answers.
class SocketAgentLink : public AgentLink {
 public:
  static constexpr std::chrono::seconds answer_limit{10};

  /// Over a connected socket.
  explicit SocketAgentLink(FileDescriptor socket) : socket_(std::move(socket)) {}

  /// What a process gets when it attaches.
  struct Admission {
    control::Attached message;
    FileDescriptor segment;
    FileDescriptor agent_pidfd;
    FileDescriptor payload;  ///< of a start; invalid if it was not started for something
  };
  /// The first request. Throws VersionMismatch too, if this program and the agent were built from different
  /// versions.
  Admission attach(const control::Ticket& ticket, std::uint64_t layout_hash);

  ObjectReference create_channel(const ChannelSpec& spec) override;
  std::optional<ObjectReference> find_object(const std::string& name) override;
  void grow_ports(ObjectReference channel) override;
  void grow_extents(std::uint32_t size_class) override;
  void attend(ObjectReference object) noexcept override;
  std::optional<NetworkPlan> network() override;

  struct Started {
    Puid puid;
    std::vector<FileDescriptor> piped;  ///< other ends of its standard streams that are, in their order
  };
  /// Starts a process; returns once it executes. `piped`: how many of its standard streams are. Throws
  /// SpawnFailed; OutOfMemory if this process may not have their ends open: it is killed then. The
  /// descriptors stay the caller's.
  Started start(const FileDescriptor& payload, const FileDescriptor& executable,
                const FileDescriptor& directory, std::size_t piped);
  void send_signal(Puid process, int signal);
  void detach(Puid process);
  /// This process holds what its arguments name.
  void say_ready() noexcept;
  /// The function of `wyvern::run` has returned: returns when nothing is left of what this process started,
  /// however long that takes. Throws NodeLost.
  void leave(int status);
  /// The process ends before that.
  void leave_early(int status) noexcept;
  /// Returns when the agent has ended and closed the connection, or at the deadline: whether it has.
  bool wait_for_end(Deadline deadline) noexcept;

 private:
  /// Sends a request and waits for its answer, which then is in `packet`; `patient`: however long it takes.
  void exchange(std::span<const std::byte> request, std::span<const int> descriptors, std::uint32_t serial,
                control::Packet& packet, bool patient);
  template <class Request, class Read>
  auto ask_and_read(Request& request, std::span<const int> descriptors, bool patient, Read read_answer);
  template <class Answer, class Request>
  Answer ask(Request& request, std::span<const int> descriptors = {}, bool patient = false);
  template <class Request>
  ObjectReference ask_for_object(Request& request);

  std::mutex mutex_;
  FileDescriptor socket_;
  std::string agent_name_ = "the agent of this node";  // for errors; its number comes with the admission
  std::uint32_t serial_ = 0;
};

}  // namespace wyvern
