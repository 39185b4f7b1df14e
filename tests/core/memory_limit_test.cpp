#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

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

/// A machine whose control groups say that.
std::string machine_with(const std::string& groups, const std::string& file, const std::string& limit) {
  const std::string root = testing::TempDir() + "wyvern_memory_" + std::to_string(::getpid());
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root + "/proc/self");
  std::ofstream(root + "/proc/self/cgroup") << groups;
  std::filesystem::create_directories(std::filesystem::path(root + file).parent_path());
  std::ofstream(root + file) << limit << '\n';
  return root;
}

TEST(MemoryLimit, is_that_of_the_tightest_control_group_of_either_version) {
  const std::string version2 = machine_with("0::/a/b\n", "/sys/fs/cgroup/a/memory.max", "67108864");
  EXPECT_EQ(memory_limit(version2).bytes, 67108864U);
  EXPECT_EQ(memory_limit(version2).group, version2 + "/sys/fs/cgroup/a/");

  const std::string version1 =
      machine_with("4:memory:/docker/1\n0::/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "33554432");
  EXPECT_EQ(memory_limit(version1).bytes, 33554432U);
  EXPECT_EQ(memory_limit(version1).group, version1 + "/sys/fs/cgroup/memory/");

  // What version 1 says when there is no limit.
  const std::string none =
      machine_with("4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(memory_limit(none).group, "");
  EXPECT_GT(memory_limit(none).bytes, 67108864U);
  std::filesystem::remove_all(none);
}

TEST(MemoryLimit, at_least_one_core_is_usable_and_no_more_than_there_are) {
  EXPECT_GE(usable_cores(), 1U);
  EXPECT_LE(usable_cores(), static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_CONF)));
}

}  // namespace
}  // namespace wyvern::test
