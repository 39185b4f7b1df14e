#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/runtime/agent/output_forwarder.hpp>

namespace wyvern::agent {
namespace {

using Stream = OutputForwarder::Stream;

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reading = FileDescriptor(ends[0]);
    writing = FileDescriptor(ends[1]);
  }
  /// Bytes that went in; fewer if it is full.
  std::size_t write(const std::string& text) const {
    const ssize_t count = ::write(writing.get(), text.data(), text.size());
    return count < 0 ? 0 : static_cast<std::size_t>(count);
  }
  /// All that is in it.
  std::string read() const {
    std::string text;
    char buffer[4096];
    for (ssize_t count = 0; (count = ::read(reading.get(), buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }
  FileDescriptor reading;
  FileDescriptor writing;
};

class OutputForwarderTest : public testing::Test {
 protected:
  OutputForwarderTest() : forwarder_(loop_, out_.writing.get(), err_.writing.get()) {
    ::signal(SIGPIPE, SIG_IGN);
  }

  void turn() {
    loop_.run_once(EventLoop::Clock::now());
    forwarder_.flush();
  }
  /// Lets a process fill everything up to the reader of `out_`, who does not read. The lines that went in.
  std::string congest(const Pipe& process) {
    std::string sent;
    for (int idle = 0; idle < 3;) {
      const std::string line = "line " + std::to_string(sent.size()) + "\n";
      if (process.write(line) == line.size()) {
        sent += line;
        idle = 0;
      } else {
        turn();
        ++idle;
      }
    }
    return sent;
  }

  Pipe out_;
  Pipe err_;
  EventLoop loop_;
  OutputForwarder forwarder_;
};

TEST_F(OutputForwarderTest, lines_go_to_their_stream_when_they_are_whole) {
  Pipe first;
  Pipe second;
  forwarder_.add(std::move(first.reading), Stream::out, 1, "");
  forwarder_.add(std::move(second.reading), Stream::err, 1, "");
  first.write("to out\npart");
  second.write("to err\n");
  turn();
  EXPECT_EQ(out_.read(), "to out\n");
  EXPECT_EQ(err_.read(), "to err\n");
  first.writing.reset();
  turn();
  EXPECT_EQ(out_.read(), "part\n");
}

TEST_F(OutputForwarderTest, drain_takes_what_one_process_has_written) {
  Pipe one;
  Pipe other;
  forwarder_.add(std::move(one.reading), Stream::out, 1, "");
  forwarder_.add(std::move(other.reading), Stream::out, 2, "");
  one.write("one\n");
  other.write("other\n");
  forwarder_.drain(2);
  EXPECT_EQ(out_.read(), "other\n");
}

TEST_F(OutputForwarderTest, reader_that_does_not_read_stops_the_writer_and_nothing_is_lost) {
  Pipe process;
  forwarder_.add(std::move(process.reading), Stream::out, 1, "");
  const std::string sent = congest(process);
  EXPECT_GT(sent.size(), OutputSink::congestion_bytes);
  process.writing.reset();
  forwarder_.drain(1);  // returns, though it cannot write

  std::string received;
  for (int i = 0; i < 1000; ++i) {
    received += out_.read();
    turn();
  }
  EXPECT_EQ(received, sent);
}

TEST_F(OutputForwarderTest, congested_stdout_does_not_hold_up_stderr) {
  Pipe process;
  Pipe other;
  forwarder_.add(std::move(process.reading), Stream::out, 1, "");
  congest(process);
  forwarder_.add(std::move(other.reading), Stream::err, 2, "");
  other.write("urgent\n");
  turn();
  EXPECT_EQ(err_.read(), "urgent\n");
}

TEST_F(OutputForwarderTest, process_added_while_stdout_is_congested_is_heard_later) {
  Pipe process;
  Pipe late;
  forwarder_.add(std::move(process.reading), Stream::out, 1, "");
  congest(process);
  forwarder_.add(std::move(late.reading), Stream::out, 2, "");
  late.write("late\n");
  std::string received;
  for (int i = 0; i < 1000; ++i) {
    received += out_.read();
    turn();
  }
  EXPECT_NE(received.find("late\n"), std::string::npos);
}

TEST_F(OutputForwarderTest, writers_are_told_when_the_reader_has_gone) {
  Pipe process;
  Pipe late;
  forwarder_.add(std::move(process.reading), Stream::out, 1, "");
  out_.reading.reset();
  process.write("lost\n");
  turn();
  EXPECT_EQ(::write(process.writing.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  forwarder_.add(std::move(late.reading), Stream::out, 2, "");
  EXPECT_EQ(::write(late.writing.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(OutputForwarderTest, long_lines_are_not_mixed_with_what_others_write_to_the_same_pipe) {
  Pipe process;
  forwarder_.add(std::move(process.reading), Stream::out, 1, "");
  // The reader's pipe is nearly full: what fits is less than what is to be written.
  const std::string filler(61 << 10, '.');
  ASSERT_EQ(out_.write(filler), filler.size());
  for (int i = 0; i < 200; ++i) process.write(std::string(99, 'a') + "\n");
  turn();
  ASSERT_GT(out_.write("[head's own line]\n"), 0U);
  std::string received;
  for (int i = 0; i < 100; ++i) {
    received += out_.read();
    turn();
  }
  const std::size_t own = received.find("[head's");
  ASSERT_NE(own, std::string::npos);
  EXPECT_TRUE(received[own - 1] == '\n' || received[own - 1] == '.');
}

TEST_F(OutputForwarderTest, drain_all_ends_unfinished_lines_when_nobody_is_left) {
  Pipe process;
  forwarder_.add(std::move(process.reading), Stream::out, 1, "");
  process.write("one\ntwo");
  EXPECT_TRUE(forwarder_.drain_all(false));
  EXPECT_EQ(out_.read(), "one\n");
  EXPECT_TRUE(forwarder_.drain_all(true));
  EXPECT_EQ(out_.read(), "two\n");
}

}  // namespace
}  // namespace wyvern::agent
