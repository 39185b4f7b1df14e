#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::wire {
namespace {

using Bytes = std::vector<std::byte>;

QueueTerms terms() {
  return {.object = {.id = ObjectId(4294967299), .index = 17},
          .capacity = 1024,
          .inline_size = 256,
          .max_bytes = std::uint64_t{1} << 30,
          .window = 64,
          .prefetch = 9,
          .type_hash = 0xfedc'ba98'7654'3210,
          .type_name = "std::string",
          .name = "results"};
}

TEST(ControlTables, open_names_the_object) {
  const ObjectReference object{.id = ObjectId(4294967299), .index = 17};
  EXPECT_EQ(decode_open(encode_open(object)), object);
}

TEST(ControlTables, opened_tells_the_terms) {
  const QueueTerms decoded = decode_opened(encode_opened(terms()));
  EXPECT_EQ(decoded.object, terms().object);
  EXPECT_EQ(decoded.capacity, terms().capacity);
  EXPECT_EQ(decoded.inline_size, terms().inline_size);
  EXPECT_EQ(decoded.max_bytes, terms().max_bytes);
  EXPECT_EQ(decoded.window, terms().window);
  EXPECT_EQ(decoded.prefetch, terms().prefetch);
  EXPECT_EQ(decoded.type_hash, terms().type_hash);
  EXPECT_EQ(decoded.type_name, terms().type_name);
  EXPECT_EQ(decoded.name, terms().name);
}

TEST(ControlTables, opened_with_defaults_only_tells_them_too) {
  const QueueTerms decoded = decode_opened(encode_opened({}));
  EXPECT_EQ(decoded.capacity, 0U);
  EXPECT_TRUE(decoded.name.empty());
}

TEST(ControlTables, create_tells_what_the_queue_shall_be) {
  const ChannelSpec spec{.capacity = 12,
                         .inline_size = 64,
                         .max_bytes = 1 << 20,
                         .type_hash = 0xfedc'ba98'7654'3210,
                         .max_deliveries = 3,
                         .window = 17,
                         .prefetch = 8,
                         .dead_letters = {.id = ObjectId(4294967299), .index = 17},
                         .type_name = "std::string",
                         .name = "results"};
  const ChannelSpec decoded = decode_create(encode_create(spec));
  EXPECT_EQ(decoded.capacity, spec.capacity);
  EXPECT_EQ(decoded.inline_size, spec.inline_size);
  EXPECT_EQ(decoded.max_bytes, spec.max_bytes);
  EXPECT_EQ(decoded.type_hash, spec.type_hash);
  EXPECT_EQ(decoded.max_deliveries, spec.max_deliveries);
  EXPECT_EQ(decoded.window, spec.window);
  EXPECT_EQ(decoded.prefetch, spec.prefetch);
  EXPECT_EQ(decoded.dead_letters, spec.dead_letters);
  EXPECT_EQ(decoded.type_name, spec.type_name);
  EXPECT_EQ(decoded.name, spec.name);
}

TEST(ControlTables, refused_tells_why) {
  const Refusal decoded =
      decode_refused(encode_refused({.code = ErrorCode::queue_lost, .text = "it has gone"}));
  EXPECT_EQ(decoded.code, ErrorCode::queue_lost);
  EXPECT_EQ(decoded.text, "it has gone");
}

TEST(ControlTables, refused_with_a_code_of_later_versions_is_an_error_all_the_same) {
  const Refusal decoded =
      decode_refused(encode_refused({.code = static_cast<ErrorCode>(200), .text = "why"}));
  EXPECT_THROW(throw_error(decoded.code, decoded.text), Error);
}

TEST(ControlTables, text_of_a_refusal_is_cut_where_it_is_too_long) {
  const Refusal decoded = decode_refused(encode_refused({.text = std::string(100'000, 'x')}));
  EXPECT_EQ(decoded.text, std::string(1024, 'x'));
}

TEST(ControlTables, that_are_cut_anywhere_are_refused) {
  const Bytes open = encode_open({.id = ObjectId(1), .index = 2});
  const Bytes opened = encode_opened(terms());
  const Bytes refused = encode_refused({.text = "why"});
  for (std::size_t size = 0; size < open.size(); ++size)
    EXPECT_THROW(decode_open(std::span(open).first(size)), DecodeError) << size;
  for (std::size_t size = 0; size < refused.size() - 8; ++size)
    EXPECT_THROW(decode_refused(std::span(refused).first(size)), DecodeError) << size;
  for (std::size_t size = 0; size < opened.size() - 8; ++size)
    EXPECT_THROW(decode_opened(std::span(opened).first(size)), DecodeError) << size;
}

TEST(ControlTables, that_are_changed_at_random_are_refused_or_decoded) {
  std::minstd_rand random(1);
  const Bytes opened = encode_opened(terms());
  int refusals = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes changed = opened;
    changed[random() % changed.size()] = static_cast<std::byte>(random());
    changed[random() % changed.size()] = static_cast<std::byte>(random());
    try {
      decode_opened(changed);
    } catch (const DecodeError&) {
      ++refusals;
    }
  }
  EXPECT_GT(refusals, 0);
}

TEST(ControlTables, that_cannot_be_decoded_come_with_their_bytes) {
  const Bytes garbage(5, std::byte{7});
  try {
    decode_open(garbage);
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_EQ(error.bytes(), garbage);
  }
}

}  // namespace
}  // namespace wyvern::wire
