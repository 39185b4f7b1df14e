#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "support/two_members.hpp"

namespace wyvern::test {
namespace {

template <class End>
concept CanPut = requires(End& end) { end.put(1); };
template <class End>
concept CanTryPut = requires(End& end) { end.try_put(1); };
template <class End>
concept CanPutMany = requires(End& end) { end.put_many(std::vector<int>()); };
template <class End>
concept CanGet = requires(End& end) { end.get(); };
template <class End>
concept CanTryGet = requires(End& end) { end.try_get(); };
template <class End>
concept CanTake = requires(End& end) { end.take(); };
template <class End>
concept CanLease = requires(End& end) { end.lease(); };
template <class End>
concept CanGetMany = requires(End& end) { end.get_many(1); };
template <class End>
concept CanReport = requires(End& end) { end.task_done(); };
template <class End>
concept CanLoan = requires(End& end) { end.loan(); };
template <class End>
concept CanIterate = requires(End& end) { end.begin(); };

template <class End>
constexpr bool puts = CanPut<End> && CanTryPut<End> && CanPutMany<End> && CanLoan<End>;
template <class End>
constexpr bool puts_at_all = CanPut<End> || CanTryPut<End> || CanPutMany<End> || CanLoan<End>;
template <class End>
constexpr bool gets = CanGet<End> && CanTryGet<End> && CanTake<End> && CanLease<End> && CanGetMany<End> &&
                      CanReport<End> && CanIterate<End>;
template <class End>
constexpr bool gets_at_all = CanGet<End> || CanTryGet<End> || CanTake<End> || CanLease<End> ||
                             CanGetMany<End> || CanReport<End> || CanIterate<End>;

static_assert(puts<Queue<int>> && gets<Queue<int>>);
static_assert(puts<Producer<int>> && !gets_at_all<Producer<int>>);
static_assert(gets<Consumer<int>> && !puts_at_all<Consumer<int>>);
static_assert(!std::is_convertible_v<Producer<int>, Queue<int>>);
static_assert(!std::is_convertible_v<Consumer<int>, Queue<int>>);

class QueueEnds : public TwoMembers {};

TEST_F(QueueEnds, producer_puts_what_consumer_gets) {
  auto queue = make<int>();
  Producer<int> producer = queue.producer();
  Consumer<int> consumer = open_as(other_, queue).consumer();
  producer.put(1);
  producer.put_many(std::vector{2, 3});
  Loan<int> loan = producer.loan();
  *loan = 4;
  EXPECT_TRUE(producer.try_put(std::move(loan)));
  producer.flush();
  EXPECT_EQ(consumer.size_approx(), 4U);
  EXPECT_EQ(consumer.get(), 1);
  consumer.task_done();
  EXPECT_EQ(*consumer.take(), 2);
  consumer.lease().done();
  EXPECT_EQ(consumer.get_many(9), std::vector{4});
  EXPECT_TRUE(consumer.empty_approx());
  EXPECT_EQ(producer.id(), consumer.id());
  producer.close();
  EXPECT_THROW(consumer.get(), QueueClosed);
  for ([[maybe_unused]] const int value : consumer) FAIL();
}

TEST_F(QueueEnds, ends_keep_the_queue_and_compare_by_it) {
  auto queue = make<int>();
  Producer<int> producer = queue.producer();
  const Consumer<int> consumer = queue.consumer();
  EXPECT_EQ(producer, queue.producer());
  EXPECT_NE(producer, make<int>().producer());
  EXPECT_TRUE(consumer);
  queue = {};
  producer.put(1);
  EXPECT_EQ(consumer.size_approx(), 1U);
}

TEST_F(QueueEnds, default_constructed_ends_refer_to_nothing) {
  Producer<int> producer;
  Consumer<int> consumer;
  EXPECT_FALSE(producer);
  EXPECT_FALSE(consumer);
  EXPECT_THROW(producer.put(1), InvalidArgument);
  EXPECT_THROW(consumer.try_get(), InvalidArgument);
}

TEST_F(QueueEnds, ends_travel_like_queues) {
  struct Job {
    Producer<int> out;
    Consumer<int> in;
  };
  auto jobs = make<Job>();
  {
    auto in = make<int>();
    in.put(20);
    auto out = make<int>({.name = "out"});
    jobs.put({out.producer(), in.consumer()});
  }
  node_.sweep();
  auto job = jobs.get();
  job.out.put(job.in.get() + 1);
  EXPECT_EQ(Queue<int>(other_, *other_->agent().find_object("out")).get(), 21);
}

TEST_F(QueueEnds, end_of_another_type_is_a_type_mismatch) {
  auto numbers = make<int>();
  std::vector<std::byte> bytes;
  std::vector<ObjectReference> handles;
  encode_to(bytes, numbers.producer(), &handles);
  EXPECT_EQ(handles, std::vector{numbers.channel().reference()});
  EXPECT_EQ(decode_from<Producer<int>>(bytes), numbers.producer());
  EXPECT_EQ(decode_from<Consumer<int>>(bytes), numbers.consumer()) << "either end can be made of it";
  EXPECT_THROW(decode_from<Producer<std::string>>(bytes), TypeMismatch);
}

}  // namespace
}  // namespace wyvern::test
