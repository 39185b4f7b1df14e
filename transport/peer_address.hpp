#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wyvern {

/// Where an endpoint is reached, and what has to be the same on both sides. Others get it as bytes, on a way
/// of their own, and need not understand them.
struct PeerAddress {
  std::string provider;               ///< at most 31 bytes
  std::uint32_t protocol = 0;         ///< fi_ep_attr::protocol
  std::uint32_t library_version = 0;  ///< FI_VERSION
  std::uint64_t epoch = 0;            ///< of the endpoint: another one at the same place has another
  std::uint32_t bell = 0;             ///< shm: ShmBell::memory_descriptor
  std::vector<std::byte> name;        ///< as fi_getname says; at most 256 bytes

  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};

/// What all addresses take at most.
inline constexpr std::size_t max_peer_address_bytes = 320;

/// Throws InvalidArgument if a part is too long.
std::vector<std::byte> encode_peer_address(const PeerAddress& address);
/// Throws DecodeError for bytes that are no address, VersionMismatch for those of a later version of Wyvern.
PeerAddress decode_peer_address(std::span<const std::byte> bytes);

/// Throws VersionMismatch, saying what both sides have, if an endpoint with the address `own` cannot talk to
/// one with the address `other`.
void check_same_protocol(const PeerAddress& own, const PeerAddress& other);

}  // namespace wyvern
