#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// To how much a registration cache may grow; what is in use may be more.
struct RegistrationLimits {
  /// Most networks lock it in memory. Where the system allows less, that is the limit.
  std::size_t bytes = std::size_t{256} << 20;
  std::size_t entries = 1024;  ///< the tables of networks hold some thousands
};

struct RegistrationCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t evicted = 0;
};

/// Registrations of the user's memory that are kept for the next time: registering costs microseconds to
/// milliseconds. Whole pages are registered, so that what lies side by side is found again; a peer who has
/// the key can read all of them.
///
/// **Call `forget` before memory that was ever passed to `get` is unmapped or given back to the system**
/// (free of large blocks does). A registration knows the pages that were there when it was made: if others
/// are mapped at the same addresses later, a peer reads, or a read fills, the old ones, without an error.
/// Libraries that watch for munmap by patching it, or by userfaultfd, change the behaviour of the whole
/// program, miss system calls, and have to be right for every allocator; memory of which this cannot be said
/// belongs in a pool that is registered once.
///
/// For the endpoint's thread, registrations that it gave out included; the endpoint outlives both.
class RegistrationCache {
 public:
  explicit RegistrationCache(Endpoint& endpoint, const RegistrationLimits& limits = {});

  /// A registration of at least that memory, to be held while it is used. Throws InvalidArgument for no
  /// memory, FabricError if it cannot be registered, also when all that nobody uses has been given up.
  std::shared_ptr<RegisteredMemory> get(std::span<std::byte> memory);
  /// Drops every registration that touches that memory. One that is in use ends with its last user: the
  /// memory has to stay until then.
  void forget(std::span<const std::byte> memory);

  const RegistrationCounters& counters() const { return counters_; }
  /// Registered and in the cache.
  std::size_t bytes() const { return bytes_; }
  std::size_t entries() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<RegisteredMemory> memory;
    std::uint64_t last_used = 0;
  };
  /// By first address. No entry lies within another, so ends are in the same order.
  using Entries = std::map<std::uintptr_t, Entry>;

  std::shared_ptr<RegisteredMemory> add(std::span<std::byte> pages);
  std::shared_ptr<RegisteredMemory> register_pages(std::span<std::byte> pages);
  void evict_until(std::size_t bytes, std::size_t entries);
  Entries::iterator drop(Entries::iterator place);

  Endpoint& endpoint_;
  RegistrationLimits limits_;
  std::size_t page_bytes_;
  Entries entries_;
  std::size_t bytes_ = 0;
  std::uint64_t uses_ = 0;
  RegistrationCounters counters_;
};

/// How a peer reads a part of registered memory.
RemoteMemory remote_part(const RegisteredMemory& memory, std::span<const std::byte> part);

}  // namespace wyvern
