#include <atomic>
#include <cstdint>
#include <deque>
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

/// What stands for a block here: its name for an extent, and who it is.
struct Block {
  explicit Block(std::uint64_t number) : identity(block_identity(0, static_cast<std::uint32_t>(number))) {}
  std::atomic<std::uint32_t> name = 0;
  std::uint64_t identity;
};

class ExtentPool : public ::testing::Test {
 protected:
  std::uint32_t take(const std::shared_ptr<Member>& member, std::uint64_t bytes) {
    Block& block = blocks_.emplace_back(blocks_.size());
    claim_extent(*member, bytes, block.name, block.identity);
    return block.name - 1;
  }
  std::uint32_t take(std::uint64_t bytes) { return take(member_, bytes); }
  /// By the block that claimed it last.
  bool give_back(std::uint32_t extent) {
    return free_extent(node_.segment(), extent, owner_of(node_.segment(), extent).who());
  }
  bool hinted(std::uint32_t extent) const {
    return (node_.segment().extent_group(extent / extents_in_group).maybe_free.load() >>
                (extent % extents_in_group) &
            1) != 0;
  }
  void clear_hint(std::uint32_t extent) const {
    node_.segment().extent_group(extent / extents_in_group).maybe_free &=
        ~(std::uint64_t{1} << (extent % extents_in_group));
  }
  /// As another thread would: one that remembers no extents.
  template <class Work>
  static void elsewhere(Work work) {
    std::thread(work).join();
  }

  CoreNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  std::deque<Block> blocks_;
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
  EXPECT_FALSE(word.is(ExtentOwner::free, most));
  EXPECT_FALSE(word.is(ExtentOwner::block, most - 1));
  EXPECT_EQ(block_identity(max_objects - 1, (1U << 18) - 1), most);
  EXPECT_NE(word.next(ExtentOwner::free).next(ExtentOwner::block, most).bits(), word.bits())
      << "the generation has changed";
  EXPECT_TRUE(ExtentOwnerWord(~std::uint64_t{7}).next(ExtentOwner::free).is(ExtentOwner::free, 0))
      << "generation turns over";
}

TEST_F(ExtentPool, extent_belongs_to_the_block_that_names_it) {
  const std::uint32_t extent = take(600);

  EXPECT_TRUE(owner_of(node_.segment(), extent).is(ExtentOwner::block, blocks_.back().identity));
  EXPECT_EQ(blocks_.back().name, extent + 1);
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

TEST_F(ExtentPool, only_the_owner_frees) {
  const std::uint32_t extent = take(1000);
  const std::uint64_t block = blocks_.back().identity;
  const Segment& segment = node_.segment();

  EXPECT_FALSE(free_extent(segment, extent, block + 1));
  EXPECT_NE(take(1000), extent);
  EXPECT_TRUE(free_extent(segment, extent, block));
  EXPECT_FALSE(free_extent(segment, extent, block));
  EXPECT_EQ(take(1000), extent);
  EXPECT_FALSE(free_extent(segment, extent, block)) << "it is another block's now";
}

TEST_F(ExtentPool, what_a_thread_has_freed_it_claims_again_without_a_hint) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  clear_hint(extent);

  std::uint32_t other = 0;
  elsewhere([&] { other = take(1000); });

  EXPECT_NE(other, extent) << "who does not remember it cannot find it";
  EXPECT_EQ(take(1000), extent);
}

TEST_F(ExtentPool, what_a_thread_has_freed_and_others_have_claimed_is_theirs) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));

  std::uint32_t other = 0;
  elsewhere([&] { other = take(1000); });

  EXPECT_EQ(other, extent);
  EXPECT_NE(take(1000), extent);
}

TEST_F(ExtentPool, hint_of_an_extent_that_is_in_use_leads_to_another) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  ASSERT_EQ(take(1000), extent);
  ASSERT_TRUE(hinted(extent)) << "claimed from memory: the hint was left";

  elsewhere([&] { EXPECT_NE(take(1000), extent); });
  EXPECT_TRUE(give_back(extent));

  EXPECT_TRUE(hinted(extent));
}

TEST_F(ExtentPool, remembered_extent_is_of_the_class_that_it_has_in_this_segment) {
  const auto claim_and_free = [](CoreNode& node, std::uint64_t bytes) {
    Block block(0);
    claim_extent(*node.join(), bytes, block.name, block.identity);
    EXPECT_EQ(node.segment().extent(block.name - 1).size_class, class_of(bytes));
    EXPECT_TRUE(free_extent(node.segment(), block.name - 1, block.identity));
  };
  {
    CoreNode before;
    claim_and_free(before, mebibyte);
  }
  CoreNode node;  // very likely at the same address
  elsewhere([&] { claim_and_free(node, kibibyte); });

  claim_and_free(node, mebibyte);
}

TEST_F(ExtentPool, payload_beyond_the_ceiling_is_too_large) {
  EXPECT_THROW(take(node_.arena().ceiling() + 1), TooLarge);
  EXPECT_THROW(take(~std::uint64_t{0}), TooLarge);
  EXPECT_EQ(blocks_.back().name, 0U);
}

TEST_F(ExtentPool, no_memory_left_is_out_of_memory_and_taking_works_again_after_a_free) {
  std::vector<std::uint32_t> taken;
  try {
    while (true) taken.push_back(take(mebibyte));
  } catch (const OutOfMemory&) {
  }
  ASSERT_FALSE(taken.empty());
  EXPECT_THROW(take(mebibyte), OutOfMemory);
  EXPECT_EQ(blocks_.back().name, 0U) << "nothing is reserved";

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
  const auto claim = [&](std::uint64_t bytes) {
    Block& block = blocks_.emplace_back(blocks_.size());
    claim_extent(*member, bytes, block.name, block.identity);
  };
  try {
    while (true) claim(page_size);
  } catch (const OutOfMemory&) {
    blocks_.pop_back();
  }
  ASSERT_FALSE(blocks_.empty());
  for (const Block& block : blocks_) {
    EXPECT_TRUE(free_extent(small.segment(), block.name - 1, block.identity));
  }

  // Each new class needs descriptors of its own, thus room in a table.
  for (std::uint32_t size_class = class_of(2 * page_size); size_class < class_of(128 * kibibyte);
       ++size_class) {
    EXPECT_NO_THROW(claim(extent_class_bytes(size_class))) << size_class;
  }
}

TEST_F(ExtentPool, reclaim_returns_memory_and_leaves_what_is_in_use) {
  const std::uint32_t used = take(mebibyte);
  const std::uint64_t with_one = node_.arena().committed();
  EXPECT_TRUE(give_back(take(2 * mebibyte)));

  EXPECT_TRUE(node_.extents().reclaim(node_.arena().ceiling() - with_one));

  EXPECT_EQ(owner_of(node_.segment(), used).kind(), ExtentOwner::block);
  EXPECT_FALSE(node_.extents().reclaim(node_.arena().ceiling()));
}

TEST_F(ExtentPool, name_without_an_owner_is_no_claim) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  Block dead(99);
  dead.name = extent + 1;  // it died before it claimed what it had named

  EXPECT_EQ(take(1000), extent);

  EXPECT_FALSE(free_extent(node_.segment(), extent, dead.identity));
  EXPECT_TRUE(owner_of(node_.segment(), extent).is(ExtentOwner::block, blocks_.back().identity));
}

TEST_F(ExtentPool, agent_claims_what_is_free_hinted_or_not) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  clear_hint(extent);
  Block block(99);

  node_.extents().claim(class_of(1000), block.name, block.identity);

  EXPECT_EQ(block.name, extent + 1);
  EXPECT_TRUE(owner_of(node_.segment(), extent).is(ExtentOwner::block, block.identity));
}

TEST_F(ExtentPool, memory_of_small_extents_is_reclaimed_too) {
  std::vector<std::uint32_t> taken;
  for (int i = 0; i < 200; ++i) taken.push_back(take(600));
  const std::uint64_t tables_and_one_group = node_.arena().committed() - std::uint64_t{3} * 64 * kibibyte;
  for (std::size_t i = 1; i < taken.size(); ++i) EXPECT_TRUE(give_back(taken[i]));

  node_.extents().reclaim(node_.arena().ceiling());

  EXPECT_EQ(node_.arena().committed(), tables_and_one_group);
  EXPECT_TRUE(owner_of(node_.segment(), taken[0]).is(ExtentOwner::block, blocks_[0].identity));
  EXPECT_NO_THROW(take(600));
}

TEST_F(ExtentPool, free_extent_whose_hint_a_dead_process_took_is_found_again) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  clear_hint(extent);

  node_.extents().mend_hints();

  EXPECT_TRUE(hinted(extent));
}

TEST_F(ExtentPool, free_extent_without_a_hint_is_found_before_memory_is_taken_for_another) {
  const std::uint32_t extent = take(1000);
  EXPECT_TRUE(give_back(extent));
  node_.segment().extent_group(extent / extents_in_group).maybe_free = 0;
  const std::uint64_t committed = node_.arena().committed();

  elsewhere([&] { take(1000); });

  EXPECT_EQ(node_.arena().committed(), committed);
}

TEST_F(ExtentPool, each_extent_has_one_owner_when_threads_race) {
  constexpr int threads = 4;
  constexpr int rounds = 2'000;
  std::vector<std::jthread> workers;
  for (int thread = 0; thread < threads; ++thread) {
    workers.emplace_back([&, thread, member = node_.join()] {
      Block block(static_cast<std::uint64_t>(thread));
      for (int round = 0; round < rounds; ++round) {
        claim_extent(*member, 1000, block.name, block.identity);
        const std::uint32_t extent = block.name - 1;
        auto* bytes = node_.segment().at<std::uint64_t>(node_.segment().extent(extent).offset);
        bytes[0] = bytes[1] =
            member->process_index() * std::uint64_t{rounds} + static_cast<std::uint64_t>(round);
        if (bytes[0] != bytes[1]) ADD_FAILURE() << "somebody else wrote into our extent";
        if (!free_extent(node_.segment(), extent, block.identity)) ADD_FAILURE();
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
