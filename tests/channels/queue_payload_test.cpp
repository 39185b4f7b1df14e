#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/payload.hpp>
#include <wyvern/core/error.hpp>

#include "support/local_node.hpp"
#include "support/stamped.hpp"

namespace wyvern::test {

/// A value whose encoding fails on request.
struct Unwilling {
  bool fail = false;
};

}  // namespace wyvern::test

template <>
struct wyvern::Codec<wyvern::test::Unwilling> {
  static void encode(Encoder& encoder, const test::Unwilling& value) {
    encoder(std::string(1000, 'x'));
    if (value.fail) throw std::domain_error("unwilling");
  }
  static test::Unwilling decode(Decoder& decoder) {
    decoder.read<std::string>();
    return {};
  }
};

namespace wyvern::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kibibyte = 1024;
constexpr std::uint64_t mebibyte = 1024 * kibibyte;

class QueuePayload : public ::testing::Test {
 protected:
  Channel make(const QueueOptions& options) {
    return Channel::create(member_, options, raw_bytes_type_hash, raw_bytes_type_name);
  }
  void expect_clean(const Channel& channel) const {
    EXPECT_EQ(audit(node_.segment(), channel.reference()), "");
    EXPECT_EQ(audit_node(node_.segment()), "");
  }
  std::uint32_t asleep(InterestKind kind, const Channel& channel) const {
    return sleepers(node_.segment(), kind, channel.reference().index);
  }

  LocalNode node_{64 * mebibyte};
  std::shared_ptr<Member> member_ = node_.join();
};

using Bytes = std::vector<std::byte>;

TEST_F(QueuePayload, every_size_around_the_inline_limit_arrives_unchanged) {
  for (const std::uint64_t inline_size : {0U, 1U, 63U, 64U, 65U, 256U, 4096U}) {
    Channel channel = make({.capacity = 4, .inline_size = inline_size});
    for (std::uint64_t size = inline_size < 2 ? 0 : inline_size - 2; size <= inline_size + 2; ++size) {
      Bytes bytes(size);
      for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + size);
      channel.put(bytes);
      ASSERT_EQ(channel.get(), bytes) << size << " bytes, inline " << inline_size;
    }
    channel.put({});
    EXPECT_EQ(channel.get().size(), 0U);
    expect_clean(channel);
  }
}

TEST_F(QueuePayload, small_messages_after_large_ones_in_the_same_blocks_are_small) {
  Channel channel = make({.capacity = 2, .inline_size = 32});
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Bytes message = make_stamped({member_->puid(), i}, i % 2 == 0 ? 30 : 3000);
    channel.put(message);
    ASSERT_EQ(channel.get(), message);
  }
  expect_clean(channel);
}

TEST_F(QueuePayload, sixteen_mebibytes_need_no_consumer) {
  Channel channel = make({});
  const Bytes message = make_stamped({member_->puid(), 0}, 16 * mebibyte);
  channel.put(message);
  EXPECT_EQ(payload_bytes(channel.local().view()), 16 * mebibyte);
  EXPECT_TRUE(channel.get() == message);
  EXPECT_EQ(payload_bytes(channel.local().view()), 0U);
  expect_clean(channel);
}

TEST_F(QueuePayload, max_bytes_reached_means_full) {
  Channel channel = make({.capacity = 16, .max_bytes = 64 * kibibyte});
  const Bytes message(16 * kibibyte);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(channel.try_put(message));
  EXPECT_FALSE(channel.try_put(message));
  EXPECT_FALSE(channel.try_put_for(2ms, message));
  EXPECT_TRUE(channel.try_put(Bytes(10))) << "what is kept in the ring does not count";
  channel.get();
  EXPECT_TRUE(channel.try_put(message));
  EXPECT_FALSE(channel.try_put(message));
  expect_clean(channel);
}

TEST_F(QueuePayload, put_that_waits_for_max_bytes_goes_on_when_space_is_free) {
  Channel channel = make({.capacity = 16, .max_bytes = 64 * kibibyte});
  const Bytes message(40 * kibibyte);
  channel.put(message);
  std::vector<std::jthread> producers;
  for (int i = 0; i < 3; ++i) producers.emplace_back([&] { channel.put(message); });
  wait_for([&] { return asleep(InterestKind::payload_room, channel) == 3; });

  for (int i = 0; i < 4; ++i) EXPECT_EQ(channel.get().size(), message.size());

  producers.clear();
  expect_clean(channel);
}

TEST_F(QueuePayload, one_message_of_max_bytes_is_accepted_whatever_its_extent_takes) {
  Channel channel = make({.max_bytes = 16 * kibibyte + 1});
  EXPECT_TRUE(channel.try_put(Bytes(16 * kibibyte + 1)));
  EXPECT_FALSE(channel.try_put(Bytes(1000)));
  EXPECT_THROW(channel.put(Bytes(16 * kibibyte + 2)), TooLarge);
  EXPECT_EQ(channel.get().size(), 16 * kibibyte + 1);
}

TEST_F(QueuePayload, message_that_can_never_fit_is_too_large) {
  Channel channel = make({.max_bytes = ~std::uint64_t{0}});
  EXPECT_THROW(channel.put(Bytes(65 * mebibyte)), TooLarge);
  Channel small = make({.max_bytes = 1000});
  EXPECT_THROW(small.put(Bytes(1001)), TooLarge);
  EXPECT_THROW(small.try_put(Bytes(1001)), TooLarge);
  EXPECT_NO_THROW(small.put(Bytes(1000)));
  expect_clean(small);
}

TEST_F(QueuePayload, ceiling_reached_is_out_of_memory_and_the_queue_goes_on) {
  Channel channel = make({.capacity = 1024, .max_bytes = ~std::uint64_t{0} >> 16});
  std::uint64_t accepted = 0;
  try {
    while (true) {
      channel.put(make_stamped({member_->puid(), accepted}, mebibyte));
      ++accepted;
    }
  } catch (const OutOfMemory&) {
  }
  ASSERT_GT(accepted, 50U);
  EXPECT_EQ(channel.size_approx(), accepted) << "nothing was enqueued";
  EXPECT_THROW(channel.try_put(Bytes(mebibyte)), OutOfMemory);
  expect_clean(channel);

  channel.put(Bytes(10));
  EXPECT_EQ(read_stamped(channel.get()), (MessageId{member_->puid(), 0}));
  channel.put(make_stamped({member_->puid(), accepted}, mebibyte));
  for (std::uint64_t i = 1; i < accepted; ++i) ASSERT_EQ(read_stamped(channel.get()).sequence, i);
  EXPECT_EQ(channel.get().size(), 10U);
  EXPECT_EQ(read_stamped(channel.get()).sequence, accepted);
  expect_clean(channel);
}

TEST_F(QueuePayload, full_queue_on_a_full_node_is_full_and_not_out_of_memory) {
  Channel channel = make({.capacity = 16, .max_bytes = 64 * kibibyte});
  for (int i = 0; i < 4; ++i) channel.put(Bytes(16 * kibibyte));
  Channel greedy = make({.capacity = 128, .max_bytes = ~std::uint64_t{0} >> 16});
  for (const std::uint64_t size : {mebibyte, 64 * kibibyte, 16 * kibibyte}) {
    try {
      while (greedy.try_put(Bytes(size))) {
      }
    } catch (const OutOfMemory&) {
    }
  }
  EXPECT_FALSE(channel.try_put(Bytes(16 * kibibyte)));
  EXPECT_FALSE(channel.try_put_for(1ms, Bytes(16 * kibibyte)));
}

TEST_F(QueuePayload, memory_of_messages_that_were_got_serves_other_sizes) {
  Channel channel = make({.capacity = 64});
  for (const std::uint64_t size : {mebibyte, 20 * mebibyte, 100 * kibibyte, 5 * mebibyte, 20 * mebibyte}) {
    const std::uint64_t count = 24 * mebibyte / size;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, 64); ++i)
      ASSERT_TRUE(channel.try_put(Bytes(size)));
    while (channel.try_get()) {
    }
  }
  expect_clean(channel);
}

TEST_F(QueuePayload, message_that_is_being_read_keeps_its_memory) {
  Channel channel = make({.capacity = 2, .max_bytes = 64 * kibibyte});
  const Bytes first = make_stamped({member_->puid(), 1}, 40 * kibibyte);
  channel.put(first);
  {
    const auto message = channel.local().take(IntentKind::get, WaitLimit::now());
    ASSERT_TRUE(message);
    EXPECT_FALSE(channel.try_put(make_stamped({member_->puid(), 2}, 40 * kibibyte)));
    for (std::uint64_t i = 0; i < 10; ++i) {
      channel.put(Bytes(2000));
      channel.get();
    }
    EXPECT_TRUE(std::equal(first.begin(), first.end(), message->bytes().begin(), message->bytes().end()));
  }
  EXPECT_TRUE(channel.try_put(make_stamped({member_->puid(), 2}, 40 * kibibyte)));
}

TEST_F(QueuePayload, bytes_that_are_no_value_are_a_decode_error_with_the_bytes_and_the_queue_goes_on) {
  auto queue = make_queue<std::vector<std::string>>(member_);
  const Bytes garbage(20, std::byte{0xff});
  Channel(queue.channel()).put(garbage);
  queue.put({"good"});
  try {
    queue.get();
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_EQ(error.bytes(), garbage);
  }
  EXPECT_EQ(queue.get(), std::vector<std::string>{"good"});
  expect_clean(queue.channel());
}

TEST_F(QueuePayload, decode_error_of_a_large_message_gives_its_extent_back) {
  auto queue = make_queue<std::vector<std::string>>(member_);
  Channel(queue.channel()).put(Bytes(5000, std::byte{0xff}));
  EXPECT_THROW(queue.get(), DecodeError);
  EXPECT_EQ(payload_bytes(queue.channel().local().view()), 0U);
  expect_clean(queue.channel());
}

TEST_F(QueuePayload, value_that_cannot_be_encoded_is_not_enqueued) {
  auto queue = make_queue<Unwilling>(member_, {.inline_size = 16});
  EXPECT_THROW(queue.put({.fail = true}), std::domain_error);
  EXPECT_TRUE(queue.empty_approx());
  queue.put({.fail = false});
  EXPECT_EQ(queue.size_approx(), 1U);
  queue.get();
  expect_clean(queue.channel());
}

}  // namespace
}  // namespace wyvern::test
