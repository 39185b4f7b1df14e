#include <wyvern/channels/payload_account.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/extent_pool.hpp>

namespace wyvern {
namespace {

constexpr unsigned byte_bits = 48;
constexpr std::uint64_t byte_mask = (std::uint64_t{1} << byte_bits) - 1;
constexpr std::uint64_t one_change = std::uint64_t{1} << byte_bits;

/// While it lives, the process says that a count and a charge may disagree. Sequentially consistent
/// throughout: the agent's recount reads flags, count, charges, flags, count in that order. Only large
/// payloads pay for it.
class Charging {
 public:
  explicit Charging(ProcessEntry& process) : threads_(process.charging) {
    threads_.fetch_add(1, std::memory_order_seq_cst);
  }
  ~Charging() { threads_.fetch_sub(1, std::memory_order_seq_cst); }
  Charging(const Charging&) = delete;
  Charging& operator=(const Charging&) = delete;

 private:
  std::atomic<std::uint32_t>& threads_;
};

bool fits(const RingView& view, std::uint64_t count, std::uint64_t bytes) {
  const std::uint64_t now = count & byte_mask;
  return now == 0 || now + bytes <= view.header().max_bytes;
}

bool anybody_charging(const Segment& segment) {
  for (std::uint32_t i = 0; i < max_processes; ++i) {
    if (segment.process(i).charging.load(std::memory_order_seq_cst) != 0) return true;
  }
  return false;
}

}  // namespace

bool charge_extent(const RingView& view, ProcessEntry& caller, std::uint32_t extent) {
  ExtentDescriptor& descriptor = view.segment().extent(extent);
  const std::uint64_t bytes = extent_class_bytes(descriptor.size_class);
  auto& count = view.header().extent_bytes;
  const Charging charging(caller);
  std::uint64_t seen = count.load(std::memory_order_seq_cst);
  do {
    if (!fits(view, seen, bytes)) return false;
  } while (!count.compare_exchange_weak(seen, seen + bytes + one_change, std::memory_order_seq_cst));
  CRASH_POINT("payload.charged");
  descriptor.charged_to.store(view.header().object + 1, std::memory_order_seq_cst);
  return true;
}

void release_payload(const RingView& view, ProcessEntry& caller, std::uint32_t extent, ExtentOwner owner,
                     std::uint64_t who) {
  ExtentDescriptor& descriptor = view.segment().extent(extent);
  if (!ExtentOwnerWord(descriptor.owner.load(std::memory_order_acquire)).is(owner, who)) return;
  const std::uint64_t bytes = extent_class_bytes(descriptor.size_class);
  {
    const Charging charging(caller);
    const bool charged = descriptor.charged_to.exchange(0, std::memory_order_seq_cst) != 0;
    CRASH_POINT("payload.discharged");
    // Free before it is counted as room: who is told that there is room finds the memory too.
    free_extent(view.segment(), extent, owner, who);
    if (charged) view.header().extent_bytes.fetch_add(one_change - bytes, std::memory_order_seq_cst);
  }
  view.header().payload_putters.wake_all(view.segment());
}

bool accepts_extent(const RingView& view, std::uint32_t size_class) {
  return fits(view, view.header().extent_bytes.load(std::memory_order_seq_cst),
              extent_class_bytes(size_class));
}

std::uint64_t charged_bytes(const RingView& view) {
  return view.header().extent_bytes.load(std::memory_order_seq_cst) & byte_mask;
}

bool recount_extents(const RingView& view) {
  const Segment& segment = view.segment();
  if (anybody_charging(segment)) return false;
  std::uint64_t before = view.header().extent_bytes.load(std::memory_order_seq_cst);
  const std::uint32_t groups = segment.header().groups_ready.load(std::memory_order_acquire);
  std::uint64_t sum = 0;
  for (std::uint32_t group = 0; group < groups; ++group) {
    for (std::uint32_t i = group * extents_in_group; i < (group + 1) * extents_in_group; ++i) {
      const ExtentDescriptor& extent = segment.extent(i);
      if (extent.charged_to.load(std::memory_order_seq_cst) == view.header().object + 1)
        sum += extent_class_bytes(extent.size_class);
    }
  }
  if (anybody_charging(segment)) return false;
  const std::uint64_t recounted = ((before + one_change) & ~byte_mask) | sum;
  if (!view.header().extent_bytes.compare_exchange_strong(before, recounted, std::memory_order_seq_cst))
    return false;
  view.header().payload_putters.wake_all(segment);
  return true;
}

}  // namespace wyvern
