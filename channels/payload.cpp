#include <atomic>
#include <string>
#include <vector>

#include <wyvern/channels/payload.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>

namespace wyvern {
namespace {

std::uint64_t bytes_named_by(const RingView& view, const BlockHeader& block) {
  const std::uint32_t extent = block.extent.load(std::memory_order_seq_cst);
  return extent == 0 ? 0 : extent_class_bytes(view.segment().extent(extent - 1).size_class);
}

std::uint32_t block_count(const RingView& view) {
  return view.capacity() + view.header().port_count.load(std::memory_order_seq_cst);
}

/// Whether no payloads that this channel has ever had could pass its limit, whatever the blocks name.
bool limit_is_out_of_reach(const RingView& view) {
  const std::uint32_t largest = view.header().largest_extent.load(std::memory_order_seq_cst);
  return largest == 0 || extent_class_bytes(largest - 1) <= view.header().max_bytes / block_count(view);
}

void raise_largest(const RingView& view, std::uint32_t size_class) {
  auto& largest = view.header().largest_extent;
  std::uint32_t seen = largest.load(std::memory_order_seq_cst);
  while (seen < size_class + 1 &&
         !largest.compare_exchange_weak(seen, size_class + 1, std::memory_order_seq_cst)) {
  }
}

/// The words of a handle list are read by the agent while others may write there.
std::atomic_ref<std::uint32_t> handle_word(std::byte* payload, std::uint64_t offset) {
  return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(payload + offset));
}

}  // namespace

bool claim_payload(const RingView& view, const Member& member, std::uint32_t block, std::uint64_t bytes) {
  const auto size_class = extent_class_for(bytes);
  if (size_class && !expect_payload(view, *size_class)) return false;
  claim_extent(member, bytes, view.block(block).extent, block_identity(view.header().object, block));
  CRASH_POINT("payload.claimed");
  return keep_payload(view, block);
}

bool expect_payload(const RingView& view, std::uint32_t size_class) {
  raise_largest(view, size_class);
  return accepts_payload(view, size_class);
}

bool keep_payload(const RingView& view, std::uint32_t block) {
  // With the block, so that who reads the message need not look at the extent's descriptor first.
  BlockHeader& header = view.block(block);
  header.payload_offset = view.segment().extent(header.extent.load(std::memory_order_relaxed) - 1).offset;
  // What others have named since counts as well: named first and summed up then, two who come at once may
  // both be over the limit, but never both within it. Sequentially consistent throughout.
  const std::uint64_t own = bytes_named_by(view, header);
  if (limit_is_out_of_reach(view)) return true;
  const std::uint64_t all = payload_bytes(view);
  if (all == own || all <= view.header().max_bytes) return true;
  release_payload(view, block);
  return false;
}

void release_payload(const RingView& view, std::uint32_t block) {
  BlockHeader& header = view.block(block);
  if (header.handles.load(std::memory_order_relaxed) != 0) {
    // Sequentially consistent: after the reader's hold, before the agent's look at holders (object_hold.hpp).
    header.handles.store(0, std::memory_order_seq_cst);
    CRASH_POINT("payload.handles_cleared");
  }
  const std::uint32_t extent = header.extent.load(std::memory_order_relaxed);
  if (extent == 0) return;
  free_extent(view.segment(), extent - 1, block_identity(view.header().object, block));
  CRASH_POINT("payload.freed");
  header.extent.store(0, std::memory_order_seq_cst);
  CRASH_POINT("payload.unnamed");
  view.header().payload_putters.wake_all(view.segment());
}

bool accepts_payload(const RingView& view, std::uint32_t size_class) {
  if (limit_is_out_of_reach(view)) return true;
  const std::uint64_t now = payload_bytes(view);
  return now == 0 || now + extent_class_bytes(size_class) <= view.header().max_bytes;
}

std::uint64_t payload_bytes(const RingView& view) {
  const std::uint32_t blocks = block_count(view);
  std::uint64_t sum = 0;
  for (std::uint32_t block = 0; block < blocks; ++block) sum += bytes_named_by(view, view.block(block));
  return sum;
}

void write_handles(const RingView& view, BlockHeader& block, std::span<const ObjectReference> handles) {
  std::byte* payload = payload_memory(view, block);
  const std::uint64_t offset = handle_list_offset(block.length);
  if (handles.size() > HandleList::max_count) {
    throw InvalidArgument("a message carries at most " + std::to_string(HandleList::max_count) +
                          " queue handles, not " + std::to_string(handles.size()));
  }
  for (std::size_t i = 0; i < handles.size(); ++i) {
    // Sequentially consistent, like the agent's looks: before the object's flag is of use to it.
    view.segment().object(handles[i].index).carried.store(1, std::memory_order_seq_cst);
    handle_word(payload, offset + i * sizeof(std::uint32_t))
        .store(handles[i].index, std::memory_order_relaxed);
  }
  view.header().carries_handles.store(1, std::memory_order_seq_cst);
  block.handles.store(HandleList(offset, handles.size()).bits(), std::memory_order_seq_cst);
  CRASH_POINT("put.handles_listed");
}

namespace {

/// Calls `visit` with each object that the message in a block names, until it says true: then, and if the
/// list is torn, true.
template <class Visit>
bool visit_handles(const RingView& view, std::uint32_t block, Visit visit) {
  BlockHeader& header = view.block(block);
  const HandleList list(header.handles.load(std::memory_order_seq_cst));
  if (list.count() == 0) return false;
  // The words may be those of another message by now: bounded by the memory that is surely there.
  const std::uint32_t extent = header.extent.load(std::memory_order_seq_cst);
  const Segment& segment = view.segment();
  const std::uint64_t room =
      extent == 0 ? view.inline_size() : extent_class_bytes(segment.extent(extent - 1).size_class);
  std::byte* payload =
      extent == 0 ? RingView::inline_payload(header) : segment.at(segment.extent(extent - 1).offset);
  for (std::uint64_t i = 0; i < list.count(); ++i) {
    const std::uint64_t offset = list.offset_bytes() + i * sizeof(std::uint32_t);
    if (offset + sizeof(std::uint32_t) > room) return true;
    if (visit(handle_word(payload, offset).load(std::memory_order_relaxed))) return true;
  }
  return false;
}

}  // namespace

bool carries_handle(const RingView& view, std::uint32_t block, std::uint32_t object) {
  return visit_handles(view, block, [object](std::uint32_t named) { return named == object; });
}

void add_handles(const RingView& view, std::uint32_t block, std::vector<std::uint32_t>& objects) {
  visit_handles(view, block, [&objects](std::uint32_t named) {
    objects.push_back(named);
    return false;
  });
}

}  // namespace wyvern
