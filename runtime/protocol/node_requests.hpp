#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/object_reference.hpp>

/// What a process asks the agent of another node, through the home there (GuestRequest), and the answers;
/// both encoded by their codecs. The version is that of the wire protocol, wire_version.
namespace wyvern::node_request {

/// Starts a process. Answered with its puid, a std::uint64_t.
struct Start {
  std::vector<std::byte> payload;  ///< see encode_start_payload; nothing is piped
  std::string program;             ///< the starter's, which lies at the same path there
  std::string directory;           ///< where it works; empty: the payload says it
};
/// A signal for a process and what is in its process group. Answered with nothing.
struct Signal {
  std::uint64_t puid = 0;
  std::int32_t signal = 0;
};
/// Nobody will wait for that process at the end of the job. Answered with nothing.
struct Detach {
  std::uint64_t puid = 0;
};
/// Answered with its status, a std::optional<std::int32_t>, once it has ended; at once, if it `is_now`.
struct WaitForExit {
  std::uint64_t puid = 0;
  bool is_now = false;
};
/// Answered with the place of one that has ended among these, a std::optional<std::uint64_t>, once there is
/// one; at once, if it `is_now`.
struct WaitForAnyExit {
  std::vector<std::uint64_t> puids;
  bool is_now = false;
};
/// Answered with nothing once the process holds all that its arguments name, or has ended.
struct WaitUntilReady {
  std::uint64_t puid = 0;
};
/// Answered with a NamedObject, once there is one; at once, if it `is_now`.
struct FindName {
  std::string name;
  bool is_now = false;
};
/// The name of an object on another node than the one that keeps names, unless it is taken: by another than
/// the object `instead_of` (0: none). Nobody has it any more, if `id` is 0. Answered with the NamedObject
/// that has it from now on.
struct BindName {
  std::string name;
  std::uint64_t id = 0;
  std::uint32_t index = 0;
  std::uint64_t instead_of = 0;
};
struct NamedObject {
  std::uint64_t id = 0;  ///< 0: there is none
  std::uint32_t index = 0;

  ObjectReference reference() const { return {.id = ObjectId(id), .index = index}; }
};

using Any =
    std::variant<Start, Signal, Detach, WaitForExit, WaitUntilReady, FindName, BindName, WaitForAnyExit>;

template <class T>
std::vector<std::byte> encode(const T& value) {
  std::vector<std::byte> bytes;
  encode_to(bytes, value);
  return bytes;
}

/// The node that keeps the names of the job: the head's, with which the job ends anyway.
inline constexpr std::uint32_t names_node = 1;

}  // namespace wyvern::node_request
