// The control group of a node, where this machine has one to give.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <wyvern/core/cgroup.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/agent/job_cgroup.hpp>

#include "runtime/support/scratch_folder.hpp"
#include "support/child.hpp"

namespace wyvern::agent {
namespace {

using test::Child;

constexpr uid_t nobody = 65534;
constexpr int as_wanted = 0;
constexpr int not_possible = 77;

/// Its reading end comes to its end when all have gone that have the writing end.
struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reading = FileDescriptor(ends[0]);
    writing = FileDescriptor(ends[1]);
  }
  void write() const { EXPECT_EQ(::write(writing.get(), "x", 1), 1); }
  /// Whether a byte has come; false at the end. Waits for either.
  bool read() const {
    char byte = 0;
    return ::read(reading.get(), &byte, 1) == 1;
  }

  FileDescriptor reading;
  FileDescriptor writing;
};

class JobCgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    group_ = JobCgroup::make(::getpid(), 1);
    if (!group_) GTEST_SKIP() << group_.refusal();
  }
  void TearDown() override { group_.end(Deadline::never()); }

  /// Returns when a process is in the group, or in one inside it, that is in no session and no process group
  /// of the test's, nor its child.
  void put_a_stray_in(const std::string& inside = "") {
    Child agent([&] {
      group_.enter();
      if (!inside.empty()) std::ofstream(group_.folder() + inside + "/cgroup.procs") << "0";
      if (::fork() != 0) return as_wanted;
      ::setsid();
      if (::fork() != 0) ::_exit(as_wanted);
      group_ = JobCgroup();  // as when a program is executed
      stray_.write();
      for (;;) ::pause();
    });
    EXPECT_EQ(agent.wait(), as_wanted);
    EXPECT_TRUE(stray_.read());
    stray_.writing.reset();
  }
  bool stray_lives_not() const { return !stray_.read(); }
  static bool is_there(const std::string& folder) { return std::filesystem::exists(folder); }

  JobCgroup group_;
  Pipe stray_;
};

TEST_F(JobCgroupTest, ends_what_is_in_it_and_goes) {
  put_a_stray_in();
  const std::string folder = group_.folder();
  ASSERT_TRUE(is_there(folder));
  group_.end(Deadline::never());
  EXPECT_TRUE(stray_lives_not());
  EXPECT_FALSE(is_there(folder));
  EXPECT_FALSE(group_);
}

TEST_F(JobCgroupTest, ends_what_is_in_groups_inside_it) {
  std::filesystem::create_directories(group_.folder() + "/a/b");
  put_a_stray_in("/a/b");
  const std::string folder = group_.folder();
  group_.end(Deadline::never());
  EXPECT_TRUE(stray_lives_not());
  EXPECT_FALSE(is_there(folder));
}

/// Whether what is written to that file fails from now on, for this process alone.
bool break_file(const std::string& file) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("/dev/full", file.c_str(), "", MS_BIND, nullptr) == 0;
}

TEST_F(JobCgroupTest, ends_what_is_in_it_without_help_of_the_kernel_too) {
  std::filesystem::create_directories(group_.folder() + "/inside");
  put_a_stray_in("/inside");
  const std::string folder = group_.folder();
  Child old_kernel([&] {
    const std::string file = folder + "/cgroup.kill";
    if (is_there(file) && !break_file(file)) return not_possible;
    group_.end(Deadline::never());
    return as_wanted;
  });
  const int status = old_kernel.wait();
  if (status == not_possible) GTEST_SKIP() << "no file system can be mounted by this user";
  EXPECT_EQ(status, as_wanted);
  EXPECT_TRUE(stray_lives_not());
  EXPECT_FALSE(is_there(folder));
}

TEST_F(JobCgroupTest, spares_who_ends_it_though_in_it) {
  const std::string folder = group_.folder();
  Child agent([&] {
    group_.enter();
    group_.end(Deadline::never());
    return is_there(folder) ? 1 : as_wanted;
  });
  EXPECT_EQ(agent.wait(), as_wanted);
}

TEST_F(JobCgroupTest, ends_all_but_who_ends_it_and_cannot_leave) {
  std::filesystem::create_directories(group_.folder() + "/inside");
  put_a_stray_in("/inside");
  const std::string folder = group_.folder();
  Child held([&] {
    group_.enter();
    if (!break_file(*version2_cgroup_folder() + "/../cgroup.procs")) return not_possible;
    group_.end(Deadline::never());
    return is_there(folder) && !is_there(folder + "/inside") ? as_wanted : 1;
  });
  const int status = held.wait();
  if (status == not_possible) GTEST_SKIP() << "no file system can be mounted by this user";
  EXPECT_EQ(status, as_wanted);
  EXPECT_TRUE(stray_lives_not());
}

TEST_F(JobCgroupTest, is_refused_where_no_process_could_enter_it) {
  const std::string inside = group_.folder() + "/threads";
  std::filesystem::create_directories(inside);
  std::ofstream(inside + "/cgroup.type") << "threaded" << std::flush;
  std::ifstream file(group_.folder() + "/cgroup.type");
  std::string kind;
  std::getline(file, kind);
  if (kind != "domain threaded") GTEST_SKIP() << "the kernel makes no group for threads: " << kind;
  Child agent([&] {
    group_.enter();
    const JobCgroup refused = JobCgroup::make(::getpid(), 1);
    return !refused && refused.refusal().find("'domain invalid'") != std::string::npos ? as_wanted : 1;
  });
  EXPECT_EQ(agent.wait(), as_wanted);
  for (const auto& entry : std::filesystem::directory_iterator(group_.folder())) {
    EXPECT_FALSE(entry.is_directory() && entry.path() != inside) << entry.path();
  }
}

TEST_F(JobCgroupTest, is_made_for_a_job_unless_the_user_has_switched_that_off) {
  Child user([&] {
    ::setenv("WYVERN_CGROUP", "on", 1);
    JobCgroup made = JobCgroup::make_if_wanted(::getpid(), 1);
    const bool is_made = static_cast<bool>(made);
    made.end(Deadline::never());
    ::setenv("WYVERN_CGROUP", "off", 1);
    const JobCgroup none = JobCgroup::make_if_wanted(::getpid(), 1);
    return is_made && !none && none.refusal() == "WYVERN_CGROUP is off" ? as_wanted : 1;
  });
  EXPECT_EQ(user.wait(), as_wanted);
}

TEST(JobCgroup, that_is_wanted_in_unknown_words_is_an_error_that_says_what_was_expected) {
  Child user([] {
    ::setenv("WYVERN_CGROUP", "no", 1);
    try {
      JobCgroup::make_if_wanted(::getpid(), 1);
    } catch (const InvalidArgument& error) {
      return std::string(error.what()) == "WYVERN_CGROUP is 'on' or 'off', not 'no'" ? as_wanted : 1;
    }
    return 1;
  });
  EXPECT_EQ(user.wait(), as_wanted);
}

TEST_F(JobCgroupTest, that_was_removed_by_somebody_is_none_and_nobody_is_hindered) {
  ASSERT_EQ(::rmdir(group_.folder().c_str()), 0);
  group_.enter();
  EXPECT_FALSE(group_);
  EXPECT_NE(group_.refusal().find("entering " + group_.folder()), std::string::npos) << group_.refusal();
  group_.kill();
  group_.end(Deadline::never());
}

TEST_F(JobCgroupTest, is_left_over_when_all_have_gone_that_had_it) {
  put_a_stray_in();
  const std::string folder = group_.folder();
  JobCgroup::end_left_over();
  EXPECT_TRUE(is_there(folder)) << "the test has it";
  Pipe told;
  Child holder([&] {
    told.writing.reset();
    told.read();
    return as_wanted;
  });
  group_ = JobCgroup();
  JobCgroup::end_left_over();
  EXPECT_TRUE(is_there(folder)) << "a fork has it";
  told.writing.reset();
  EXPECT_EQ(holder.wait(), as_wanted);
  JobCgroup::end_left_over();
  EXPECT_TRUE(stray_lives_not());
  while (is_there(folder)) JobCgroup::end_left_over();
}

TEST_F(JobCgroupTest, is_refused_to_who_may_make_none) {
  if (::geteuid() != 0) GTEST_SKIP() << "this user cannot become another one, who may not";
  const std::string home = *version2_cgroup_folder();
  Child other([&] {
    if (::setresuid(nobody, nobody, nobody) != 0) return not_possible;
    JobCgroup refused = JobCgroup::make(::getpid(), 1);
    refused.enter();
    refused.end(Deadline::never());
    const bool right =
        !refused && refused.refusal() == "writing to " + home + "/cgroup.procs: Permission denied";
    return right ? as_wanted : 1;
  });
  EXPECT_EQ(other.wait(), as_wanted);
}

TEST(JobCgroup, is_none_without_version_2) {
  const test::ScratchFolder root;
  JobCgroup none = JobCgroup::make(1, 1, root.path());
  EXPECT_FALSE(none);
  EXPECT_EQ(none.refusal(), "no control group of version 2 can be seen from here");
  none.enter();
  none.end(Deadline::never());
  JobCgroup::end_left_over(root.path());
}

}  // namespace
}  // namespace wyvern::agent
