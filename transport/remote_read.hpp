#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wyvern {

class ReadSchedule;
class RegisteredMemory;

/// A peer of one endpoint, from add_peer on; never given to another one.
using PeerNumber = std::uint32_t;

/// Where memory of another process is that may be read: travels in messages. Says nothing to anybody else,
/// and a key cannot be guessed where the provider lets us choose it.
struct RemoteMemory {
  std::uint64_t address =
      0;  ///< as the provider counts: virtual, or from the beginning of what was registered
  std::uint64_t key = 0;
  std::uint64_t size = 0;  ///< bytes

  /// `offset + bytes` is at most `size`.
  RemoteMemory part(std::uint64_t offset, std::uint64_t bytes) const {
    return {.address = address + offset, .key = key, .size = bytes};
  }
};
static_assert(sizeof(RemoteMemory) == 24 && offsetof(RemoteMemory, size) == 16);

/// How a remote read ends, or does not.
enum class ReadResult : std::uint8_t {
  done,      ///< the bytes are there
  failed,    ///< some or all are not; nothing touches the destination any more
  abandoned  ///< as failed, but the peer is silent and the provider may still write: `failed` follows when it
             ///< no longer does, or the endpoint's end
};

/// Bytes that are fetched from a peer's memory, in pieces of which some are under way at a time. Belongs to
/// the caller and stays where it is, with the destination, from Endpoint::read until read_ended has said done
/// or failed, or the endpoint is gone.
class RemoteRead {
 public:
  RemoteRead(PeerNumber from, const RemoteMemory& source, std::span<std::byte> destination,
             const RegisteredMemory* destination_region = nullptr)
      : from_(from), source_(source), destination_(destination), region_(destination_region) {}
  RemoteRead(const RemoteRead&) = delete;
  RemoteRead& operator=(const RemoteRead&) = delete;

  PeerNumber from() const { return from_; }
  const RemoteMemory& source() const { return source_; }
  std::span<std::byte> destination() const { return destination_; }
  /// Of which the destination is a part; null if it is in none.
  const RegisteredMemory* destination_region() const { return region_; }
  /// Between Endpoint::read and its end.
  bool is_running() const { return is_running_; }

 private:
  friend ReadSchedule;

  PeerNumber from_;
  RemoteMemory source_;
  std::span<std::byte> destination_;
  const RegisteredMemory* region_;

  enum class Place : std::uint8_t { nowhere, waiting, ended };

  // The schedule's:
  std::uint64_t begun_ = 0;      // bytes of which the pieces are under way or there
  std::uint32_t under_way_ = 0;  // pieces
  int error_ = 0;                // of the first piece that failed
  bool is_running_ = false;
  Place place_ = Place::nowhere;
  RemoteRead* following_ = nullptr;  // in the list of that place
};

}  // namespace wyvern
