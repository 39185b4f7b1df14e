#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern::test {
namespace {

constexpr std::uint64_t ceiling = std::uint64_t{4} << 20;

FileDescriptor duplicate(int fd) { return FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

/// A file with a segment's header in it, as `change` leaves it, and of its size unless told otherwise.
template <class Change>
FileDescriptor forged(const Segment& original, Change change) {
  std::vector<std::byte> page(sizeof(SegmentHeader));
  std::memcpy(page.data(), &original.header(), page.size());
  auto* header = reinterpret_cast<SegmentHeader*>(page.data());
  change(*header);
  FileDescriptor fd(::memfd_create("forged-segment", MFD_CLOEXEC));
  EXPECT_EQ(::pwrite(fd.get(), page.data(), page.size(), 0), static_cast<ssize_t>(page.size()));
  EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(original.reserve_bytes())), 0);
  return fd;
}

TEST(SegmentTest, what_one_mapping_writes_another_reads) {
  const Segment made =
      Segment::create({.system = 3, .node = 7, .memory_ceiling = ceiling, .usable_cores = 2});

  const Segment attached = Segment::attach(duplicate(made.fd()), core_layout_hash);

  EXPECT_EQ(attached.header().system, 3U);
  EXPECT_EQ(attached.header().node, 7U);
  made.process(max_processes - 1).puid = 42;
  made.parker(max_parkers - 1).owner = 43;
  EXPECT_EQ(attached.process(max_processes - 1).puid, 42U);
  EXPECT_EQ(attached.parker(max_parkers - 1).owner, 43U);
}

TEST(SegmentTest, tables_do_not_overlap) {
  const Segment made = Segment::create({.memory_ceiling = ceiling});
  const SegmentHeader& header = made.header();
  EXPECT_LE(sizeof(SegmentHeader), header.processes_offset);
  EXPECT_LE(header.processes_offset + max_processes * sizeof(ProcessEntry), header.parkers_offset);
  EXPECT_LE(header.parkers_offset + max_parkers * sizeof(ParkerCell), header.exit_records_offset);
  EXPECT_LE(header.exit_records_offset + max_exit_records * sizeof(std::uint64_t), header.directory_offset);
  EXPECT_LE(header.directory_offset + max_objects * sizeof(DirectoryEntry), header.extent_groups_offset);
  EXPECT_LE(header.extent_groups_offset + max_extent_groups * sizeof(ExtentGroup), header.extents_offset);
  EXPECT_LE(header.extents_offset + max_extents * sizeof(ExtentDescriptor), header.arena_offset);
  EXPECT_LE(header.arena_offset + ceiling, made.reserve_bytes());
}

TEST(SegmentTest, cannot_be_resized_by_whoever_has_it) {
  const Segment made = Segment::create({.memory_ceiling = ceiling});
  EXPECT_NE(::ftruncate(made.fd(), 0), 0);
  EXPECT_NE(::ftruncate(made.fd(), static_cast<off_t>(made.reserve_bytes() + page_size)), 0);
}

TEST(SegmentTest, ceiling_below_the_tables_is_out_of_memory) {
  EXPECT_THROW(Segment::create({.memory_ceiling = page_size}), OutOfMemory);
}

TEST(SegmentTest, unchanged_copy_of_a_header_is_accepted) {
  const Segment made = Segment::create({.memory_ceiling = ceiling});
  EXPECT_NO_THROW(Segment::attach(forged(made, [](SegmentHeader&) {}), core_layout_hash));
}

TEST(SegmentTest, other_headers_are_a_version_mismatch) {
  const Segment made = Segment::create({.memory_ceiling = ceiling});
  const auto refused = [&](auto change) {
    EXPECT_THROW(Segment::attach(forged(made, change), core_layout_hash), VersionMismatch);
  };
  refused([](SegmentHeader& header) { header.magic ^= 1; });
  refused([](SegmentHeader& header) { header.version += 1; });
  refused([](SegmentHeader& header) { header.layout_hash ^= 1; });
  refused([](SegmentHeader& header) { header.header_bytes += 64; });
  refused([](SegmentHeader& header) { header.reserve_bytes += page_size; });
  refused([](SegmentHeader& header) { header.reserve_bytes = 0; });
}

TEST(SegmentTest, other_layout_is_named_in_the_error) {
  const Segment made = Segment::create({.memory_ceiling = ceiling, .layout_hash = 0xabcdef});
  try {
    Segment::attach(duplicate(made.fd()), core_layout_hash);
    FAIL();
  } catch (const VersionMismatch& error) {
    EXPECT_NE(std::string(error.what()).find("0000000000abcdef"), std::string::npos) << error.what();
  }
}

TEST(SegmentTest, header_is_checked_before_anything_is_mapped) {
  const Segment made = Segment::create({.memory_ceiling = ceiling});
  // Mapping what this header says would take more addresses than there are: that must not even be tried.
  auto fd = forged(made, [](SegmentHeader& header) {
    header.version += 1;
    header.reserve_bytes = std::uint64_t{1} << 62;
  });
  EXPECT_THROW(Segment::attach(std::move(fd), core_layout_hash), VersionMismatch);
}

TEST(SegmentTest, truncated_file_is_a_version_mismatch) {
  const Segment made = Segment::create({.memory_ceiling = ceiling});
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{8}, std::uint64_t{24},
                                   std::uint64_t{page_size}, made.reserve_bytes() - page_size}) {
    FileDescriptor fd = forged(made, [](SegmentHeader&) {});
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    EXPECT_THROW(Segment::attach(std::move(fd), core_layout_hash), VersionMismatch) << size << " bytes";
  }
}

TEST(SegmentTest, descriptor_that_is_no_file_is_a_version_mismatch) {
  EXPECT_THROW(Segment::attach(FileDescriptor(), core_layout_hash), VersionMismatch);
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const FileDescriptor write_end(pipe_ends[1]);
  EXPECT_THROW(Segment::attach(FileDescriptor(pipe_ends[0]), core_layout_hash), VersionMismatch);
}

TEST(SegmentTest, moved_from_segment_has_nothing_to_unmap) {
  Segment first = Segment::create({.memory_ceiling = ceiling});
  const Segment second = std::move(first);
  EXPECT_EQ(second.header().magic, segment_magic);
}

}  // namespace
}  // namespace wyvern::test
