#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/memory_size.hpp>

namespace wyvern {
namespace {

TEST(MemorySize, numbers_with_and_without_units_are_bytes) {
  EXPECT_EQ(parse_memory_size("1"), 1U);
  EXPECT_EQ(parse_memory_size("1073741824"), 1073741824U);
  EXPECT_EQ(parse_memory_size("512B"), 512U);
  EXPECT_EQ(parse_memory_size("64k"), 65536U);
  EXPECT_EQ(parse_memory_size("1.5M"), 1536U * 1024);
  EXPECT_EQ(parse_memory_size("2GiB"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_memory_size("1TB"), std::uint64_t{1} << 40);
}

TEST(MemorySize, anything_else_is_invalid_argument) {
  for (const char* text : {"", "M", "0", "0.1", "-1", "+1", "1X", "1MM", "1 M", " 1", "1e3", "nan", "inf",
                           "0x10", "99999999999999999999T", "1MiBB"}) {
    EXPECT_THROW(parse_memory_size(text), InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace wyvern
