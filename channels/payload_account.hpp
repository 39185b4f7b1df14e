#pragma once

#include <cstdint>

#include <wyvern/channels/ring.hpp>
#include <wyvern/core/extent_pool.hpp>

/// How many bytes of extents a channel's messages take, against its max_bytes. {changes:16, bytes:48} in the
/// header. Invariant: while no process is `charging`, the count is the sum over the extents that are charged
/// to it. A process that dies while charging can break that; the agent then counts anew (see recount).
namespace wyvern {

/// Charges an extent that the caller's process owns; false if the channel would pass max_bytes. A single
/// payload is always accepted by a channel that has no other.
bool charge_extent(const RingView& view, ProcessEntry& caller, std::uint32_t extent);
/// Frees an extent of the channel, takes its charge back, if there is one, and wakes who waits for that.
/// `owner` and `who` are the caller's process, or the block that it has read or, being the agent, settled. No
/// effect if they do not own it.
void release_payload(const RingView& view, ProcessEntry& caller, std::uint32_t extent, ExtentOwner owner,
                     std::uint64_t who);
/// What a put that waits for bytes is interested in.
constexpr std::uint64_t payload_interest(std::uint32_t object, std::uint32_t size_class) {
  return (std::uint64_t{size_class} << 32) | object;
}
/// Whether an extent of that class would be accepted now.
bool accepts_extent(const RingView& view, std::uint32_t size_class);
std::uint64_t charged_bytes(const RingView& view);

/// For the agent, after a process died: counts the charged extents anew. False if somebody was charging
/// meanwhile; then it is to be tried again later.
bool recount_extents(const RingView& view);

}  // namespace wyvern
