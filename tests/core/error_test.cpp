#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

namespace wyvern::test {
namespace {

constexpr int code_count = static_cast<int>(ErrorCode::fiber_ended) + 1;

TEST(ErrorTest, every_code_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (int code = 0; code < code_count; ++code) names.insert(to_string(static_cast<ErrorCode>(code)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(code_count));
  EXPECT_FALSE(names.contains("unknown_code"));
}

TEST(ErrorTest, number_that_is_no_code_has_a_name_too) {
  EXPECT_STREQ(to_string(static_cast<ErrorCode>(code_count)), "unknown_code");
}

TEST(ErrorTest, throw_error_keeps_code_and_message) {
  for (int code = 0; code < code_count; ++code) {
    try {
      throw_error(static_cast<ErrorCode>(code), "what happened");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), static_cast<ErrorCode>(code));
      EXPECT_STREQ(error.what(), "what happened");
    }
  }
}

TEST(ErrorTest, throw_error_throws_the_type_of_the_code) {
  EXPECT_THROW(throw_error(ErrorCode::queue_closed, ""), QueueClosed);
  EXPECT_THROW(throw_error(ErrorCode::out_of_memory, ""), OutOfMemory);
  EXPECT_THROW(throw_error(ErrorCode::decode_error, ""), DecodeError);
  EXPECT_THROW(throw_error(static_cast<ErrorCode>(code_count), ""), Error);
}

TEST(ErrorTest, decode_error_carries_the_bytes) {
  const std::vector<std::byte> bytes{std::byte{1}, std::byte{2}};
  EXPECT_EQ(DecodeError("bad", bytes).bytes(), bytes);
}

TEST(ErrorTest, errno_text_names_operation_and_reason) {
  EXPECT_EQ(describe_errno("open /x", ENOENT), "open /x: No such file or directory");
}

}  // namespace
}  // namespace wyvern::test
