#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/arena.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::test {
namespace {

constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20;

class ArenaTest : public ::testing::Test {
 protected:
  /// What the kernel really has committed for the segment.
  std::uint64_t backed() const {
    struct stat status {};
    EXPECT_EQ(::fstat(segment_.fd(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }

  Segment segment_ = Segment::create({.memory_ceiling = 8 * mebibyte});
  Arena arena_{segment_};
  const std::uint64_t before_ = arena_.committed();
};

TEST_F(ArenaTest, memory_is_page_aligned_zeroed_and_counted) {
  const std::uint64_t offset = arena_.allocate(page_size + 1);

  EXPECT_EQ(offset % page_size, 0U);
  EXPECT_EQ(arena_.committed(), before_ + 2 * page_size);
  EXPECT_EQ(backed(), arena_.committed());
  for (std::size_t i = 0; i < 2 * page_size; ++i) ASSERT_EQ(*segment_.at(offset + i), std::byte{0});
}

TEST_F(ArenaTest, zero_bytes_are_a_page) {
  const std::uint64_t first = arena_.allocate(0);
  EXPECT_NE(first, arena_.allocate(0));
  EXPECT_EQ(arena_.committed(), before_ + 2 * page_size);
}

TEST_F(ArenaTest, released_memory_goes_back_to_the_kernel_and_is_zero_when_used_again) {
  const std::uint64_t offset = arena_.allocate(mebibyte);
  std::memset(segment_.at(offset), 7, mebibyte);

  arena_.release(offset, mebibyte);

  EXPECT_EQ(arena_.committed(), before_);
  EXPECT_EQ(backed(), before_);
  EXPECT_EQ(arena_.allocate(mebibyte), offset);
  EXPECT_EQ(*segment_.at(offset), std::byte{0});
}

TEST_F(ArenaTest, reaching_the_ceiling_is_out_of_memory_and_changes_nothing) {
  const std::uint64_t room = arena_.ceiling() - arena_.committed();
  const std::uint64_t offset = arena_.allocate(room - page_size);

  EXPECT_THROW(arena_.allocate(page_size + 1), OutOfMemory);

  EXPECT_EQ(arena_.committed(), before_ + room - page_size);
  EXPECT_EQ(backed(), arena_.committed());
  EXPECT_TRUE(arena_.has_room_for(page_size));
  EXPECT_FALSE(arena_.has_room_for(page_size + 1));
  EXPECT_NO_THROW(arena_.allocate(page_size)) << "what fits exactly still fits";
  arena_.release(offset, room - page_size);
  EXPECT_NO_THROW(arena_.allocate(room - page_size));
}

TEST_F(ArenaTest, out_of_memory_says_what_is_there_and_what_to_do) {
  // More than the ceiling, more than there are addresses for, more than any machine has.
  for (const std::uint64_t bytes : {9 * mebibyte, std::uint64_t{2} << 30, std::uint64_t{1} << 62}) {
    try {
      arena_.allocate(bytes);
      FAIL() << bytes;
    } catch (const OutOfMemory& error) {
      const std::string what = error.what();
      EXPECT_EQ(what.find(std::to_string(bytes / mebibyte) + ".0 MiB of shared memory wanted, but "), 0U)
          << what;
      EXPECT_NE(what.find(" of at most 8.0 MiB are in use on node 1; "), std::string::npos) << what;
      EXPECT_NE(what.find(" MiB in all"), std::string::npos) << what;
    }
  }
}

TEST_F(ArenaTest, absurd_sizes_are_out_of_memory) {
  EXPECT_THROW(arena_.allocate(~std::uint64_t{0}), OutOfMemory);
  EXPECT_THROW(arena_.allocate(std::uint64_t{1} << 62), OutOfMemory);
  EXPECT_FALSE(arena_.has_room_for(~std::uint64_t{0}));
  EXPECT_EQ(arena_.committed(), before_);
}

TEST_F(ArenaTest, error_says_how_much_is_used_and_what_to_try) {
  try {
    arena_.allocate(16 * mebibyte);
    FAIL();
  } catch (const OutOfMemory& error) {
    EXPECT_NE(std::string(error.what()).find("16.0 MiB"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("--memory"), std::string::npos) << error.what();
  }
}

TEST_F(ArenaTest, neighbours_are_joined_in_every_order_of_release) {
  const std::vector<std::vector<std::size_t>> orders{{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders) {
    std::vector<std::uint64_t> pieces;
    for (int i = 0; i < 3; ++i) pieces.push_back(arena_.allocate(mebibyte));
    for (const std::size_t i : order) arena_.release(pieces[i], mebibyte);

    const std::uint64_t whole = arena_.allocate(3 * mebibyte);
    EXPECT_EQ(whole, pieces[0]) << "the three pieces are one again";
    arena_.release(whole, 3 * mebibyte);
  }
  EXPECT_EQ(backed(), before_);
}

TEST_F(ArenaTest, a_part_of_a_piece_can_be_released) {
  const std::uint64_t offset = arena_.allocate(4 * page_size);

  arena_.release(offset + page_size, page_size);

  EXPECT_EQ(arena_.allocate(page_size), offset + page_size);
  EXPECT_NE(arena_.allocate(page_size), offset);
}

TEST_F(ArenaTest, table_grows_by_pages_and_says_how_far_it_is_ready) {
  const std::uint64_t table = segment_.header().directory_offset;
  std::atomic<std::uint32_t> ready = 0;

  arena_.commit_table(table, sizeof(DirectoryEntry), ready, 1, max_objects);
  EXPECT_EQ(ready, page_size / sizeof(DirectoryEntry));
  EXPECT_EQ(arena_.committed(), before_ + page_size);

  for (std::uint32_t count = 2; count <= 100; ++count) {
    arena_.commit_table(table, sizeof(DirectoryEntry), ready, count, max_objects);
    ASSERT_GE(ready, count);
    std::memset(segment_.at(table + (ready - 1) * sizeof(DirectoryEntry)), 1, sizeof(DirectoryEntry));
    ASSERT_EQ(backed(), arena_.committed()) << "entries that are ready were committed before";
  }
}

TEST_F(ArenaTest, table_has_a_limit) {
  std::atomic<std::uint32_t> ready = 0;
  const std::uint64_t table = segment_.header().directory_offset;
  EXPECT_THROW(arena_.commit_table(table, 64, ready, 11, 10), OutOfMemory);
  EXPECT_NO_THROW(arena_.commit_table(table, 64, ready, 10, 10));
  EXPECT_EQ(ready, 10U);
}

}  // namespace
}  // namespace wyvern::test
