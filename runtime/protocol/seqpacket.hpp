#pragma once

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

/// SOCK_SEQPACKET UNIX sockets in the abstract namespace: they keep messages apart, tell at once when the
/// other side has gone, carry descriptors, and leave nothing in any file system. Every descriptor made here
/// is close-on-exec.
namespace wyvern::control {

enum class Transfer {
  done,
  would_block,  ///< nothing was sent, or nothing has come
  closed,       ///< the other side has gone
};

/// Sends one packet without waiting. Descriptors stay with the caller.
Transfer send_packet(int socket, std::span<const std::byte> bytes, std::span<const int> descriptors = {});

template <class Message>
Transfer send_message(int socket, const Message& message, std::span<const int> descriptors = {}) {
  return send_packet(socket, std::as_bytes(std::span(&message, 1)), descriptors);
}

/// Takes one packet without waiting. A packet that is too long, or has too many descriptors, throws
/// Malformed; one that lacks some of its descriptors says so.
Transfer receive_packet(int socket, Packet& packet);

/// Waits until one of them is ready, as poll says; false: not in time.
bool wait_until_any_ready(std::span<pollfd> waited, Deadline deadline);
/// Waits until the socket is ready for those poll events (or has failed); false: not in time.
bool wait_until_ready(int socket, short events, Deadline deadline);

/// A connected pair.
std::pair<FileDescriptor, FileDescriptor> make_socket_pair();
/// A listening, non-blocking socket of that abstract name. Throws NodeLost.
FileDescriptor listen_at(const std::string& name);
/// A connection to it. Throws NodeLost if nobody listens, or does not answer within `patience`.
FileDescriptor connect_to(const std::string& name, std::chrono::milliseconds patience);

/// Who connected, as the kernel says.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  FileDescriptor pidfd;  ///< readable when the process has ended; invalid if it has gone already
};
Peer peer_of(int socket);

}  // namespace wyvern::control
