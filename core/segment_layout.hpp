#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/// What lies in a node's shared memory, as plain structs addressed by offset. Everything here is shared
/// between processes that were built separately: whoever changes it raises `layout_version`.
namespace wyvern {

inline constexpr std::uint64_t segment_magic = 0x314E'5245'5659'5721;  // "!WYVERN1"
inline constexpr std::uint32_t layout_version = 5;
inline constexpr std::size_t page_size = 4096;
inline constexpr std::size_t cache_line = 64;

/// Processes attached to one node at a time; a holder bitmap has one bit for each.
inline constexpr std::uint32_t max_processes = 4096;
/// What the agent itself owns things as; no process has it.
inline constexpr std::uint32_t agent_process_index = max_processes - 1;
/// Threads that wait at the same time on one node; a waiter set has one bit for each, found by one summary
/// word.
inline constexpr std::uint32_t max_parkers = 4096;
/// Signals that one parker tells apart: what its fibers wait for is spread over so many.
inline constexpr std::uint32_t max_signals = 512;
/// Processes ever started on one node: each leaves its exit record, so that it can be joined at any later
/// time.
inline constexpr std::uint32_t max_exit_records = 1U << 24;
/// Objects alive at a time on one node.
inline constexpr std::uint32_t max_objects = 1U << 20;
/// Extents (large payloads) at a time on one node.
inline constexpr std::uint32_t max_extents = 1U << 20;
inline constexpr std::uint32_t extents_in_group = 64;
inline constexpr std::uint32_t max_extent_groups = max_extents / extents_in_group;
inline constexpr std::uint32_t max_extent_classes = 128;
/// Spin permits are one a usable core; more cores than this share what there is.
inline constexpr std::uint32_t max_spin_permits = 64;

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);

/// A process of this node. `process index` everywhere means the position in this table; it is given out again
/// only after everything that its last user owned was settled.
struct alignas(cache_line) ProcessEntry {
  std::atomic<std::uint64_t> puid;    ///< 0: the entry is free
  std::atomic<std::uint32_t> os_pid;  ///< for displays; 0: not known yet
  std::uint32_t reserved0;
  std::atomic<std::uint64_t> homes;  ///< nodes whose homes may know the process, and miss it; see node_bit
  std::uint64_t reserved[5];
};
static_assert(sizeof(ProcessEntry) == 64);

/// Of a node in a set of nodes; with more than 64 nodes some share one.
constexpr std::uint64_t node_bit(std::uint32_t node) { return std::uint64_t{1} << ((node - 1) % 64); }

/// One sleeping place of one thread. See parker.hpp for the protocol, signal.hpp for the signals.
struct alignas(cache_line) ParkerCell {
  std::atomic<std::uint32_t> state;  ///< the futex word
  std::atomic<std::uint32_t> owner;  ///< process index + 1; 0: free
  std::atomic<std::uint64_t> interest;
  std::atomic<std::uint64_t> notified_at;    ///< ns, monotonic clock
  std::atomic<std::uint32_t> takes_signals;  ///< 1: its thread runs fibers
  std::atomic<std::uint32_t> signalled_all;  ///< 1: stands for every signal
  std::uint64_t reserved[4];
  std::atomic<std::uint64_t>
      signals[max_signals / 64];  ///< a line of its own: threads without fibers use none
};
static_assert(sizeof(ParkerCell) == 64 + max_signals / 8);

/// An object (queue) of this node: where it is and who holds it. See object_hold.hpp for the protocol.
struct alignas(cache_line) DirectoryEntry {
  std::atomic<std::uint64_t> id;     ///< ObjectId; 0: free
  std::atomic<std::uint64_t> state;  ///< {changes:62, phase:2}
  std::uint64_t offset;              ///< of the object
  std::uint64_t bytes;
  std::atomic<std::uint32_t> carried;      ///< 1 once a message, or another object, has named it
  std::atomic<std::uint32_t> is_stand_in;  ///< 1: for an object of another node; there is nothing at `offset`
  std::uint64_t reserved[3];
  std::atomic<std::uint64_t> holders[max_processes / 64];  ///< one bit a process
};
static_assert(sizeof(DirectoryEntry) == 64 + 512);

/// A piece of memory for one large payload. See extent_pool.hpp for the protocol of the owner word.
struct alignas(32) ExtentDescriptor {
  std::atomic<std::uint64_t> owner;  ///< {generation, kind, who}
  std::uint64_t offset;
  std::uint32_t size_class;
  std::uint32_t reserved[3];
};
static_assert(sizeof(ExtentDescriptor) == 32);

/// 64 extents of one size class. `maybe_free` is a hint; the owner words are the truth.
struct ExtentGroup {
  std::atomic<std::uint64_t> maybe_free;
  std::uint32_t next;  ///< next group of the class, + 1; 0: last
  std::uint32_t size_class;
};
static_assert(sizeof(ExtentGroup) == 16);

inline constexpr std::size_t agent_socket_bytes = 64;

/// {expiry in us of the monotonic clock:51, process index + 1:13}; 0: free. See spin.hpp.
struct alignas(cache_line) SpinPermit {
  std::atomic<std::uint64_t> holder;
};

/// The first page of a segment. Magic, version and hash are checked before anything else is touched.
struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t header_bytes;
  std::uint64_t layout_hash;  ///< over the sizes and offsets of all shared structs
  std::uint64_t reserve_bytes;
  std::uint64_t memory_ceiling;  ///< bytes that may be committed
  std::uint32_t system;
  std::uint32_t node;
  std::uint32_t agent_pid;
  std::uint32_t usable_cores;
  std::uint32_t nodes;  ///< of the job
  std::uint32_t job;    ///< the operating system's pid of what began it: the launcher, or the head itself
  std::uint64_t processes_offset;
  std::uint64_t parkers_offset;
  std::uint64_t exit_records_offset;
  std::uint64_t directory_offset;
  std::uint64_t extent_groups_offset;
  std::uint64_t extents_offset;
  std::uint64_t arena_offset;
  char agent_socket[agent_socket_bytes];  ///< its abstract name, ended by a zero; empty: it has none
  alignas(cache_line) std::atomic<std::uint32_t> wake_cost_ns;  ///< running estimate of a futex wake-up
  std::atomic<std::uint64_t> committed_bytes;                   ///< written by the agent only
  std::atomic<std::uint32_t> exit_records_ready;                ///< records below this are committed
  std::atomic<std::uint32_t> objects_ready;  ///< directory entries below this are committed
  std::atomic<std::uint32_t> groups_ready;   ///< extent groups made so far
  std::atomic<std::uint32_t> name_changes;   ///< counts names that came to be; waited on by open_queue
  std::atomic<std::uint32_t> parkers_used;   ///< those from this on have never had an owner
  alignas(cache_line) std::atomic<std::uint32_t> extent_classes[max_extent_classes];  ///< first group + 1
  alignas(cache_line) SpinPermit permits[max_spin_permits];
};
static_assert(sizeof(SegmentHeader) <= 2 * page_size);

/// What became of a process: {status:32 | phase:8}. Kept for the life of the job.
enum class ExitPhase : std::uint64_t { not_started = 0, running = 1, exited = 2 };

constexpr std::uint64_t make_exit_record(ExitPhase phase, std::int32_t status) {
  return (std::uint64_t{static_cast<std::uint32_t>(status)} << 8) | static_cast<std::uint64_t>(phase);
}
constexpr ExitPhase exit_phase(std::uint64_t record) { return static_cast<ExitPhase>(record & 0xff); }
constexpr std::int32_t exit_status(std::uint64_t record) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(record >> 8));
}

/// FNV-1a over numbers: how layouts are told apart.
constexpr std::uint64_t mix_layout(std::uint64_t hash, std::uint64_t value) {
  for (int byte = 0; byte < 8; ++byte) hash = (hash ^ ((value >> (8 * byte)) & 0xff)) * 0x100000001b3;
  return hash;
}
template <class... Numbers>
constexpr std::uint64_t hash_layout(std::uint64_t start, Numbers... numbers) {
  ((start = mix_layout(start, static_cast<std::uint64_t>(numbers))), ...);
  return start;
}

inline constexpr std::uint64_t core_layout_hash = hash_layout(
    0xcbf29ce484222325, layout_version, sizeof(SegmentHeader), offsetof(SegmentHeader, wake_cost_ns),
    offsetof(SegmentHeader, extent_classes), offsetof(SegmentHeader, permits), sizeof(ProcessEntry),
    sizeof(ParkerCell), offsetof(ParkerCell, signals), sizeof(DirectoryEntry),
    offsetof(DirectoryEntry, holders), sizeof(ExtentDescriptor), sizeof(ExtentGroup), max_processes,
    max_parkers, max_exit_records, max_objects, max_extents, offsetof(ProcessEntry, homes));

}  // namespace wyvern
