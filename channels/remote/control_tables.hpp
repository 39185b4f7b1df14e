#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <wyvern/core/agent_link.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/object_reference.hpp>

/// The bodies of frames that are sent once in a while: FlatBuffers tables, copied in both directions.
/// Decoding verifies first, and throws DecodeError for what is no such table.
namespace wyvern::wire {

/// What a put takes while a home holds it; a message of few bytes takes more than these.
constexpr std::size_t held_bytes(std::size_t payload_bytes) {
  constexpr std::size_t beside_payload = 160;
  return beside_payload + payload_bytes;
}

/// What a guest gets to know about a queue that it has opened.
struct QueueTerms {
  ObjectReference object;
  std::uint64_t capacity = 0;     ///< messages
  std::uint64_t inline_size = 0;  ///< bytes
  std::uint64_t max_bytes = 0;
  std::uint32_t window = 0;        ///< messages that may be put ahead of their answers
  std::uint32_t window_bytes = 0;  ///< and the held_bytes of all together, but for a single one
  std::uint32_t prefetch = 0;      ///< messages that may be asked for before they are wanted
  std::uint64_t type_hash = 0;
  std::string type_name;
  std::string name;
};

/// Why the home does not do what it was asked. The code of a newer version is passed on as it is.
struct Refusal {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string text;
};

std::vector<std::byte> encode_open(const ObjectReference& object);
ObjectReference decode_open(std::span<const std::byte> body);

std::vector<std::byte> encode_create(const ChannelSpec& spec);
ChannelSpec decode_create(std::span<const std::byte> body);

std::vector<std::byte> encode_opened(const QueueTerms& terms);
QueueTerms decode_opened(std::span<const std::byte> body);

/// A text that is longer than an error's usually is, is cut.
std::vector<std::byte> encode_refused(const Refusal& refusal);
Refusal decode_refused(std::span<const std::byte> body);

}  // namespace wyvern::wire
