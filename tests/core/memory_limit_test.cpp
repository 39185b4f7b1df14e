#include <unistd.h>

#include <thread>

#include <gtest/gtest.h>

#include <wyvern/core/memory_limit.hpp>

namespace wyvern::test {
namespace {

TEST(MemoryLimit, ceiling_is_at_most_half_of_the_machine) {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  EXPECT_GT(default_memory_ceiling(), 0U);
  EXPECT_LE(default_memory_ceiling(), machine / 2);
}

TEST(MemoryLimit, at_least_one_core_is_usable_and_no_more_than_there_are) {
  EXPECT_GE(usable_cores(), 1U);
  EXPECT_LE(usable_cores(), static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_CONF)));
}

}  // namespace
}  // namespace wyvern::test
