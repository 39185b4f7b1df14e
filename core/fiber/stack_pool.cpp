#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/stack_pool.hpp>

namespace wyvern::detail {
namespace {

constexpr std::size_t page_bytes = 4096;
static_assert(stack_guard_bytes % page_bytes == 0);
constexpr std::size_t stacks_in_slab = 64;
constexpr std::size_t slab_bytes = stacks_in_slab * StackPool::usual_bytes;
/// So many stacks that nobody uses keep their pages.
constexpr std::size_t most_warm = 1024;
/// What a stack without another guard is looked at for.
constexpr std::size_t zero_bytes = 64;
/// MADV_GUARD_INSTALL, which the headers of Debian 12 do not have yet.
constexpr int install_guard = 102;
/// Half of the mappings that a process may have (vm.max_map_count, 65530), for others need some as well.
constexpr std::uint32_t most_mapped_guards = 16'384;

// Relaxed, both: a choice that any thread may make, and a count.
std::atomic<StackGuard> best_guard = StackGuard::page_table;
std::atomic<std::uint32_t> mapped_guards = 0;

std::byte* map_stacks(std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) {
    throw OutOfMemory(describe_errno("a fiber's stack (mapping " + std::to_string(bytes) + " bytes)", errno) +
                      "; run fewer fibers at a time, or with smaller stacks");
  }
  // A huge page would be resident as a whole for one fiber that uses a few hundred bytes of it.
  ::madvise(memory, bytes, MADV_NOHUGEPAGE);
  return static_cast<std::byte*>(memory);
}

bool mark_in_page_table(std::byte* bottom) {
  return best_guard.load(std::memory_order_relaxed) == StackGuard::page_table &&
         ::madvise(bottom, stack_guard_bytes, install_guard) == 0;
}

bool map_guard(std::byte* bottom) {
  if (best_guard.load(std::memory_order_relaxed) == StackGuard::zeros) return false;
  if (mapped_guards.fetch_add(1, std::memory_order_relaxed) < most_mapped_guards &&
      ::mprotect(bottom, stack_guard_bytes, PROT_NONE) == 0)
    return true;
  mapped_guards.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

StackGuard guard(std::byte* bottom) {
  if (mark_in_page_table(bottom)) return StackGuard::page_table;
  return map_guard(bottom) ? StackGuard::mapping : StackGuard::zeros;
}

void forget_guard(const Stack& stack) {
  if (stack.guard == StackGuard::mapping) mapped_guards.fetch_sub(1, std::memory_order_relaxed);
}

std::size_t round_to_pages(std::size_t bytes) { return (bytes + page_bytes - 1) / page_bytes * page_bytes; }

}  // namespace

bool was_overrun(const Stack& stack) {
  return stack.guard == StackGuard::zeros && std::any_of(stack.bottom, stack.bottom + zero_bytes,
                                                         [](std::byte byte) { return byte != std::byte{}; });
}

StackPool::~StackPool() {
  for (const auto* const stacks : {&warm_, &cold_}) {
    for (const Stack& stack : *stacks) forget_guard(stack);
  }
  for (std::byte* const slab : slabs_) ::munmap(slab, slab_bytes);
}

void StackPool::use_guards_from(StackGuard best) { best_guard.store(best, std::memory_order_relaxed); }

Stack StackPool::take(std::size_t bytes) {
  const std::size_t rounded = round_to_pages(bytes);
  if (rounded == usual_bytes) {
    if (warm_.empty() && cold_.empty()) map_slab();
    std::vector<Stack>& stacks = warm_.empty() ? cold_ : warm_;
    const Stack stack = stacks.back();
    stacks.pop_back();
    return stack;
  }
  std::byte* const bottom = map_stacks(rounded);
  return {.bottom = bottom, .bytes = rounded, .guard = guard(bottom)};
}

void StackPool::give_back(const Stack& stack) noexcept {
  if (stack.bytes != usual_bytes) {
    forget_guard(stack);
    ::munmap(stack.bottom, stack.bytes);
    return;
  }
  if (warm_.size() < most_warm) {
    warm_.push_back(stack);
    return;
  }
  ::madvise(stack.bottom + stack_guard_bytes, stack.bytes - stack_guard_bytes, MADV_DONTNEED);
  cold_.push_back(stack);
}

void StackPool::map_slab() {
  slabs_.reserve(slabs_.size() + 1);
  warm_.reserve(most_warm);  // giving them back must not fail
  cold_.reserve((slabs_.size() + 1) * stacks_in_slab);
  std::byte* const slab = map_stacks(slab_bytes);
  slabs_.push_back(slab);
  for (std::size_t i = stacks_in_slab; i-- != 0;) {  // the lowest is taken first
    std::byte* const bottom = slab + i * usual_bytes;
    cold_.push_back({.bottom = bottom, .bytes = usual_bytes, .guard = guard(bottom)});
  }
}

}  // namespace wyvern::detail
