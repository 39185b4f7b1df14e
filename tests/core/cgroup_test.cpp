#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/cgroup.hpp>

namespace wyvern::test {
namespace {

using Folders = std::vector<std::string>;

/// A machine whose /proc/self/cgroup says that.
class Cgroup : public testing::Test {
 protected:
  Cgroup() : root_(testing::TempDir() + "wyvern_cgroup_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(root_ + "/proc/self");
  }
  ~Cgroup() override { std::filesystem::remove_all(root_); }
  Folders folders(const std::string& text, const std::string& controller) const {
    std::ofstream(root_ + "/proc/self/cgroup") << text;
    Folders found = cgroup_folders(controller, root_);
    for (std::string& folder : found) folder.erase(0, root_.size());
    return found;
  }

  std::string root_;
};

TEST_F(Cgroup, of_version_2_is_one_for_all_controllers) {
  EXPECT_EQ(folders("0::/a/b\n", "memory"),
            (Folders{"/sys/fs/cgroup/a/b/", "/sys/fs/cgroup/a/", "/sys/fs/cgroup/"}));
}

TEST_F(Cgroup, of_version_1_is_that_of_the_controller) {
  const std::string text = "3:cpu,cpuacct:/c\n2:memory:/m\n1:name=systemd:/s\n";
  EXPECT_EQ(folders(text, "memory"), (Folders{"/sys/fs/cgroup/memory/m/", "/sys/fs/cgroup/memory/"}));
  EXPECT_EQ(folders(text, "cpu"), (Folders{"/sys/fs/cgroup/cpu/c/", "/sys/fs/cgroup/cpu/"}));
  EXPECT_EQ(folders(text, "pids"), Folders());
}

TEST_F(Cgroup, of_a_container_is_the_outermost) {
  EXPECT_EQ(folders("0::/\n", "memory"), (Folders{"/sys/fs/cgroup/"}));
  EXPECT_EQ(folders("4:memory:/\n", "memory"), (Folders{"/sys/fs/cgroup/memory/"}));
}

TEST_F(Cgroup, numbers_are_read_and_words_are_none) {
  const std::string file = root_ + "/number";
  EXPECT_EQ(read_cgroup_number(file), std::nullopt);
  std::ofstream(file) << "max\n";
  EXPECT_EQ(read_cgroup_number(file), std::nullopt);
  std::ofstream(file) << "4096\n";
  EXPECT_EQ(read_cgroup_number(file), 4096U);
}

}  // namespace
}  // namespace wyvern::test
