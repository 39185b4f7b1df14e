#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t round_to_pages(std::uint64_t bytes) {
  return (bytes + page_size - 1) / page_size * page_size;
}

/// Addresses for the arena: four times what may be committed, so that fragmentation costs addresses, not
/// memory.
constexpr std::uint64_t arena_addresses(std::uint64_t ceiling) {
  return std::max<std::uint64_t>(round_to_pages(ceiling) * 4, std::uint64_t{1} << 30);
}

constexpr int to_use = PROT_READ | PROT_WRITE;

std::byte* map(int fd, std::size_t bytes, int protection) {
  void* base = ::mmap(nullptr, bytes, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
  if (base == MAP_FAILED) {
    throw OutOfMemory(
        describe_errno("mapping " + std::to_string(bytes >> 20) + " MiB of addresses for the node's segment",
                       errno) +
        "; is the limit on virtual memory (ulimit -v) lower than that?");
  }
  ::madvise(base, bytes, MADV_DONTDUMP);  // a core file of one process need not hold the whole node
  return static_cast<std::byte*>(base);
}

std::string describe_layout(std::uint32_t version, std::uint64_t hash) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "layout " + std::to_string(version) + " (";
  for (int shift = 60; shift >= 0; shift -= 4) text += digits[(hash >> shift) & 0xf];
  return text + ")";
}

}  // namespace

Segment::Segment(FileDescriptor fd, std::byte* base, std::size_t bytes)
    : fd_(std::move(fd)), base_(base), bytes_(bytes) {}

Segment::Segment(Segment&& other) noexcept
    : fd_(std::move(other.fd_)),
      base_(std::exchange(other.base_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

Segment::~Segment() {
  if (base_ != nullptr) ::munmap(base_, bytes_);
}

Segment Segment::create(const SegmentOptions& options) {
  SegmentHeader layout{};
  std::uint64_t end = round_to_pages(sizeof(SegmentHeader));
  const auto place = [&end](std::uint64_t bytes) { return std::exchange(end, end + round_to_pages(bytes)); };
  layout.processes_offset = place(sizeof(ProcessEntry) * std::uint64_t{max_processes});
  layout.parkers_offset = place(sizeof(ParkerCell) * std::uint64_t{max_parkers});
  const std::uint64_t committed = end;
  layout.exit_records_offset = place(sizeof(std::uint64_t) * std::uint64_t{max_exit_records});
  layout.directory_offset = place(sizeof(DirectoryEntry) * std::uint64_t{max_objects});
  layout.extent_groups_offset = place(sizeof(ExtentGroup) * std::uint64_t{max_extent_groups});
  layout.extents_offset = place(sizeof(ExtentDescriptor) * std::uint64_t{max_extents});
  layout.arena_offset = place(arena_addresses(options.memory_ceiling));

  FileDescriptor fd(::memfd_create("wyvern-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) throw OutOfMemory(describe_errno("memfd_create for the node's segment", errno));
  if (::ftruncate(fd.get(), static_cast<off_t>(end)) != 0) {
    throw OutOfMemory(
        describe_errno("reserving " + std::to_string(end >> 20) + " MiB for the node's segment", errno));
  }
  if (committed > options.memory_ceiling) {
    throw OutOfMemory("a node's tables take " + std::to_string(committed) +
                      " bytes, more than the memory ceiling of " + std::to_string(options.memory_ceiling) +
                      "; raise it with --memory or WYVERN_MEMORY");
  }
  int result = 0;
  do {
    result = ::fallocate(fd.get(), 0, 0, static_cast<off_t>(committed));
  } while (result != 0 && errno == EINTR);
  if (result != 0) throw OutOfMemory(describe_errno("committing the tables of the node's segment", errno));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw OutOfMemory(describe_errno("sealing the node's segment", errno));
  }

  Segment segment(std::move(fd), nullptr, end);
  segment.base_ = map(segment.fd_.get(), end, to_use);
  auto* header = new (segment.base_) SegmentHeader{};
  header->processes_offset = layout.processes_offset;
  header->parkers_offset = layout.parkers_offset;
  header->exit_records_offset = layout.exit_records_offset;
  header->directory_offset = layout.directory_offset;
  header->extent_groups_offset = layout.extent_groups_offset;
  header->extents_offset = layout.extents_offset;
  header->arena_offset = layout.arena_offset;
  header->version = layout_version;
  header->header_bytes = sizeof(SegmentHeader);
  header->layout_hash = options.layout_hash;
  header->reserve_bytes = end;
  header->memory_ceiling = options.memory_ceiling;
  header->system = options.system;
  header->node = options.node;
  header->nodes = options.nodes;
  header->job = options.job;
  options.agent_socket.copy(header->agent_socket, agent_socket_bytes - 1);
  header->agent_pid = static_cast<std::uint32_t>(::getpid());
  header->usable_cores = std::max<std::uint32_t>(options.usable_cores, 1);
  header->committed_bytes.store(committed, std::memory_order_relaxed);
  // Release: who finds it in the file finds the rest of the header too.
  std::atomic_ref(header->magic).store(segment_magic, std::memory_order_release);
  return segment;
}

Segment Segment::attach(FileDescriptor fd, std::uint64_t layout_hash) {
  return attach(std::move(fd), layout_hash, to_use);
}

Segment Segment::attach_to_read(FileDescriptor fd, std::uint64_t layout_hash) {
  return attach(std::move(fd), layout_hash, PROT_READ);
}

Segment Segment::attach(FileDescriptor fd, std::uint64_t layout_hash, int protection) {
  // The first words are read from the file before anything is mapped by what they say.
  struct stat status {};
  struct {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t header_bytes;
    std::uint64_t layout_hash;
    std::uint64_t reserve_bytes;
  } start{};
  static_assert(offsetof(SegmentHeader, layout_hash) == 16 && offsetof(SegmentHeader, reserve_bytes) == 24);
  if (::fstat(fd.get(), &status) != 0 || ::pread(fd.get(), &start, sizeof start, 0) != sizeof start ||
      start.magic != segment_magic) {
    throw VersionMismatch("this is not the segment of a wyvern node; is the agent another program's?");
  }
  if (start.version != layout_version || start.layout_hash != layout_hash ||
      start.header_bytes != sizeof(SegmentHeader)) {
    throw VersionMismatch("the node's segment has " + describe_layout(start.version, start.layout_hash) +
                          ", this program was built for " + describe_layout(layout_version, layout_hash) +
                          "; build the program and the launcher from the same version");
  }
  if (static_cast<std::uint64_t>(status.st_size) != start.reserve_bytes ||
      start.reserve_bytes < sizeof(SegmentHeader)) {
    throw VersionMismatch("the node's segment has " + std::to_string(status.st_size) +
                          " bytes where its header says " + std::to_string(start.reserve_bytes));
  }
  Segment segment(std::move(fd), nullptr, start.reserve_bytes);
  segment.base_ = map(segment.fd_.get(), start.reserve_bytes, protection);
  return segment;
}

}  // namespace wyvern
