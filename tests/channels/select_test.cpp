#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/select.hpp>
#include <wyvern/core/error.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr auto nothing = [](auto&&) {};

/// Of one thread, or of several that sleep in turn.
class SelectTest : public ::testing::Test {
 protected:
  ~SelectTest() override {
    for (const ObjectReference& queue : {numbers_.channel().reference(), words_.channel().reference()})
      EXPECT_EQ(audit(node_.segment(), queue), "");
    EXPECT_EQ(audit_node(node_.segment()), "");
  }
  /// Until so many threads sleep in a select.
  void wait_for_sleep(std::uint32_t count = 1) {
    wait_for([&] { return sleepers(node_.segment(), InterestKind::several, 0) == count; });
  }
  bool has_getter(const auto& queue) const {
    const auto& words = queue.channel().local().view().header().getters.words;
    return std::any_of(std::begin(words), std::end(words), [](const auto& word) { return word.load() != 0; });
  }

  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Queue<int> numbers_ = make_queue<int>(member_, {.capacity = 64});
  Queue<std::string> words_ = make_queue<std::string>(member_, {.capacity = 64});
};

TEST_F(SelectTest, message_goes_to_its_queues_handler_and_the_result_says_which) {
  words_.put("hello");
  std::string heard;
  const auto select_once = [&] {
    return select(on(numbers_, [](int) { FAIL(); }),
                  on(words_, [&](std::string word) { heard = std::move(word); }));
  };
  EXPECT_EQ(select_once(), 1U);
  EXPECT_EQ(heard, "hello");
}

TEST_F(SelectTest, takes_one_message_from_one_queue_and_leaves_the_others_as_they_were) {
  numbers_.put_many(std::vector{1, 2, 3});
  words_.put_many(std::vector<std::string>{"a", "b", "c"});
  std::vector<int> numbers;
  std::vector<std::string> words;
  for (std::size_t in_all = 1; in_all <= 6; ++in_all) {
    const std::size_t numbers_before = numbers.size();
    const std::size_t chosen =
        select(on(numbers_, [&](int number) { numbers.push_back(number); }),
               on(words_, [&](std::string word) { words.push_back(std::move(word)); }));
    EXPECT_EQ(numbers.size(), chosen == 0 ? numbers_before + 1 : numbers_before);
    EXPECT_EQ(numbers.size() + words.size(), in_all);
    EXPECT_EQ(numbers_.size_approx() + words_.size_approx(), 6 - in_all);
  }
  EXPECT_EQ(numbers, (std::vector{1, 2, 3}));
  EXPECT_EQ(words, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(SelectTest, queue_that_is_never_empty_keeps_nobody_from_the_other) {
  std::array<int, 2> taken{};
  for (int i = 0; i < 1000; ++i) {
    numbers_.try_put(i);
    words_.try_put("word");
    ++taken.at(select(on(numbers_, nothing), on(words_, nothing)));
  }
  EXPECT_GE(taken[0], 400);
  EXPECT_GE(taken[1], 400);
}

TEST_F(SelectTest, turns_are_fair_also_where_a_thread_selects_in_several_places) {
  const auto more = make_queue<int>(member_);
  std::array<int, 3> taken{};
  for (int i = 0; i < 900; ++i) {
    numbers_.try_put(i);
    words_.try_put("word");
    more.try_put(i);
    ++taken.at(select(on(numbers_, nothing), on(words_, nothing), on(more, nothing)));
    try_select(on(more, nothing));
    try_select(on(more, nothing));
  }
  for (const int count : taken) EXPECT_GE(count, 200);
}

TEST_F(SelectTest, try_select_finds_what_is_there_and_nothing_otherwise) {
  EXPECT_EQ(try_select(on(numbers_, nothing), on(words_, nothing)), std::nullopt);
  numbers_.put(1);
  EXPECT_EQ(try_select(on(numbers_, nothing), on(words_, nothing)), 0U);
  EXPECT_EQ(try_select(on(numbers_, nothing), on(words_, nothing)), std::nullopt);
}

TEST_F(SelectTest, deadline_ends_the_wait_with_nothing) {
  EXPECT_EQ(try_select_for(milliseconds(2), on(numbers_, nothing), on(words_, nothing)), std::nullopt);
  EXPECT_EQ(try_select_until(std::chrono::system_clock::now() + milliseconds(2), on(numbers_, nothing)),
            std::nullopt);
  EXPECT_FALSE(has_getter(numbers_));
  EXPECT_FALSE(has_getter(words_));
  words_.put("in time");
  EXPECT_EQ(try_select_for(hours(1), on(numbers_, nothing), on(words_, nothing)), 1U);
}

TEST_F(SelectTest, sleeping_thread_is_woken_by_whichever_queue_is_first) {
  for (const bool is_word : {false, true, true, false}) {
    std::jthread putter([&] {
      wait_for_sleep();
      if (is_word)
        words_.put("first");
      else
        numbers_.put(1);
    });
    EXPECT_EQ(select(on(numbers_, nothing), on(words_, nothing)), is_word ? 1U : 0U);
  }
  EXPECT_FALSE(has_getter(numbers_));
  EXPECT_FALSE(has_getter(words_));
}

TEST_F(SelectTest, request_to_stop_ends_the_wait_with_nothing) {
  std::jthread thread([&](const std::stop_token& stop) {
    EXPECT_EQ(select(stop, on(numbers_, nothing), on(words_, nothing)), std::nullopt);
  });
  wait_for_sleep();
  thread.request_stop();
}

TEST_F(SelectTest, request_to_stop_that_came_before_still_takes_what_is_there) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(select(stop.get_token(), on(numbers_, nothing), on(words_, nothing)), std::nullopt);
  numbers_.put(1);
  EXPECT_EQ(select(stop.get_token(), on(numbers_, nothing), on(words_, nothing)), 0U);
}

TEST_F(SelectTest, closed_queue_is_drained_and_then_passed_over) {
  numbers_.put(1);
  numbers_.close();
  EXPECT_EQ(select(on(numbers_, nothing), on(words_, nothing)), 0U);
  EXPECT_EQ(try_select(on(numbers_, nothing), on(words_, nothing)), std::nullopt);
  words_.put("from the one that is open");
  EXPECT_EQ(select(on(numbers_, nothing), on(words_, nothing)), 1U);
}

TEST_F(SelectTest, sleeps_beside_a_closed_queue_until_another_has_a_message) {
  numbers_.close();
  std::jthread putter([&] {
    wait_for_sleep();
    EXPECT_FALSE(has_getter(numbers_));
    words_.put("awake");
  });
  EXPECT_EQ(select(on(numbers_, nothing), on(words_, nothing)), 1U);
}

TEST_F(SelectTest, ends_when_the_last_queue_is_closed) {
  std::jthread closer([&] {
    wait_for_sleep();
    numbers_.close();
    wait_for(
        [&] { return !has_getter(numbers_) && sleepers(node_.segment(), InterestKind::several, 0) == 1; });
    words_.close();
  });
  EXPECT_THROW(select(on(numbers_, nothing), on(words_, nothing)), QueueClosed);
  EXPECT_THROW(try_select(on(numbers_, nothing), on(words_, nothing)), QueueClosed);
}

TEST_F(SelectTest, consumers_and_channels_can_be_selected_from) {
  numbers_.put(7);
  int number = 0;
  EXPECT_EQ(select(on(words_.consumer(), nothing), on(numbers_.consumer(), [&](int got) { number = got; })),
            1U);
  EXPECT_EQ(number, 7);
  numbers_.put(8);
  std::size_t size = 0;
  EXPECT_EQ(select(on(words_.channel(), nothing),
                   on(numbers_.channel(), [&](const std::vector<std::byte>& bytes) { size = bytes.size(); })),
            1U);
  EXPECT_EQ(size, sizeof(int));
}

TEST_F(SelectTest, lease_that_is_dropped_goes_back_and_one_that_is_done_is_gone) {
  numbers_.put(3);
  EXPECT_EQ(select(on(words_, nothing), on_lease(numbers_, nothing)), 1U);
  std::uint32_t deliveries = 0;
  const auto finish = [&](Lease<int> lease) {
    deliveries = lease.delivery_count();
    lease.done();
  };
  EXPECT_EQ(select(on_lease(numbers_.consumer(), finish), on(words_, nothing)), 0U);
  EXPECT_EQ(deliveries, 1U);
  EXPECT_EQ(try_select(on_lease(numbers_, nothing), on(words_, nothing)), std::nullopt);
}

TEST_F(SelectTest, lease_that_comes_back_to_a_closed_queue_wakes_who_selects_for_one) {
  numbers_.put(3);
  numbers_.close();
  std::optional<Lease<int>> held = numbers_.lease();
  std::jthread dropper([&] {
    wait_for_sleep();
    held.reset();
  });
  EXPECT_EQ(select(on_lease(numbers_, [](Lease<int> lease) { lease.done(); }), on_lease(words_, nothing)),
            0U);
}

TEST_F(SelectTest, message_is_gone_when_its_handler_throws) {
  numbers_.put(1);
  const auto fail = [](int) { throw std::runtime_error("handler"); };
  EXPECT_THROW(select(on(numbers_, fail), on(words_, nothing)), std::runtime_error);
  EXPECT_EQ(try_select(on(numbers_, nothing), on(words_, nothing)), std::nullopt);
}

TEST_F(SelectTest, message_that_is_none_of_its_type_throws) {
  const Channel bytes = Channel::create(member_, {}, type_hash<int>(), type_name<int>());
  const Queue<int> broken(member_, bytes.reference());
  bytes.put(std::vector<std::byte>(1));
  EXPECT_THROW(select(on(broken, nothing), on(numbers_, nothing)), DecodeError);
}

TEST_F(SelectTest, handle_that_refers_to_no_queue_is_refused) {
  EXPECT_THROW(try_select(on(Queue<int>{}, nothing), on(words_, nothing)), InvalidArgument);
}

TEST_F(SelectTest, same_queue_may_be_there_twice) {
  std::jthread putter([&] {
    wait_for_sleep();
    numbers_.put(1);
  });
  EXPECT_LT(select(on(numbers_, nothing), on(numbers_, nothing)), 2U);
  EXPECT_FALSE(has_getter(numbers_));
}

TEST_F(SelectTest, what_on_returns_can_be_used_again) {
  int sum = 0;
  auto add = on(numbers_, [&](int number) { sum += number; });
  numbers_.put_many(std::vector{1, 2, 3});
  while (try_select(add, on(words_, nothing))) {
  }
  EXPECT_EQ(sum, 6);
}

}  // namespace
}  // namespace wyvern::test
