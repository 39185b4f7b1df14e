// A channel as it is seen from outside, through a mapping that can only be read.
#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/observed_channel.hpp>
#include <wyvern/channels/queue.hpp>
#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/error.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

/// As who looks from outside opens it.
FileDescriptor opened_for_reading(const Segment& segment) {
  return FileDescriptor(
      ::open(("/proc/self/fd/" + std::to_string(segment.fd())).c_str(), O_RDONLY | O_CLOEXEC));
}

class ObservedChannelTest : public testing::Test {
 protected:
  template <class T>
  std::optional<ChannelFigures> look_at(const Queue<T>& queue) const {
    return observe_channel(observed_, queue.channel().reference().index);
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  ObservedSegment observed_{opened_for_reading(node_.segment()), channels_layout_hash};
};

TEST_F(ObservedChannelTest, tells_what_it_was_made_with) {
  const auto letters = make_queue<int>(member_);
  const auto queue = make_queue<int>(
      member_, {.capacity = 7, .name = "work", .max_deliveries = 3, .dead_letters = letters.channel()});
  const auto figures = look_at(queue);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->id, queue.id());
  EXPECT_EQ(figures->name, "work");
  EXPECT_EQ(figures->type_name, "int");
  EXPECT_EQ(figures->capacity, 7U);
  EXPECT_EQ(figures->max_deliveries, 3U);
  EXPECT_EQ(figures->dead_letters, letters.id());
  EXPECT_EQ(figures->depth, 0U);
  EXPECT_FALSE(figures->closed);
}

TEST_F(ObservedChannelTest, counts_puts_and_gets_over_many_laps) {
  auto queue = make_queue<int>(member_, {.capacity = 3});
  std::uint64_t puts = 0;
  std::uint64_t gets = 0;
  const auto check = [&] {
    const auto figures = look_at(queue);
    ASSERT_TRUE(figures);
    EXPECT_EQ(figures->puts, puts);
    EXPECT_EQ(figures->gets, gets);
    EXPECT_EQ(figures->depth, puts - gets);
  };
  for (int lap = 0; lap < 5; ++lap) {
    while (puts - gets < 3) {
      queue.put(lap);
      ++puts;
      check();
    }
    while (gets + static_cast<std::uint64_t>(lap % 2) < puts) {
      queue.get();
      ++gets;
      check();
    }
  }
}

TEST_F(ObservedChannelTest, hints_that_lag_do_not_change_what_is_seen) {
  auto queue = make_queue<int>(member_, {.capacity = 4});
  for (int i = 0; i < 10; ++i) {
    queue.put(i);
    queue.get();
  }
  queue.put(0);
  auto* header =
      node_.segment().at<ChannelHeader>(node_.segment().object(queue.channel().reference().index).offset);
  header->tail.store(Position(1, 2).bits());  // as somebody stores it who was stopped for a while
  header->head.store(Position(0, 3).bits());
  const auto figures = look_at(queue);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->puts, 11U);
  EXPECT_EQ(figures->gets, 10U);
}

TEST_F(ObservedChannelTest, tells_what_is_leased_given_back_and_closed) {
  auto queue = make_queue<int>(member_);
  for (int i = 0; i < 3; ++i) queue.put(i);
  {
    const auto lease = queue.lease();
    EXPECT_EQ(look_at(queue)->leased, 1U);
    EXPECT_EQ(look_at(queue)->given_back, 0U);
  }
  EXPECT_EQ(look_at(queue)->leased, 0U);
  EXPECT_EQ(look_at(queue)->given_back, 1U);
  EXPECT_EQ(look_at(queue)->depth, 2U);
  queue.close();
  EXPECT_TRUE(look_at(queue)->closed);
}

TEST_F(ObservedChannelTest, tells_what_was_lost_with_a_process) {
  auto queue = make_queue<int>(member_);
  queue.put(1);
  const auto other = node_.join();
  abandon(open_as(other, queue)).get();
  node_.bury(*other);
  EXPECT_EQ(look_at(queue)->lost, 1U);
}

TEST_F(ObservedChannelTest, ports_of_later_chunks_count) {
  auto queue = make_queue<int>(member_, {.capacity = 64});
  std::vector<Lease<int>> leases;
  for (int i = 0; i < 40; ++i) {
    queue.put(i);
    leases.push_back(queue.lease());
  }
  EXPECT_EQ(look_at(queue)->leased, 40U);
  leases.clear();
  EXPECT_EQ(look_at(queue)->given_back, 40U);
}

TEST_F(ObservedChannelTest, counts_who_sleeps_on_either_side) {
  auto empty = make_queue<int>(member_);
  auto full = make_queue<int>(member_, {.capacity = 1});
  full.put(0);
  std::thread getter([&] { empty.get(); });
  std::thread other_getter([&] { empty.get(); });
  std::thread putter([&] { full.put(1); });
  wait_for([&] { return look_at(empty)->waiting_getters == 2 && look_at(full)->waiting_putters == 1; });
  EXPECT_EQ(look_at(empty)->waiting_putters, 0U);
  EXPECT_EQ(look_at(full)->waiting_getters, 0U);
  empty.put(1);
  empty.put(1);
  full.get();
  getter.join();
  other_getter.join();
  putter.join();
  EXPECT_EQ(look_at(empty)->waiting_getters, 0U);
}

TEST_F(ObservedChannelTest, one_that_has_gone_is_not_seen) {
  std::optional<Queue<int>> queue = make_queue<int>(member_);
  const std::uint32_t object = queue->channel().reference().index;
  ASSERT_TRUE(observe_channel(observed_, object));
  queue.reset();
  EXPECT_FALSE(observe_channel(observed_, object));
}

TEST_F(ObservedChannelTest, every_offset_and_number_is_checked_before_it_is_used) {
  auto queue = make_queue<int>(member_);
  const Segment& segment = node_.segment();
  DirectoryEntry& entry = segment.object(queue.channel().reference().index);
  auto& header = *segment.at<ChannelHeader>(entry.offset);
  const auto is_seen_with = [&](auto& field, auto value) {
    const auto before = std::exchange(field, value);
    const bool seen = look_at(queue).has_value();
    field = before;
    return seen;
  };
  constexpr std::uint64_t far = std::uint64_t{1} << 60;
  for (const std::uint64_t wrong : {far, std::uint64_t{0}, segment.reserve_bytes() - 64, ~std::uint64_t{0},
                                    entry.offset + 4, segment.header().directory_offset}) {
    EXPECT_FALSE(is_seen_with(entry.offset, wrong)) << wrong;
    EXPECT_FALSE(is_seen_with(header.slots_offset, wrong)) << wrong;
    EXPECT_FALSE(is_seen_with(header.ports_offset, wrong)) << wrong;
  }
  EXPECT_FALSE(is_seen_with(header.magic, 0U));
  EXPECT_FALSE(is_seen_with(header.capacity, 0U));
  EXPECT_FALSE(is_seen_with(header.capacity, ~0U));
  const auto is_seen_with_word = [&](auto& word, auto value) {
    const auto before = word.exchange(value);
    const bool seen = look_at(queue).has_value();
    word = before;
    return seen;
  };
  EXPECT_FALSE(is_seen_with_word(header.tail, Position(0, 5000).bits()));
  EXPECT_FALSE(is_seen_with_word(header.head, Position(0, 5000).bits()));
  EXPECT_FALSE(is_seen_with_word(header.port_count, ~0U)) << "its chunks are not there";
  EXPECT_TRUE(look_at(queue));
}

TEST_F(ObservedChannelTest, what_is_seen_of_one_at_work_is_possible) {
  auto queue = make_queue<int>(member_, {.capacity = 5});
  std::atomic<bool> stop = false;
  std::thread putter([&] {
    while (!stop) queue.try_put(1);
  });
  std::thread getter([&] {
    while (!stop) queue.try_get();
  });
  std::uint64_t puts = 0;
  std::uint64_t gets = 0;
  while (gets < 20'000) {
    const auto figures = look_at(queue);
    if (!figures) {
      ADD_FAILURE() << "it was there all the time";
      break;
    }
    EXPECT_GE(figures->puts, puts);
    EXPECT_GE(figures->gets, gets);
    EXPECT_LE(figures->depth, 5U);
    puts = figures->puts;
    gets = figures->gets;
  }
  stop = true;
  putter.join();
  getter.join();
}

/// What a mapping of this process may be used for, as /proc says it.
std::string permissions_at(const void* address) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::string permissions;
    words >> std::hex >> begin >> dash >> end >> permissions;
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    if (begin <= wanted && wanted < end) return permissions;
  }
  return "none";
}

TEST(ObservedSegmentTest, cannot_be_written_and_has_what_the_agent_entered) {
  const Segment made = Segment::create({.node = 3,
                                        .nodes = 4,
                                        .job = 4711,
                                        .agent_socket = "wyvern-test",
                                        .layout_hash = channels_layout_hash});
  const ObservedSegment observed(opened_for_reading(made), channels_layout_hash);
  EXPECT_EQ(observed.node(), 3U);
  EXPECT_EQ(observed.nodes(), 4U);
  EXPECT_EQ(observed.job(), 4711U);
  EXPECT_EQ(observed.agent_socket(), "wyvern-test");
  EXPECT_EQ(permissions_at(&observed.process(0)), "r--s");
}

TEST(ObservedSegmentTest, other_layout_and_other_files_are_a_version_mismatch) {
  const Segment made = Segment::create({.layout_hash = channels_layout_hash ^ 1});
  EXPECT_THROW(ObservedSegment(opened_for_reading(made), channels_layout_hash), VersionMismatch);
  EXPECT_THROW(ObservedSegment(FileDescriptor(::open("/etc/passwd", O_RDONLY)), channels_layout_hash),
               VersionMismatch);
  EXPECT_THROW(ObservedSegment(FileDescriptor(), channels_layout_hash), VersionMismatch);
}

TEST(ObservedSegmentTest, file_that_can_shrink_or_names_tables_outside_is_refused) {
  const Segment made = Segment::create({.layout_hash = channels_layout_hash});
  const auto is_refused = [&](int seals, auto change) {
    std::vector<std::byte> bytes(sizeof(SegmentHeader));
    std::memcpy(bytes.data(), &made.header(), bytes.size());
    change(*reinterpret_cast<SegmentHeader*>(bytes.data()));
    FileDescriptor file(::memfd_create("forged-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    EXPECT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(made.reserve_bytes())), 0);
    EXPECT_EQ(::fcntl(file.get(), F_ADD_SEALS, seals), 0);
    try {
      const ObservedSegment observed(std::move(file), channels_layout_hash);
      return false;
    } catch (const VersionMismatch&) {
      return true;
    }
  };
  EXPECT_FALSE(is_refused(F_SEAL_SHRINK, [](SegmentHeader&) {}));
  EXPECT_TRUE(is_refused(F_SEAL_GROW, [](SegmentHeader&) {}));
  const std::uint64_t end = made.reserve_bytes();
  EXPECT_TRUE(is_refused(F_SEAL_SHRINK, [&](SegmentHeader& header) { header.processes_offset = end; }));
  EXPECT_TRUE(is_refused(F_SEAL_SHRINK, [&](SegmentHeader& header) { header.parkers_offset += 8; }));
  EXPECT_TRUE(is_refused(F_SEAL_SHRINK, [&](SegmentHeader& header) { header.directory_offset = ~0ULL; }));
  EXPECT_TRUE(is_refused(F_SEAL_SHRINK, [&](SegmentHeader& header) { header.arena_offset = 0; }));
}

}  // namespace
}  // namespace wyvern::test
