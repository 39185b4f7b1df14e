#include "support/history.hpp"

#include <csignal>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/child.hpp"
#include "support/stamped.hpp"

namespace wyvern::test {
namespace {

const Puid a = Puid::make(0, 1, 1);
const Puid b = Puid::make(0, 1, 2);

/// Two producers with three messages each, one consumer that got all of them.
std::vector<WorkerHistory> good_run() {
  return {{.worker = a, .puts_begun = 3, .puts_ended = 3},
          {.worker = b, .puts_begun = 3, .puts_ended = 3},
          {.worker = Puid::make(0, 1, 3), .got = {{a, 0}, {b, 0}, {a, 1}, {a, 2}, {b, 1}, {b, 2}}}};
}

void expect_problem(const std::vector<WorkerHistory>& workers, const std::string& text) {
  std::string all;
  for (const std::string& problem : check_history(workers)) all += problem + "\n";
  EXPECT_NE(all.find(text), std::string::npos) << "found: " << all;
}

TEST(HistoryCheck, good_run_has_no_problems) {
  EXPECT_TRUE(check_history(good_run()).empty());
  EXPECT_TRUE(check_history({}).empty());
}

TEST(HistoryCheck, lost_message_is_flagged) {
  auto workers = good_run();
  workers[2].got.pop_back();
  expect_problem(workers, "message 2 of " + to_string(b) + " was lost");
}

TEST(HistoryCheck, one_lost_message_is_excused_for_each_killed_consumer) {
  auto workers = good_run();
  workers[2].got.pop_back();
  workers[0].killed = true;
  expect_problem(workers, "1 messages were lost, the killed may have held 0");
  workers[2].killed = true;
  EXPECT_TRUE(check_history(workers).empty());
  workers[2].got.pop_back();
  expect_problem(workers, "2 messages were lost, the killed may have held 1");
}

TEST(HistoryCheck, invented_messages_are_flagged) {
  auto workers = good_run();
  workers[2].got.push_back({a, 3});
  expect_problem(workers, "message 3 of " + to_string(a) + " was got and never put");
  workers[2].got.back() = {Puid::make(0, 9, 9), 0};
  expect_problem(workers, "was got and never put");
}

TEST(HistoryCheck, duplicate_is_flagged_also_between_consumers) {
  auto workers = good_run();
  workers.push_back({.worker = Puid::make(0, 1, 4), .got = {{b, 1}}});
  expect_problem(workers, "message 1 of " + to_string(b) + " was got twice");
}

TEST(HistoryCheck, wrong_order_of_one_producer_is_flagged) {
  auto workers = good_run();
  std::swap(workers[2].got[2], workers[2].got[3]);
  expect_problem(workers, "message 1 of " + to_string(a) + " came after 2");
}

TEST(HistoryCheck, put_of_a_living_worker_that_did_not_end_is_flagged) {
  auto workers = good_run();
  workers[0].puts_begun = 4;
  expect_problem(workers, "1 puts of " + to_string(a) + " never ended");
}

TEST(HistoryCheck, puts_that_a_worker_has_not_learned_the_end_of_may_or_may_not_have_happened) {
  for (const std::uint64_t got : {1U, 2U, 3U}) {
    auto workers = good_run();
    workers[1].puts_ended = 1;
    workers[1].undecided = true;
    std::erase_if(workers[2].got,
                  [&](const MessageId& id) { return id.producer == b && id.sequence >= got; });
    EXPECT_TRUE(check_history(workers, {.at_once = 2}).empty()) << got;
    EXPECT_FALSE(check_history(workers, {.at_once = 1}).empty()) << got;
  }
}

TEST(HistoryCheck, put_of_a_killed_worker_may_or_may_not_have_happened) {
  auto workers = good_run();
  workers[0].puts_begun = 4;
  workers[0].killed = true;
  EXPECT_TRUE(check_history(workers).empty());
  workers[2].got.push_back({a, 3});
  EXPECT_TRUE(check_history(workers).empty());
  workers[0].puts_begun = 5;
  expect_problem(workers, "2 puts of " + to_string(a) + " never ended");
}

TEST(HistoryLog, survives_the_death_of_its_worker) {
  History history(3, 10);
  auto producer = history.add(a);
  auto consumer = history.add(b);
  Child child([&]() -> int {
    for (int i = 0; i < 3; ++i) {
      const MessageId id = producer.begin_put();
      producer.put_ended();
      consumer.got(id);
    }
    producer.begin_put();
    ::raise(SIGKILL);
    return 0;
  });
  EXPECT_EQ(child.wait(), -SIGKILL);

  EXPECT_EQ(history.total_got(), 3U);
  EXPECT_NE(history.problems(), "");
  history.mark_killed(a);
  EXPECT_EQ(history.problems(), "");
}

TEST(HistoryLog, refused_put_does_not_count) {
  History history(1, 1);
  auto producer = history.add(a);
  EXPECT_EQ(producer.begin_put().sequence, 0U);
  producer.put_refused();
  EXPECT_EQ(history.problems(), "");
  EXPECT_EQ(producer.begin_put().sequence, 0U) << "its number is used again";
}

TEST(Stamp, tells_the_message_and_finds_wrong_bytes) {
  auto message = make_stamped({a, 7}, 1000);
  EXPECT_EQ(read_stamped(message), (MessageId{a, 7}));
  message[999] ^= std::byte{1};
  EXPECT_THROW(read_stamped(message), std::runtime_error);
}

}  // namespace
}  // namespace wyvern::test
