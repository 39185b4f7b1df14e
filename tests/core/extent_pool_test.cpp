#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/extent_pool.hpp>

#include "core_node.hpp"

namespace wyvern::test {
namespace {

constexpr std::uint64_t kibibyte = 1024;
constexpr std::uint64_t mebibyte = 1024 * kibibyte;

std::uint32_t class_of(std::uint64_t bytes) { return extent_class_for(bytes).value(); }

class ExtentPool : public ::testing::Test {
 protected:
  std::uint32_t take(std::uint64_t bytes) { return take_extent(*member_, bytes); }
  bool give_back(std::uint32_t extent) {
    return free_extent(node_.segment(), extent, ExtentOwner::process, member_->process_index());
  }
  bool hinted(std::uint32_t extent) const {
    return (node_.segment().extent_group(extent / extents_in_group).maybe_free.load() >>
                (extent % extents_in_group) &
            1) != 0;
  }

  /// The member dies; what was charged is freed as the channels layer does.
  void die() {
    const std::uint32_t process = member_->process_index();
    node_.extents().release_process(process, [&](std::uint32_t extent, std::uint32_t object) {
      charged_.push_back(object);
      node_.segment().extent(extent).charged_to = 0;
      free_extent(node_.segment(), extent, ExtentOwner::process, process);
    });
  }

  CoreNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  std::vector<std::uint32_t> charged_;
};

TEST(ExtentClass, is_the_smallest_with_room) {
  for (std::uint32_t size_class = 0; size_class < max_extent_classes; ++size_class) {
    const std::uint64_t bytes = extent_class_bytes(size_class);
    EXPECT_EQ(extent_class_for(bytes), size_class);
    EXPECT_EQ(extent_class_for(bytes + 1),
              size_class + 1 < max_extent_classes ? std::optional(size_class + 1) : std::nullopt);
  }
  EXPECT_EQ(extent_class_for(0), 0U);
}

TEST(ExtentClass, wastes_at_most_a_fifth_of_a_large_extent) {
  for (std::uint32_t size_class = class_of(16 * kibibyte); size_class + 1 < max_extent_classes;
       ++size_class) {
    const std::uint64_t wasted = extent_class_bytes(size_class + 1) - extent_class_bytes(size_class);
    EXPECT_LE(wasted * 5, extent_class_bytes(size_class + 1));
    EXPECT_EQ(extent_class_bytes(size_class) % page_size, 0U) << "so its memory can be returned";
  }
}

TEST(ExtentOwnerWord, keeps_its_parts_at_their_limits) {
  const std::uint64_t most = (std::uint64_t{1} << 38) - 1;
  const ExtentOwnerWord word = ExtentOwnerWord(0).next(ExtentOwner::block, most);
  EXPECT_TRUE(word.is(ExtentOwner::block, most));
  EXPECT_FALSE(word.is(ExtentOwner::process, most));
  EXPECT_EQ(block_identity(max_objects - 1, (1U << 18) - 1), most);
  EXPECT_NE(word.next(ExtentOwner::free).next(ExtentOwner::block, most).bits(), word.bits())
      << "the generation has changed";
  EXPECT_TRUE(ExtentOwnerWord(~std::uint64_t{7}).next(ExtentOwner::free).is(ExtentOwner::free, 0))
      << "generation turns over";
}

TEST_F(ExtentPool, extent_belongs_to_the_process_that_took_it) {
  const std::uint32_t extent = take(600);

  EXPECT_TRUE(owner_of(node_.segment(), extent).is(ExtentOwner::process, member_->process_index()));
  EXPECT_EQ(node_.segment().extent(extent).size_class, class_of(600));
}

TEST_F(ExtentPool, extents_do_not_overlap) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> ranges;
  for (const std::uint64_t bytes : {100U, 512U, 513U, 5'000U, 20'000U, 100'000U}) {
    for (int i = 0; i < 20; ++i) {
      const ExtentDescriptor& extent = node_.segment().extent(take(bytes));
      ranges.emplace(extent.offset, extent.offset + extent_class_bytes(extent.size_class));
    }
  }
  ASSERT_EQ(ranges.size(), 120U);
  for (auto range = ranges.begin(), next = std::next(range); next != ranges.end(); ++range, ++next) {
    EXPECT_LE(range->second, next->first);
  }
}

TEST_F(ExtentPool, freed_extent_is_taken_again_without_new_memory) {
  const std::uint32_t extent = take(mebibyte);
  const std::uint64_t committed = node_.arena().committed();

  EXPECT_TRUE(give_back(extent));

  EXPECT_EQ(take(mebibyte), extent);
  EXPECT_EQ(node_.arena().committed(), committed);
}

TEST_F(ExtentPool, only_the_owner_moves_or_frees) {
  const std::uint32_t extent = take(1000);
  const Segment& segment = node_.segment();
  const std::uint64_t block = block_identity(1, 2);

  EXPECT_FALSE(free_extent(segment, extent, ExtentOwner::block, block));
  EXPECT_TRUE(move_extent(segment, extent, ExtentOwner::process, member_->process_index(), ExtentOwner::block,
                          block));
  EXPECT_FALSE(give_back(extent));
  EXPECT_FALSE(move_extent(segment, extent, ExtentOwner::block, block + 1, ExtentOwner::process, 0));
  EXPECT_TRUE(free_extent(segment, extent, ExtentOwner::block, block));
  EXPECT_FALSE(free_extent(segment, extent, ExtentOwner::block, block));
}

TEST_F(ExtentPool, payload_beyond_the_ceiling_is_too_large) {
  EXPECT_THROW(take(node_.arena().ceiling() + 1), TooLarge);
  EXPECT_THROW(take(~std::uint64_t{0}), TooLarge);
}

TEST_F(ExtentPool, no_memory_left_is_out_of_memory_and_taking_works_again_after_a_free) {
  std::vector<std::uint32_t> taken;
  try {
    while (true) taken.push_back(take(mebibyte));
  } catch (const OutOfMemory&) {
  }
  ASSERT_FALSE(taken.empty());
  EXPECT_THROW(take(mebibyte), OutOfMemory);

  EXPECT_TRUE(give_back(taken.back()));

  EXPECT_EQ(take(mebibyte), taken.back());
}

TEST_F(ExtentPool, free_extents_of_one_class_make_room_for_another) {
  std::vector<std::uint32_t> taken;
  try {
    while (true) taken.push_back(take(mebibyte));
  } catch (const OutOfMemory&) {
  }
  for (const std::uint32_t extent : taken) EXPECT_TRUE(give_back(extent));

  EXPECT_NO_THROW(take(node_.arena().ceiling() / 2));
}

TEST_F(ExtentPool, tables_find_room_where_free_extents_can_be_reclaimed) {
  CoreNode small(4 * mebibyte);
  const auto member = small.join();
  std::vector<std::uint32_t> taken;
  try {
    while (true) taken.push_back(take_extent(*member, page_size));
  } catch (const OutOfMemory&) {
  }
  for (const std::uint32_t extent : taken) {
    EXPECT_TRUE(free_extent(small.segment(), extent, ExtentOwner::process, member->process_index()));
  }

  // Each new class needs descriptors of its own, thus room in a table.
  for (std::uint32_t size_class = class_of(2 * page_size); size_class < class_of(128 * kibibyte);
       ++size_class) {
    EXPECT_NO_THROW(take_extent(*member, extent_class_bytes(size_class))) << size_class;
  }
}

TEST_F(ExtentPool, reclaim_returns_memory_and_leaves_what_is_in_use) {
  const std::uint32_t used = take(mebibyte);
  const std::uint64_t with_one = node_.arena().committed();
  EXPECT_TRUE(give_back(take(2 * mebibyte)));

  EXPECT_TRUE(node_.extents().reclaim(node_.arena().ceiling() - with_one));

  EXPECT_EQ(owner_of(node_.segment(), used).kind(), ExtentOwner::process);
  EXPECT_FALSE(node_.extents().reclaim(node_.arena().ceiling()));
}

TEST_F(ExtentPool, dead_process_loses_its_extents_and_nobody_else_does) {
  const auto other = node_.join();
  const std::uint32_t dead = take(1000);
  const std::uint32_t living = take_extent(*other, 1000);

  die();

  EXPECT_EQ(owner_of(node_.segment(), dead).kind(), ExtentOwner::free);
  EXPECT_TRUE(hinted(dead));
  EXPECT_TRUE(owner_of(node_.segment(), living).is(ExtentOwner::process, other->process_index()));
}

TEST_F(ExtentPool, charged_extent_of_the_dead_is_left_to_who_knows_the_charge) {
  const std::uint32_t dead = take(1000);
  node_.segment().extent(dead).charged_to = 8;

  die();

  EXPECT_EQ(charged_, std::vector<std::uint32_t>{7});
  EXPECT_EQ(owner_of(node_.segment(), dead).kind(), ExtentOwner::free);
}

TEST_F(ExtentPool, memory_of_small_extents_is_reclaimed_too) {
  std::vector<std::uint32_t> taken;
  for (int i = 0; i < 200; ++i) taken.push_back(take(600));
  const std::uint64_t tables_and_one_group = node_.arena().committed() - std::uint64_t{3} * 64 * kibibyte;
  for (std::size_t i = 1; i < taken.size(); ++i) EXPECT_TRUE(give_back(taken[i]));

  node_.extents().reclaim(node_.arena().ceiling());

  EXPECT_EQ(node_.arena().committed(), tables_and_one_group);
  EXPECT_TRUE(owner_of(node_.segment(), taken[0]).is(ExtentOwner::process, member_->process_index()));
  EXPECT_NO_THROW(take(600));
}

TEST_F(ExtentPool, free_extent_whose_hint_a_dead_process_took_is_found_again) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  node_.segment().extent_group(extent / extents_in_group).maybe_free = 0;

  die();

  EXPECT_TRUE(hinted(extent));
}

TEST_F(ExtentPool, each_extent_has_one_owner_when_threads_race) {
  constexpr int threads = 4;
  constexpr int rounds = 2'000;
  std::vector<std::jthread> workers;
  for (int thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&, member = node_.join()] {
      for (int round = 0; round < rounds; ++round) {
        const std::uint32_t extent = take_extent(*member, 1000);
        auto* bytes = node_.segment().at<std::uint64_t>(node_.segment().extent(extent).offset);
        bytes[0] = bytes[1] =
            member->process_index() * std::uint64_t{rounds} + static_cast<std::uint64_t>(round);
        if (bytes[0] != bytes[1]) ADD_FAILURE() << "somebody else wrote into our extent";
        if (!free_extent(node_.segment(), extent, ExtentOwner::process, member->process_index()))
          ADD_FAILURE();
      }
    });
  }
  workers.clear();

  for (std::uint32_t i = 0; i < node_.segment().header().groups_ready * extents_in_group; ++i) {
    const ExtentOwner kind = owner_of(node_.segment(), i).kind();
    EXPECT_TRUE(kind == ExtentOwner::free || kind == ExtentOwner::no_memory) << i;
    EXPECT_TRUE(kind != ExtentOwner::free || hinted(i)) << i << " is free but cannot be found";
  }
}

}  // namespace
}  // namespace wyvern::test
