// Programs that join a job, as the agent sees them on their connections.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/member_server.hpp>
#include <wyvern/runtime/protocol/packet.hpp>

#include "member_server_scene.hpp"
#include "support/child.hpp"

namespace wyvern::agent {
namespace {

using namespace control;

TEST_F(MemberServerTest, program_that_joins_attaches_as_the_process_that_it_was_let_in_for) {
  const FileDescriptor joiner = connect();
  send(joiner, make_message<Join>(1));
  const auto joined = answer_on<Joined>(joiner, 1);
  EXPECT_EQ(joined.puid, 4294967297U);
  const FileDescriptor socket = connect();
  auto request = attach_request(joined.ticket_key);
  request.ticket_sequence = 1;
  send(socket, request);
  EXPECT_EQ(answer_on<Attached>(socket, 2).puid, joined.puid);
  send(joiner, make_message<Join>(2));
  EXPECT_TRUE(dropped(joiner)) << "it stands for one process";
}

TEST_F(MemberServerTest, nobody_joins_a_job_that_comes_to_its_end) {
  refuses_starts_ = true;
  const FileDescriptor joiner = connect();
  send(joiner, make_message<Join>(1));
  EXPECT_EQ(failure_on(joiner), ErrorCode::spawn_failed);
}

TEST_F(MemberServerTest, who_joins_before_the_job_is_up_is_answered_after_the_head_has_got_its_puid) {
  Segment segment =
      Segment::create({.memory_ceiling = std::uint64_t{64} << 20, .layout_hash = channels_layout_hash});
  Keeper keeper(segment);
  JobProcesses processes(loop_, keeper, forwarder_, {.socket_name = "wyvern-test", .descriptors = {64, 64}},
                         [](const JobProcess&, std::int32_t) {});
  const JobNames names(keeper);
  MemberServer server(loop_, keeper, processes, names, pidfd_.get(),
                      {.leaving = [](const auto&) {},
                       .disconnected = [](Puid) {},
                       .refuses_starts = [] { return false; },
                       .network_plan = [] { return -1; },
                       .log = [this](std::string_view line) { log_ += std::string(line) + "\n"; }});
  auto [joiner, theirs] = make_socket_pair();
  server.adopt(std::move(theirs));
  auto [impatient, theirs_too] = make_socket_pair();
  server.adopt(std::move(theirs_too));
  send(joiner, make_message<Join>(1));
  send(impatient, make_message<Join>(1));
  Packet packet;
  EXPECT_EQ(receive_packet(joiner.get(), packet), Transfer::would_block);
  send(impatient, make_message<Join>(2));
  EXPECT_TRUE(dropped(impatient));
  EXPECT_EQ(processes.add_head(head_key).puid, Puid(4294967296));
  server.let_join();
  EXPECT_EQ(answer_on<Joined>(joiner, 1).puid, 4294967297U);
}

TEST_F(MemberServerTest, end_of_a_program_that_nobody_has_joined_is_malformed) {
  const FileDescriptor stranger = connect();
  send(stranger, make_message<ProgramEnded>(0));
  EXPECT_TRUE(dropped(stranger));
}

TEST_F(MemberServerTest, joiner_that_goes_before_its_program_runs_leaves_nothing) {
  FileDescriptor joiner = connect();
  const Puid puid = joined(joiner);
  joiner.reset();
  turn();
  EXPECT_EQ(processes_.find(puid), nullptr);
  EXPECT_EQ(processes_.status_of(puid), -SIGKILL);
}

/// Waits for a signal.
int wait_to_be_killed() {
  while (true) ::pause();
}

TEST_F(MemberServerTest, end_of_a_program_whose_joiner_is_silent_is_published_with_its_status) {
  const FileDescriptor joiner = connect();
  const Puid puid = joined(joiner);
  test::Child program(wait_to_be_killed);
  const FileDescriptor pidfd = open_pidfd(program.pid());
  say_runs(joiner, program.pid(), pidfd);
  const auto later = [] { return EventLoop::Clock::now() + std::chrono::seconds(2); };
  processes_.settle_joined(later());
  EXPECT_FALSE(processes_.status_of(puid)) << "it lives";
  program.send(SIGTERM);
  while (!processes_.find(puid)->child_ended) turn();
  processes_.settle_joined(*processes_.find(puid)->child_ended);
  EXPECT_FALSE(processes_.status_of(puid)) << "its joiner has had no time to say so";
  processes_.settle_joined(later());
  EXPECT_EQ(processes_.status_of(puid), -SIGTERM);
  send(joiner, make_message<ProgramEnded>(0));
  EXPECT_EQ(log_, "") << "it says so late, which is no fault";
}

TEST_F(MemberServerTest, what_is_no_pidfd_is_refused_and_leaves_nothing) {
  const auto [events, other_end] = make_socket_pair();
  const FileDescriptor file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const FileDescriptor folder(::open("/proc/self", O_RDONLY | O_CLOEXEC | O_DIRECTORY));
  for (const FileDescriptor* wrong : {&events, &file, &folder}) {
    FileDescriptor joiner = connect();
    const Puid puid = joined(joiner);
    say_runs(joiner, 1, *wrong);
    joiner.reset();
    turn();
    EXPECT_EQ(processes_.status_of(puid), -SIGKILL);
    EXPECT_EQ(processes_.find(puid), nullptr);
  }
}

TEST_F(MemberServerTest, program_that_has_ended_does_not_run_again) {
  FileDescriptor joiner = connect();
  send(joiner, make_message<Join>(1));
  const auto joined = answer_on<Joined>(joiner, 1);
  const Puid puid(joined.puid);
  const FileDescriptor member = connect();
  auto request = attach_request(joined.ticket_key);
  request.ticket_sequence = puid.sequence();
  send(member, request);  // this process, which outlives the program
  {
    test::Child program(wait_to_be_killed);
    const FileDescriptor pidfd = open_pidfd(program.pid());
    say_runs(joiner, program.pid(), pidfd);
    program.send(SIGKILL);
    while (!processes_.find(puid)->child_ended) turn();
    send(joiner, make_message<ProgramEnded>(0));
    EXPECT_TRUE(processes_.status_of(puid));
    say_runs(joiner, program.pid(), pidfd);
  }
  ASSERT_NE(processes_.find(puid), nullptr);
  EXPECT_EQ(processes_.find(puid)->child, 0);
  EXPECT_NE(log_.find("has ended"), std::string::npos) << log_;
}

TEST_F(MemberServerTest, joiner_that_is_wrong_about_an_end_is_dropped_and_its_program_killed) {
  const FileDescriptor joiner = connect();
  const Puid puid = joined(joiner);
  const pid_t program = ::fork();
  if (program == 0) {
    while (true) ::pause();
  }
  const FileDescriptor pidfd = open_pidfd(program);
  say_runs(joiner, program, pidfd);
  EXPECT_EQ(processes_.awaited(), 0U) << "the job does not wait for it";
  send(joiner, make_message<ProgramEnded>(0));
  while (processes_.find(puid) != nullptr) turn();
  EXPECT_EQ(processes_.status_of(puid), -SIGKILL);
  int status = 0;
  EXPECT_EQ(::waitpid(program, &status, 0), program);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(dropped(joiner)) << "until then the program had inherited the other end";
}

}  // namespace
}  // namespace wyvern::agent
