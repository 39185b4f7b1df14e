#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <wyvern/channels/ring.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/prefetch.hpp>

/// Where a message's bytes are: in its block, or, when they are more than that holds, in an extent that the
/// block names. Behind them stand the indices of the objects whose handles the message carries.
///
/// Invariant: an extent that belongs to a block of the channel is named by it. The block names it first, then
/// claims it by compare-and-swap on the extent's owner word; whoever dies between leaves a name without an
/// owner, which counts for nothing. So what a channel's payloads take is what its blocks name, and there is
/// no count that a death could spoil: `max_bytes` is kept by looking at the blocks, when it can matter at
/// all.
namespace wyvern {

/// What a put that waits for memory is interested in.
constexpr std::uint64_t payload_interest(std::uint32_t object, std::uint32_t size_class) {
  return (std::uint64_t{size_class} << 32) | object;
}

/// The block that a port holds.
inline BlockHeader& spare_block(const RingView& view, const BorrowedPort& port) {
  return view.block(port.spare().block());
}
/// Where the payload of a block begins; 64-byte aligned. For who owns the block.
inline std::byte* payload_memory(const RingView& view, BlockHeader& block) {
  const std::uint32_t extent = block.extent.load(std::memory_order_relaxed);  // acquired with the block
  return extent == 0 ? RingView::inline_payload(block) : view.segment().at(block.payload_offset);
}
/// Fetches what freeing the payload of a block will write, if there is anything.
inline void prefetch_release(const RingView& view, const BlockHeader& block) {
  const std::uint32_t extent = block.extent.load(std::memory_order_relaxed);
  if (extent != 0) prefetch_to_write(&view.segment().extent(extent - 1));
}

/// Gives the caller's block an extent with room for `bytes`. False if the channel's max_bytes leave no room:
/// nothing has changed. Throws TooLarge, OutOfMemory, NodeLost.
bool claim_payload(const RingView& view, const Member& member, std::uint32_t block, std::uint64_t bytes);
/// Its two halves, for the agent, which claims extents in its own way. Before: a look whether max_bytes leave
/// room, since a channel that is full must not make the node's memory grow, nor fail for lack of it; the
/// channel will have had an extent of that class from now on.
bool expect_payload(const RingView& view, std::uint32_t size_class);
/// After: whether they still do with the extent that the block has; if not, the block's payload is released.
bool keep_payload(const RingView& view, std::uint32_t block);
/// Frees the extent of a block that the caller owns (or, being the agent, has settled), if it has one, and
/// wakes who waits for memory. The message carries no handles any more. For any block, also one whose owner
/// died anywhere in here.
void release_payload(const RingView& view, std::uint32_t block);
inline bool holds_payload(const BlockHeader& block) {
  // Both acquired with the block.
  return (block.extent.load(std::memory_order_relaxed) | block.handles.load(std::memory_order_relaxed)) != 0;
}

/// Whether an extent of that class would be within max_bytes now. A channel that has no other payload takes
/// any.
bool accepts_payload(const RingView& view, std::uint32_t size_class);
/// Bytes of the extents that the channel's blocks name.
std::uint64_t payload_bytes(const RingView& view);

/// The bytes that a message with that payload and so many handles takes, and where the list of them begins.
constexpr std::uint64_t handle_list_offset(std::uint64_t payload_bytes) {
  return (payload_bytes + 3) / 4 * 4;
}
constexpr std::uint64_t message_bytes(std::uint64_t payload_bytes, std::size_t handles) {
  return handles == 0 ? payload_bytes : handle_list_offset(payload_bytes) + handles * sizeof(std::uint32_t);
}
/// Writes the list of a message's handles behind its payload, whose memory holds `message_bytes`. They are
/// objects of this node (stand_in.hpp says what it is for others), which the caller holds until the message
/// is in the ring. InvalidArgument for too many.
void write_handles(const RingView& view, BlockHeader& block, std::span<const ObjectReference> handles);
/// Writes a message into a block of the caller's, which has room for all of it.
inline void write_message(const RingView& view, BlockHeader& block, std::span<const std::byte> payload,
                          std::span<const ObjectReference> handles) {
  block.length = payload.size();
  if (!payload.empty()) std::memcpy(RingView::inline_payload(block), payload.data(), payload.size());
  if (!handles.empty()) [[unlikely]]
    write_handles(view, block, handles);
}
/// For the agent: whether the message in a block names an object, or may do so (look again later). Blocks
/// change hands while it looks; see object_hold.hpp for why that is enough.
bool carries_handle(const RingView& view, std::uint32_t block, std::uint32_t object);
/// For the agent, of a channel that nobody uses any more: appends the objects that the message in a block
/// names.
void add_handles(const RingView& view, std::uint32_t block, std::vector<std::uint32_t>& objects);

}  // namespace wyvern
