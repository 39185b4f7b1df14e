#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
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

  /// Where that of version 2 is found if so much is mounted; of the folders only these are there.
  std::optional<std::string> version2(const std::string& text, const std::string& mounts,
                                      const Folders& there) const {
    std::ofstream(root_ + "/proc/self/cgroup") << text;
    std::ofstream(root_ + "/proc/self/mountinfo") << mounts;
    for (const std::string& folder : there) std::filesystem::create_directories(root_ + folder);
    const auto found = version2_cgroup_folder(root_);
    return found ? std::optional(found->substr(root_.size())) : std::nullopt;
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

TEST_F(Cgroup, of_version_2_is_found_where_it_is_mounted) {
  EXPECT_EQ(
      version2("0::/a/b\n", "9 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", {"/sys/fs/cgroup/a/b"}),
      "/sys/fs/cgroup/a/b");
  EXPECT_EQ(version2("1:name=systemd:/s\n0::/\n",
                     "8 1 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                     "9 8 0:2 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n",
                     {"/sys/fs/cgroup/unified"}),
            "/sys/fs/cgroup/unified");
}

TEST_F(Cgroup, of_version_2_is_found_where_a_part_of_all_is_mounted) {
  const std::string mounts = "9 1 0:2 /a /a\\040folder rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(version2("0::/a/b\n", mounts, {"/a folder/b"}), "/a folder/b");
  EXPECT_EQ(version2("0::/a\n", mounts, {}), "/a folder");
  EXPECT_EQ(version2("0::/ab\n", mounts, {}), std::nullopt) << "another part";
}

TEST_F(Cgroup, of_version_2_is_found_where_names_have_backslashes) {
  const std::string mounts = "9 1 0:2 / /a\\zzz\\08\\1340\\ rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(version2("0::/\n", mounts, {"/a\\zzz\\08\\0\\"}), "/a\\zzz\\08\\0\\");
}

TEST_F(Cgroup, of_version_2_is_none_where_it_cannot_be_seen) {
  const std::string mounts = "9 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(version2("4:memory:/\n", mounts, {"/sys/fs/cgroup"}), std::nullopt);
  EXPECT_EQ(version2("0::/\n", "8 1 0:1 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n", {}), std::nullopt);
  EXPECT_EQ(version2("0::/../other\n", mounts, {}), std::nullopt) << "outside of the namespace";
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
