#include <wyvern/core/error.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

namespace wyvern::control {

MessageHeader header_of(const Packet& packet) {
  MessageHeader header;
  if (packet.size < sizeof header) {
    throw Malformed("it has " + std::to_string(packet.size) + " bytes, less than a header");
  }
  std::memcpy(&header, packet.bytes, sizeof header);
  if (header.magic != message_magic) throw Malformed("it does not start like a message of wyvern");
  if (header.bytes != packet.size) {
    throw Malformed("it has " + std::to_string(packet.size) + " bytes and says it has " +
                    std::to_string(header.bytes));
  }
  return header;
}

void check_form(const Packet& packet, MessageKind kind, std::size_t bytes, std::size_t descriptors) {
  const MessageHeader header = header_of(packet);
  const auto kind_name = [](MessageKind k) { return "kind " + std::to_string(static_cast<unsigned>(k)); };
  if (header.version != protocol_version) {
    throw Malformed("it is of protocol version " + std::to_string(header.version) + ", expected " +
                    std::to_string(protocol_version));
  }
  if (header.kind != kind)
    throw Malformed("it is of " + kind_name(header.kind) + ", expected " + kind_name(kind));
  if (packet.size != bytes) {
    throw Malformed("a message of " + kind_name(kind) + " has " + std::to_string(bytes) +
                    " bytes, this one " + std::to_string(packet.size));
  }
  if (packet.descriptors.size() != descriptors) {
    throw Malformed("a message of " + kind_name(kind) + " comes with " + std::to_string(descriptors) +
                    " descriptors, this one with " + std::to_string(packet.descriptors.size()));
  }
}

void throw_if_failed(const Packet& packet) {
  if (header_of(packet).kind != MessageKind::failed) return;
  // Of any version: this is how an agent says that it has another one.
  if (packet.size != sizeof(Failed)) throw Malformed("its failure is of an unknown form");
  Failed failure;
  std::memcpy(&failure, packet.bytes, sizeof failure);
  throw_error(static_cast<ErrorCode>(failure.code), read_text(failure.text));
}

}  // namespace wyvern::control
