// Which processes are taken for agents, by those who look at jobs.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/segment.hpp>
#include <wyvern/runtime/observation/job_observer.hpp>

namespace wyvern::observation {
namespace {

Segment make_segment(std::uint32_t node, std::uint32_t nodes) {
  return Segment::create({.node = node,
                          .nodes = nodes,
                          .job = 4711,
                          .memory_ceiling = std::uint64_t{64} << 20,
                          .layout_hash = channels_layout_hash});
}

/// A child of this process that does that, and then waits for its end.
class Child {
 public:
  explicit Child(const std::function<void()>& prepare) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    prepare();
    while (true) ::pause();
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

 private:
  pid_t pid_;
};

/// A process with a segment as an agent has it.
class Agent : public Child {
 public:
  explicit Agent(std::uint32_t node)
      : Child([node] { static const Segment segment = make_segment(node, 2); }) {}
  std::unique_ptr<NodeObserver> observer() const {
    while (true) {
      if (auto node = NodeObserver::of_agent(pid())) return node;
    }
  }
};

TEST(NodeObserver, process_that_an_agent_is_about_to_start_is_none_though_it_has_its_segment) {
  const Segment segment = make_segment(1, 1);
  const auto agent = NodeObserver::of_agent(::getpid());
  ASSERT_NE(agent, nullptr);
  EXPECT_EQ(agent->segment().job(), 4711U);
  const Child started([] {});
  EXPECT_EQ(NodeObserver::of_agent(started.pid()), nullptr);
}

TEST(NodeObserver, segment_that_is_being_made_is_none_yet_and_not_damaged) {
  const FileDescriptor segment(::memfd_create("wyvern-segment", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(NodeObserver::of_agent(::getpid()), nullptr) << "empty";
  ASSERT_EQ(::ftruncate(segment.get(), 8192), 0);
  EXPECT_EQ(NodeObserver::of_agent(::getpid()), nullptr) << "not sealed";
  ASSERT_EQ(::fcntl(segment.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
  EXPECT_EQ(NodeObserver::of_agent(::getpid()), nullptr) << "without a header";
}

JobObserver job_of(const Agent& agent) {
  std::vector<std::unique_ptr<NodeObserver>> nodes;
  nodes.push_back(agent.observer());
  return JobObserver(std::move(nodes));
}

TEST(JobObserver, nodes_that_come_later_are_taken_in_once_and_in_their_order) {
  Agent first(1);
  const Agent second(2);
  JobObserver job = job_of(second);
  JobObserver other = job_of(first);
  EXPECT_TRUE(job.is_same(other));
  job.add_nodes(std::move(other));
  job.add_nodes(job_of(first));
  const auto numbers = [&] {
    std::vector<std::uint32_t> found;
    for (const NodeFigures& node : job.observe().nodes) found.push_back(node.node);
    return found;
  };
  EXPECT_EQ(numbers(), (std::vector<std::uint32_t>{1, 2}));
  first.end();
  EXPECT_EQ(numbers(), std::vector<std::uint32_t>{2});
  EXPECT_TRUE(job.is_same(job_of(second))) << "it is not found anew when its first node has ended";
  EXPECT_FALSE(job.has_ended());
}

}  // namespace
}  // namespace wyvern::observation
