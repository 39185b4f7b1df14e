#pragma once

namespace wyvern {

/// Asks for a cache line that will be read soon.
inline void prefetch_to_read(const void* address) { __builtin_prefetch(address, 0); }

/// Asks for a cache line that will be written soon, as this core's own. A hint that x86-64 processors without
/// it take for a no-op; compilers would make a plain read of it unless told that every processor knows it.
inline void prefetch_to_write(const void* address) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace wyvern
