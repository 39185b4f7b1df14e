// The agent's side of the control protocol, with requests from this test: right ones, wrong ones, and none.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/pidfd.hpp>
#include <wyvern/runtime/agent/member_server.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::agent {
namespace {

using namespace control;

constexpr std::uint64_t head_key = 4711;

class MemberServerTest : public testing::Test {
 protected:
  MemberServerTest()
      : segment_(Segment::create(
            {.memory_ceiling = std::uint64_t{64} << 20, .layout_hash = channels_layout_hash})),
        keeper_(segment_),
        forwarder_(loop_, STDOUT_FILENO, STDERR_FILENO),
        processes_(loop_, keeper_, forwarder_,
                   {.socket_name = "wyvern-test", .label = false, .descriptors = {64, 64}},
                   [](const JobProcess&, std::int32_t) {}),
        pidfd_(open_pidfd(::getpid())),
        server_(loop_, keeper_, processes_, names_, pidfd_.get(),
                {.leaving = [this](const auto& leaving) { leaving_.push_back(leaving); },
                 .disconnected = [this](Puid process) { disconnected_.push_back(process); },
                 .refuses_starts = [this] { return refuses_starts_; },
                 .network_plan = [this] { return plan_.get(); },
                 .log = [this](std::string_view line) { log_ += std::string(line) + "\n"; }}) {
    processes_.add_head(head_key);
    server_.let_join();
  }

  /// A new connection of this process.
  FileDescriptor connect() {
    auto [ours, theirs] = make_socket_pair();
    server_.adopt(std::move(theirs));
    return std::move(ours);
  }
  void turn() { loop_.run_once(EventLoop::Clock::now()); }

  template <class Message>
  void send(const FileDescriptor& socket, const Message& message, std::span<const int> descriptors = {}) {
    ASSERT_EQ(send_message(socket.get(), message, descriptors), Transfer::done);
    turn();
  }
  template <class Answer>
  Answer answer_on(const FileDescriptor& socket, std::size_t descriptors = 0) {
    Packet packet;
    EXPECT_EQ(receive_packet(socket.get(), packet), Transfer::done);
    return read_message<Answer>(packet, descriptors);
  }
  ErrorCode failure_on(const FileDescriptor& socket) {
    return static_cast<ErrorCode>(answer_on<Failed>(socket).code);
  }
  bool dropped(const FileDescriptor& socket) {
    Packet packet;
    return receive_packet(socket.get(), packet) == Transfer::closed;
  }

  static Attach attach_request(std::uint64_t key = head_key) {
    auto request = make_message<Attach>(1);
    request.layout_hash = channels_layout_hash;
    request.ticket_key = key;
    return request;
  }
  FileDescriptor attached() {
    FileDescriptor socket = connect();
    send(socket, attach_request());
    answer_on<Attached>(socket, 2);
    return socket;
  }

  EventLoop loop_;
  Segment segment_;
  Keeper keeper_;
  OutputForwarder forwarder_;
  JobProcesses processes_;
  JobNames names_{keeper_};
  FileDescriptor plan_;
  FileDescriptor pidfd_;
  std::vector<MemberServer::Leaving> leaving_;
  std::vector<Puid> disconnected_;
  bool refuses_starts_ = false;
  std::string log_;
  MemberServer server_;
};

TEST_F(MemberServerTest, attach_gives_the_segment_and_an_identity) {
  const FileDescriptor socket = connect();
  send(socket, attach_request());
  const auto answer = answer_on<Attached>(socket, 2);
  EXPECT_EQ(answer.puid, 4294967296U);
  EXPECT_EQ(answer.parent, 0U);
  EXPECT_EQ(answer.has_payload, 0U);
  EXPECT_EQ(log_, "");
}

TEST_F(MemberServerTest, unknown_ticket_is_not_a_member) {
  const FileDescriptor socket = connect();
  send(socket, attach_request(head_key + 1));
  EXPECT_EQ(failure_on(socket), ErrorCode::not_a_member);
}

TEST_F(MemberServerTest, another_layout_is_version_mismatch_that_names_both) {
  const FileDescriptor socket = connect();
  auto request = attach_request();
  request.layout_hash = 0xabcdef;
  send(socket, request);
  const auto failure = answer_on<Failed>(socket);
  EXPECT_EQ(static_cast<ErrorCode>(failure.code), ErrorCode::version_mismatch);
  EXPECT_NE(std::string(failure.text).find("0000000000abcdef"), std::string::npos) << failure.text;
}

TEST_F(MemberServerTest, another_protocol_is_version_mismatch_and_the_end) {
  const FileDescriptor socket = connect();
  auto request = attach_request();
  request.header.version = 99;
  send(socket, request);
  const auto failure = answer_on<Failed>(socket);
  EXPECT_EQ(static_cast<ErrorCode>(failure.code), ErrorCode::version_mismatch);
  EXPECT_NE(std::string(failure.text).find("version 99"), std::string::npos) << failure.text;
  EXPECT_TRUE(dropped(socket));
}

TEST_F(MemberServerTest, request_before_attach_is_refused) {
  const FileDescriptor socket = connect();
  send(socket, make_message<Leave>(1));
  EXPECT_TRUE(dropped(socket));
  EXPECT_NE(log_.find("before it has attached"), std::string::npos) << log_;
}

TEST_F(MemberServerTest, second_attach_is_refused) {
  const FileDescriptor socket = attached();
  send(socket, attach_request());
  EXPECT_TRUE(dropped(socket));
}

TEST_F(MemberServerTest, malformed_requests_end_their_connection_only) {
  const FileDescriptor good = attached();
  const auto expect_dropped = [this](auto message) {
    const FileDescriptor socket = attached();
    send(socket, message);
    EXPECT_TRUE(dropped(socket)) << static_cast<int>(message.header.kind);
  };
  auto unterminated = make_message<FindObject>(1);
  std::memset(unterminated.name, 'x', sizeof unterminated.name);
  expect_dropped(unterminated);
  auto object = make_message<GrowPorts>(1);
  object.object_index = max_objects;
  expect_dropped(object);
  auto extent = make_message<GrowExtents>(1);
  extent.size_class = max_extent_classes;
  expect_dropped(extent);
  auto signal = make_message<SignalProcess>(1);
  signal.signal = 1000;
  expect_dropped(signal);
  expect_dropped(make_message<Start>(1));  // without its descriptors
  expect_dropped(make_message<JobOver>(1));
  auto unknown = make_message<Done>(1);
  unknown.header.kind = static_cast<MessageKind>(12345);
  expect_dropped(unknown);

  send(good, make_message<FindObject>(9));
  EXPECT_EQ(answer_on<Object>(good).header.serial, 9U);
}

TEST_F(MemberServerTest, random_bytes_never_harm_the_agent) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    const FileDescriptor socket = attached();
    std::vector<std::byte> bytes(random() % 900 + 1);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (bytes.size() >= sizeof(MessageHeader) && round % 4 != 0) {
      const MessageHeader header{.magic = message_magic,
                                 .version = protocol_version,
                                 .kind = static_cast<MessageKind>(random() % 12),
                                 .bytes = static_cast<std::uint32_t>(bytes.size()),
                                 .serial = 1};
      std::memcpy(bytes.data(), &header, sizeof header);
    }
    ASSERT_EQ(send_packet(socket.get(), bytes), Transfer::done);
    turn();
  }
  EXPECT_NO_THROW(attached());
}

TEST_F(MemberServerTest, start_of_what_is_no_payload_is_refused) {
  const FileDescriptor socket = attached();
  const int descriptors[] = {pidfd_.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  EXPECT_TRUE(dropped(socket));
  EXPECT_NE(log_.find("not a sealed memfd"), std::string::npos) << log_;
}

TEST_F(MemberServerTest, start_that_fails_says_why_and_uses_its_puid_up) {
  const FileDescriptor socket = attached();
  const FileDescriptor payload = write_start_payload(
      encode_start_payload({.arguments = {"program"}, .environment = {}, .entry = {}, .references = {}}));
  const int descriptors[] = {payload.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  const auto failure = answer_on<Failed>(socket);
  EXPECT_EQ(static_cast<ErrorCode>(failure.code), ErrorCode::spawn_failed);
  EXPECT_NE(std::string(failure.text).find("working directory"), std::string::npos) << failure.text;
  EXPECT_EQ(exit_status(segment_.exit_record(1).load()), 127);
  EXPECT_EQ(processes_.awaited(), 0U);
}

TEST_F(MemberServerTest, ends_of_pipes_come_with_the_answer_in_the_order_of_the_streams) {
  const FileDescriptor socket = attached();
  const FileDescriptor payload =
      write_start_payload(encode_start_payload({.arguments = {"sh", "-c", "cat; echo error >&2"},
                                                .environment = {},
                                                .program = "/bin/sh",
                                                .directory = "/",
                                                .input = StandardStream::piped(),
                                                .output = StandardStream::piped(),
                                                .error = StandardStream::piped(),
                                                .entry = {},
                                                .references = {}}));
  const int descriptors[] = {payload.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  Packet packet;
  ASSERT_EQ(receive_packet(socket.get(), packet), Transfer::done);
  EXPECT_EQ(read_message<Started>(packet, 3).puid, 4294967297U);
  ASSERT_EQ(::write(packet.descriptors[0].get(), "input", 5), 5);
  packet.descriptors[0].reset();
  const auto read_end = [](const FileDescriptor& fd) {
    std::string text;
    char character = 0;
    while (::read(fd.get(), &character, 1) == 1) text += character;
    return text;
  };
  EXPECT_EQ(read_end(packet.descriptors[1]), "input");
  EXPECT_EQ(read_end(packet.descriptors[2]), "error\n");
  while (processes_.awaited() != 0) processes_.reap_children();
  EXPECT_EQ(exit_status(segment_.exit_record(1).load()), 0);
}

TEST_F(MemberServerTest, nothing_is_started_when_the_job_ends) {
  refuses_starts_ = true;
  const FileDescriptor socket = attached();
  const int descriptors[] = {pidfd_.get(), pidfd_.get(), pidfd_.get()};
  send(socket, make_message<Start>(1), descriptors);
  EXPECT_EQ(failure_on(socket), ErrorCode::spawn_failed);
}

TEST_F(MemberServerTest, signal_for_a_process_that_never_was_is_invalid) {
  const FileDescriptor socket = attached();
  for (const std::uint64_t puid :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4294967297}, ~std::uint64_t{0}}) {
    auto request = make_message<SignalProcess>(1);
    request.puid = puid;
    send(socket, request);
    EXPECT_EQ(failure_on(socket), ErrorCode::invalid_argument) << puid;
  }
}

TEST_F(MemberServerTest, leaving_is_reported_and_answered_later) {
  const FileDescriptor socket = attached();
  auto request = make_message<Leave>(5);
  request.wait = 1;
  send(socket, request);
  ASSERT_EQ(leaving_.size(), 1U);
  EXPECT_FALSE(leaving_[0].is_program);
  server_.release(leaving_[0]);
  EXPECT_EQ(answer_on<Done>(socket).header.serial, 5U);
}

TEST_F(MemberServerTest, end_of_a_connection_is_reported) {
  {
    const FileDescriptor never_attached = connect();
    const FileDescriptor socket = attached();
  }
  turn();
  turn();
  ASSERT_EQ(disconnected_.size(), 1U);
  EXPECT_EQ(disconnected_[0], Puid(4294967296));
}

TEST_F(MemberServerTest, client_that_does_not_read_is_dropped_without_waiting_for_it) {
  const FileDescriptor socket = attached();
  auto request = make_message<FindObject>(1);
  for (int i = 0; i < 100'000 && log_.empty(); ++i) {
    ASSERT_NE(send_message(socket.get(), request), Transfer::would_block);
    turn();
  }
  EXPECT_NE(log_.find("does not read its answers"), std::string::npos) << log_;
}

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
  send(joiner, make_message<Join>(1));
  const Puid puid(answer_on<Joined>(joiner, 1).puid);
  joiner.reset();
  turn();
  EXPECT_EQ(processes_.find(puid), nullptr);
  EXPECT_EQ(processes_.status_of(puid), -SIGKILL);
}

/// A child of this process that waits for a signal.
class WaitingChild {
 public:
  WaitingChild() {
    if (pid_ == 0) {
      while (true) ::pause();
    }
  }
  ~WaitingChild() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  WaitingChild(const WaitingChild&) = delete;
  WaitingChild& operator=(const WaitingChild&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = ::fork();
};

TEST_F(MemberServerTest, end_of_a_program_whose_joiner_is_silent_is_published_with_its_status) {
  const FileDescriptor joiner = connect();
  send(joiner, make_message<Join>(1));
  const Puid puid(answer_on<Joined>(joiner, 1).puid);
  const WaitingChild program;
  const FileDescriptor pidfd = open_pidfd(program.pid());
  auto runs = make_message<ProgramRuns>(0);
  runs.pid = static_cast<std::uint32_t>(program.pid());
  const int descriptors[] = {pidfd.get()};
  send(joiner, runs, descriptors);
  const auto later = [] { return EventLoop::Clock::now() + std::chrono::seconds(2); };
  processes_.settle_joined(later());
  EXPECT_FALSE(processes_.status_of(puid)) << "it lives";
  ::kill(program.pid(), SIGTERM);
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
    send(joiner, make_message<Join>(1));
    const Puid puid(answer_on<Joined>(joiner, 1).puid);
    auto runs = make_message<ProgramRuns>(0);
    runs.pid = 1;
    const int descriptors[] = {wrong->get()};
    send(joiner, runs, descriptors);
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
    const WaitingChild program;
    const FileDescriptor pidfd = open_pidfd(program.pid());
    auto runs = make_message<ProgramRuns>(0);
    runs.pid = static_cast<std::uint32_t>(program.pid());
    const int descriptors[] = {pidfd.get()};
    send(joiner, runs, descriptors);
    ::kill(program.pid(), SIGKILL);
    while (!processes_.find(puid)->child_ended) turn();
    send(joiner, make_message<ProgramEnded>(0));
    EXPECT_TRUE(processes_.status_of(puid));
    send(joiner, runs, descriptors);
  }
  ASSERT_NE(processes_.find(puid), nullptr);
  EXPECT_EQ(processes_.find(puid)->child, 0);
  EXPECT_NE(log_.find("has ended"), std::string::npos) << log_;
}

TEST_F(MemberServerTest, joiner_that_is_wrong_about_an_end_is_dropped_and_its_program_killed) {
  const FileDescriptor joiner = connect();
  send(joiner, make_message<Join>(1));
  const Puid puid(answer_on<Joined>(joiner, 1).puid);
  const pid_t program = ::fork();
  if (program == 0) {
    while (true) ::pause();
  }
  const FileDescriptor pidfd = open_pidfd(program);
  const int descriptors[] = {pidfd.get()};
  auto runs = make_message<ProgramRuns>(0);
  runs.pid = static_cast<std::uint32_t>(program);
  send(joiner, runs, descriptors);
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
