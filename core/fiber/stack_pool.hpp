#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wyvern::detail {

/// How running over the end of a stack is noticed, from the best to the last resort.
enum class StackGuard : std::uint8_t {
  page_table,  ///< the lowest page is marked in the page tables (Linux 6.13): at once, and costs no mapping
  mapping,     ///< the lowest page cannot be accessed: at once, but each costs two mappings of the process
  zeros,  ///< the lowest bytes are looked at when the fiber is suspended: late, and only if it wrote there
};

/// Grows down from `top()`. Its pages take memory from their first use on.
struct Stack {
  std::byte* bottom = nullptr;
  std::size_t bytes = 0;
  StackGuard guard = StackGuard::page_table;

  std::byte* top() const { return bottom + bytes; }
};

/// The lowest part of a stack, which must not be touched.
inline constexpr std::size_t stack_guard_bytes = 4096;

/// Whether something was written to the lowest bytes of a stack that has no other guard. Does not take a
/// page: one that was never written to is read as zeros that all such pages share.
bool was_overrun(const Stack& stack);

/// The stacks of the fibers of one thread, which alone uses it. Those of the usual size are cut out of large
/// mappings, 64 from one, and used again, last given back first; the pages of up to 1024 stay in memory.
/// Nobody runs on any of them when the pool ends.
class StackPool {
 public:
  static constexpr std::size_t usual_bytes = std::size_t{128} << 10;

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  /// At least so many bytes, whole pages. Throws OutOfMemory.
  Stack take(std::size_t bytes);
  void give_back(const Stack& stack) noexcept;

  /// Guards of this process are from now on no better than that: for tests of what older kernels have.
  static void use_guards_from(StackGuard best);

 private:
  void map_slab();

  std::vector<std::byte*> slabs_;
  // Free ones, with their pages and without. Both have room for all that there can be.
  std::vector<Stack> warm_;
  std::vector<Stack> cold_;
};

}  // namespace wyvern::detail
