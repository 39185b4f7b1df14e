#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/object_hold.hpp>

#include "core_node.hpp"

namespace wyvern::test {
namespace {

class ObjectHold : public ::testing::Test {
 protected:
  const Segment& segment() const { return node_.segment(); }
  DirectoryEntry& entry(const ObjectReference& object) const { return segment().object(object.index); }
  /// With nothing that names it.
  bool retire(const ObjectReference& object) const {
    return retire_object(entry(object), [] { return false; });
  }

  CoreNode node_;
};

TEST_F(ObjectHold, is_one_bit_of_the_holder) {
  const ObjectReference object = node_.make_object(0);

  for (const std::uint32_t process : {0U, 63U, 64U, max_processes - 1}) {
    EXPECT_TRUE(add_hold(segment(), object, process));
    EXPECT_TRUE(has_hold(entry(object), process));
    EXPECT_FALSE(has_hold(entry(object), process ^ 1));
    drop_hold(segment(), object.index, process);
    EXPECT_FALSE(has_any_hold(entry(object)));
  }
}

TEST_F(ObjectHold, object_that_is_not_there_cannot_be_held) {
  const ObjectReference object = node_.make_object(0);
  EXPECT_FALSE(add_hold(segment(), {ObjectId(object.id.value() + 1), object.index}, 1)) << "another id";
  EXPECT_FALSE(add_hold(segment(), {ObjectId(), object.index + 1}, 1)) << "a free entry";
  EXPECT_FALSE(add_hold(segment(), {object.id, max_objects - 1}, 1)) << "an entry without memory";
  EXPECT_FALSE(add_hold(segment(), {object.id, ~std::uint32_t{0}}, 1)) << "no entry at all";
  EXPECT_FALSE(has_any_hold(entry(object)));
}

TEST_F(ObjectHold, held_object_is_not_retired) {
  const ObjectReference object = node_.make_object(0);
  EXPECT_TRUE(add_hold(segment(), object, 5));
  EXPECT_FALSE(retire(object));
  drop_hold(segment(), object.index, 5);
  EXPECT_TRUE(retire(object));
}

TEST_F(ObjectHold, object_that_is_named_is_not_retired) {
  const ObjectReference object = node_.make_object(0);
  EXPECT_FALSE(retire_object(entry(object), [] { return true; }));
  EXPECT_TRUE(retire(object));
}

TEST_F(ObjectHold, what_names_an_object_is_looked_at_after_its_holders) {
  const ObjectReference object = node_.make_object(0);
  ASSERT_TRUE(add_hold(segment(), object, 5));
  EXPECT_FALSE(retire_object(entry(object), [] {
    ADD_FAILURE() << "somebody holds it";
    return false;
  }));
}

TEST_F(ObjectHold, handle_that_is_received_while_messages_are_looked_at_keeps_its_object) {
  const ObjectReference object = node_.make_object(0);
  const auto received_just_before_the_look = [&] {
    EXPECT_TRUE(add_hold(segment(), object, 5));
    return false;  // its message does not name it any more
  };
  EXPECT_FALSE(retire_object(entry(object), received_just_before_the_look));

  EXPECT_TRUE(has_hold(entry(object), 5));
  drop_hold(segment(), object.index, 5);
  EXPECT_TRUE(retire(object));
}

TEST_F(ObjectHold, retired_object_is_neither_held_nor_retired_again) {
  const ObjectReference object = node_.make_object(0);
  EXPECT_TRUE(retire(object));
  EXPECT_FALSE(retire(object));
  EXPECT_FALSE(add_hold(segment(), object, 1));
  EXPECT_FALSE(has_any_hold(entry(object)));
}

TEST_F(ObjectHold, retiring_and_adding_at_the_same_time_agree) {
  constexpr int rounds = 3'000;
  constexpr std::uint32_t adders = 3;
  ObjectReference object;
  std::atomic<int> round = 0;
  std::atomic<std::uint32_t> done = 0;
  std::atomic<std::uint32_t> held = 0;
  std::vector<std::jthread> threads;
  for (std::uint32_t process = 0; process < adders; ++process) {
    threads.emplace_back([&, process] {
      for (int mine = 1; mine <= rounds; ++mine) {
        while (round.load() != mine) std::this_thread::yield();
        if (add_hold(segment(), object, process)) ++held;
        ++done;
      }
    });
  }
  for (int mine = 1; mine <= rounds; ++mine) {
    object = node_.make_object(static_cast<std::uint32_t>(mine % 100));
    for (auto& word : entry(object).holders) word = 0;
    held = 0;
    done = 0;
    round = mine;
    const bool retired = retire(object);
    while (done != adders) std::this_thread::yield();
    ASSERT_TRUE(!retired || held == 0) << "somebody holds what was retired";
    ASSERT_EQ(has_any_hold(entry(object)), held != 0);
  }
}

TEST_F(ObjectHold, hold_that_moves_between_processes_is_never_missed) {
  const ObjectReference object = node_.make_object(0);
  ASSERT_TRUE(add_hold(segment(), object, 0));
  std::atomic<bool> stop = false;
  std::jthread mover([&] {
    // Between far words, so that a look at all of them takes long: the hold hops behind it and before it.
    for (std::uint32_t holder = 0; !stop; holder = max_processes - 1 - holder) {
      if (!add_hold(segment(), object, max_processes - 1 - holder))
        ADD_FAILURE() << "retired while it was held";
      drop_hold(segment(), object.index, holder);
    }
  });
  for (int look = 0; look < 20'000; ++look) ASSERT_FALSE(retire(object));
  stop = true;
}

}  // namespace
}  // namespace wyvern::test
