#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <fmt/format.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/registration_cache.hpp>

namespace wyvern {
namespace {

std::uintptr_t begin_of(std::span<const std::byte> memory) {
  return reinterpret_cast<std::uintptr_t>(memory.data());
}
std::uintptr_t end_of(std::span<const std::byte> memory) { return begin_of(memory) + memory.size(); }

std::span<std::byte> whole_pages(std::span<std::byte> memory, std::size_t page_bytes) {
  const std::size_t before = begin_of(memory) % page_bytes;
  const std::size_t after = (page_bytes - end_of(memory) % page_bytes) % page_bytes;
  return {memory.data() - before, before + memory.size() + after};
}

bool is_limit_of_memory(int fabric_errno) { return fabric_errno == ENOMEM || fabric_errno == EAGAIN; }

std::string lock_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return "unknown";
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : fmt::format("{} KiB", limit.rlim_cur / 1024);
}

}  // namespace

RegistrationCache::RegistrationCache(Endpoint& endpoint, const RegistrationLimits& limits)
    : endpoint_(endpoint), limits_(limits), page_bytes_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {}

std::shared_ptr<RegisteredMemory> RegistrationCache::get(std::span<std::byte> memory) {
  if (memory.empty()) throw InvalidArgument("a registration of no memory was asked for");
  const std::span<std::byte> pages = whole_pages(memory, page_bytes_);
  // Of those that do not begin later, the last ends last.
  const auto later = entries_.upper_bound(begin_of(pages));
  if (later != entries_.begin()) {
    Entry& candidate = std::prev(later)->second;
    if (candidate.memory->contains(pages)) {
      ++counters_.hits;
      candidate.last_used = ++uses_;
      return candidate.memory;
    }
  }
  ++counters_.misses;
  return add(pages);
}

std::shared_ptr<RegisteredMemory> RegistrationCache::add(std::span<std::byte> pages) {
  evict_until(limits_.bytes - std::min(limits_.bytes, pages.size()),
              std::max<std::size_t>(limits_.entries, 1) - 1);
  std::shared_ptr<RegisteredMemory> memory = register_pages(pages);
  // What lies within it would never be found again.
  auto place = entries_.lower_bound(begin_of(pages));
  while (place != entries_.end() && memory->contains(place->second.memory->bytes())) place = drop(place);
  entries_.emplace_hint(place, begin_of(pages), Entry{.memory = memory, .last_used = ++uses_});
  bytes_ += pages.size();
  return memory;
}

std::shared_ptr<RegisteredMemory> RegistrationCache::register_pages(std::span<std::byte> pages) {
  try {
    return endpoint_.register_memory(pages);
  } catch (const FabricError& error) {
    if (!is_limit_of_memory(error.fabric_errno())) throw;
  }
  evict_until(0, 0);
  try {
    return endpoint_.register_memory(pages);
  } catch (const FabricError& error) {
    if (!is_limit_of_memory(error.fabric_errno())) throw;
    throw FabricError(
        fmt::format(
            "{} bytes cannot be registered while {} bytes in {} registrations are in use: {}. Memory that "
            "may be locked (ulimit -l) is {} here: raise that limit (memlock in "
            "/etc/security/limits.conf, LimitMEMLOCK= of a service), or have less under way at a time",
            pages.size(), bytes_, entries_.size(), error.what(), lock_limit()),
        error.fabric_errno());
  }
}

/// As far as nobody uses them, the least recently used first. A search of all for each: a registration costs
/// much more.
void RegistrationCache::evict_until(std::size_t bytes, std::size_t entries) {
  while (bytes_ > bytes || entries_.size() > entries) {
    auto oldest = entries_.end();
    for (auto place = entries_.begin(); place != entries_.end(); ++place) {
      const Entry& entry = place->second;
      if (entry.memory.use_count() == 1 &&
          (oldest == entries_.end() || entry.last_used < oldest->second.last_used))
        oldest = place;
    }
    if (oldest == entries_.end()) return;
    ++counters_.evicted;
    drop(oldest);
  }
}

RegistrationCache::Entries::iterator RegistrationCache::drop(Entries::iterator place) {
  bytes_ -= place->second.memory->bytes().size();
  return entries_.erase(place);
}

void RegistrationCache::forget(std::span<const std::byte> memory) {
  auto place = entries_.upper_bound(begin_of(memory));
  // Those that begin earlier and reach into it stand side by side before it: ends are in order.
  while (place != entries_.begin() && end_of(std::prev(place)->second.memory->bytes()) > begin_of(memory))
    --place;
  while (place != entries_.end() && place->first < end_of(memory)) place = drop(place);
}

RemoteMemory remote_part(const RegisteredMemory& memory, std::span<const std::byte> part) {
  return memory.remote().part(begin_of(part) - begin_of(memory.bytes()), part.size());
}

}  // namespace wyvern
