#pragma once

#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/protocol/messages.hpp>

namespace wyvern::control {

/// A message that does not have the form it must have. What it asks for was not done.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One packet as it arrived: nothing of it is true before it was checked.
struct Packet {
  alignas(8) std::byte bytes[max_message_bytes];
  std::size_t size = 0;
  std::vector<FileDescriptor> descriptors;
  bool lacks_descriptors = false;  ///< it came with more than this process may have open
};

/// The header of a packet. Throws Malformed unless magic and size are right; the version may be another one.
MessageHeader header_of(const Packet& packet);

/// Throws Malformed unless the packet is one of `kind`, of this version, with exactly `bytes` bytes and that
/// many descriptors.
void check_form(const Packet& packet, MessageKind kind, std::size_t bytes, std::size_t descriptors);

/// Throws the error that an agent has answered with, if it has. Malformed if it has another form.
void throw_if_failed(const Packet& packet);

/// A copy of the packet as that message; see check_form.
template <class Message>
Message read_message(const Packet& packet, std::size_t descriptors = 0) {
  check_form(packet, Message::kind, sizeof(Message), descriptors);
  Message message;
  std::memcpy(&message, packet.bytes, sizeof message);
  return message;
}

/// A message with its header filled in and the rest zero.
template <class Message>
Message make_message(std::uint32_t serial) {
  Message message{};
  message.header = {.magic = message_magic,
                    .version = protocol_version,
                    .kind = Message::kind,
                    .bytes = sizeof(Message),
                    .serial = serial};
  return message;
}

/// The text in a field of fixed size. Throws Malformed if it is not terminated.
template <std::size_t size>
std::string read_text(const char (&field)[size]) {
  const void* end = std::memchr(field, '\0', size);
  if (end == nullptr) throw Malformed("a text in it is not terminated");
  return {field, static_cast<const char*>(end)};
}

/// Puts a text into a field of fixed size, cut if it is too long.
template <std::size_t size>
void write_text(char (&field)[size], std::string_view text) {
  const std::size_t length = text.copy(field, size - 1);
  field[length] = '\0';
}

}  // namespace wyvern::control
