// A process's side of the control protocol, with answers from this test: right ones, wrong ones, and none.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/member/socket_agent_link.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern {
namespace {

using namespace control;

/// While it is there, this process can open no file.
class LowLimit {
 public:
  LowLimit() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const FileDescriptor lowest(::open("/dev/null", O_RDWR | O_CLOEXEC));
    rlimit low = before_;
    low.rlim_cur = static_cast<rlim_t>(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  ~LowLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  LowLimit(const LowLimit&) = delete;
  LowLimit& operator=(const LowLimit&) = delete;

 private:
  rlimit before_{};
};

class SocketAgentLinkTest : public testing::Test {
 protected:
  SocketAgentLinkTest() : SocketAgentLinkTest(make_socket_pair()) {}

  /// Plays the agent for one request, on a thread: gets the request's serial and answers as it likes.
  void agent(std::function<void(std::uint32_t serial)> answer) {
    thread_ = std::jthread([this, answer = std::move(answer)] {
      Packet packet;
      while (receive_packet(socket_.get(), packet) == Transfer::would_block) std::this_thread::yield();
      answer(header_of(packet).serial);
    });
  }
  template <class Message>
  void send(const Message& message) {
    EXPECT_EQ(send_message(socket_.get(), message), Transfer::done);
  }

  FileDescriptor socket_;
  SocketAgentLink link_;
  std::jthread thread_;

 private:
  explicit SocketAgentLinkTest(std::pair<FileDescriptor, FileDescriptor> sockets)
      : socket_(std::move(sockets.first)), link_(std::move(sockets.second)) {}
};

Object object_answer(std::uint32_t serial, std::uint32_t index) {
  auto answer = make_message<Object>(serial);
  answer.object_id = 1;
  answer.object_index = index;
  return answer;
}

TEST_F(SocketAgentLinkTest, answer_is_returned) {
  agent([&](std::uint32_t serial) { send(object_answer(serial, 17)); });
  EXPECT_EQ(link_.find_object("x"), (ObjectReference{ObjectId(1), 17}));
}

TEST_F(SocketAgentLinkTest, done_is_enough_of_an_answer_where_nothing_is_asked_for) {
  agent([&](std::uint32_t serial) { send(make_message<Done>(serial)); });
  EXPECT_NO_THROW(link_.grow_extents(3));
}

TEST_F(SocketAgentLinkTest, hint_is_sent_and_not_answered) {
  link_.attend({ObjectId(1), 17});

  Packet packet;
  ASSERT_EQ(receive_packet(socket_.get(), packet), Transfer::done);
  const auto message = read_message<Attend>(packet);
  EXPECT_EQ(message.object_id, 1U);
  EXPECT_EQ(message.object_index, 17U);
}

TEST_F(SocketAgentLinkTest, failure_is_thrown_as_its_type) {
  agent([&](std::uint32_t serial) {
    auto failure = make_message<Failed>(serial);
    failure.code = static_cast<std::uint32_t>(ErrorCode::out_of_memory);
    write_text(failure.text, "the text");
    send(failure);
  });
  try {
    link_.grow_extents(3);
    FAIL();
  } catch (const OutOfMemory& error) {
    EXPECT_STREQ(error.what(), "the text");
  }
}

TEST_F(SocketAgentLinkTest, late_answer_to_an_earlier_request_is_passed_over) {
  agent([&](std::uint32_t serial) {
    send(object_answer(serial + 1000, 1));
    send(object_answer(serial, 2));
  });
  EXPECT_EQ(link_.find_object("x"), (ObjectReference{ObjectId(1), 2}));
}

TEST_F(SocketAgentLinkTest, agent_that_ends_is_node_lost) {
  agent([&](std::uint32_t) { socket_.reset(); });
  EXPECT_THROW(link_.grow_extents(3), NodeLost);
  EXPECT_THROW(link_.grow_extents(3), NodeLost);
}

TEST_F(SocketAgentLinkTest, malformed_answers_are_node_lost) {
  agent([&](std::uint32_t serial) { send(make_message<Started>(serial)); });
  EXPECT_THROW(link_.grow_extents(3), NodeLost) << "of another kind";
  thread_.join();
  agent([&](std::uint32_t) { send_packet(socket_.get(), std::as_bytes(std::span("xyz", 3))); });
  EXPECT_THROW(link_.grow_extents(3), NodeLost) << "too short";
}

TEST_F(SocketAgentLinkTest, start_whose_pipes_cannot_be_taken_is_out_of_memory_and_killed) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer of undefined behaviour needs descriptors to look at objects";
#endif
  SignalProcess signal{};
  const FileDescriptor file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  agent([&](std::uint32_t serial) {
    auto started = make_message<Started>(serial);
    started.puid = 7;
    const int pipes[] = {file.get(), file.get()};
    const LowLimit no_more_files;
    EXPECT_EQ(send_message(socket_.get(), started, pipes), Transfer::done);
    Packet packet;
    while (receive_packet(socket_.get(), packet) == Transfer::would_block) std::this_thread::yield();
    signal = read_message<SignalProcess>(packet);
    send(make_message<Done>(signal.header.serial));
  });
  try {
    link_.start(file, file, file, 2);
    FAIL();
  } catch (const OutOfMemory& error) {
    EXPECT_NE(std::string(error.what()).find("RLIMIT_NOFILE"), std::string::npos) << error.what();
  }
  thread_.join();
  EXPECT_EQ(signal.puid, 7U);
  EXPECT_EQ(signal.signal, static_cast<std::uint32_t>(SIGKILL));
}

TEST_F(SocketAgentLinkTest, agent_of_another_version_is_version_mismatch) {
  agent([&](std::uint32_t serial) {
    auto failure = make_message<Failed>(serial);
    failure.header.version = 99;
    failure.code = static_cast<std::uint32_t>(ErrorCode::version_mismatch);
    write_text(failure.text, "1 and 99");
    send(failure);
  });
  EXPECT_THROW(link_.attach({}, 0), VersionMismatch);
  thread_.join();
  agent([&](std::uint32_t serial) { send(make_message<Attached>(serial)); });  // without its descriptors
  EXPECT_THROW(link_.attach({}, 0), VersionMismatch);
}

TEST_F(SocketAgentLinkTest, agent_that_did_not_come_up_says_why) {
  auto failure = make_message<Failed>(0);
  failure.code = static_cast<std::uint32_t>(ErrorCode::out_of_memory);
  write_text(failure.text, "no memory");
  send(failure);
  socket_.reset();
  EXPECT_THROW(link_.attach({}, 0), OutOfMemory);
}

TEST_F(SocketAgentLinkTest, name_that_is_too_long_is_invalid_before_anything_is_sent) {
  EXPECT_THROW(link_.find_object(std::string(object_name_bytes, 'x')), InvalidArgument);
  EXPECT_THROW(link_.find_object(std::string("a\0b", 3)), InvalidArgument);
}

TEST_F(SocketAgentLinkTest, silent_agent_is_node_lost) {
  try {
    link_.grow_extents(3);
    FAIL();
  } catch (const NodeLost& error) {
    EXPECT_NE(std::string(error.what()).find("does not answer"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wyvern
