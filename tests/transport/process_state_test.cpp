#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <optional>

#include <gtest/gtest.h>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/transport/process_state.hpp>

namespace wyvern::test {
namespace {

void ours(int) {}
void theirs(int) {}

void (*handler_of(int signal))(int) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  return action.sa_handler;
}

TEST(SignalHandlersKept, handlers_that_were_taken_over_are_back_afterwards) {
  ::signal(SIGUSR1, &ours);
  ::signal(SIGUSR2, SIG_IGN);
  {
    const SignalHandlersKept kept;
    ::signal(SIGUSR1, &theirs);
    ::signal(SIGUSR2, &theirs);
    ::signal(SIGHUP, &theirs);
  }
  EXPECT_EQ(handler_of(SIGUSR1), &ours);
  EXPECT_EQ(handler_of(SIGUSR2), SIG_IGN);
  EXPECT_EQ(handler_of(SIGHUP), SIG_DFL);
  ::signal(SIGUSR1, SIG_DFL);
  ::signal(SIGUSR2, SIG_DFL);
}

TEST(DescriptorsClosedOnExec, what_came_up_is_closed_on_exec_and_what_was_there_is_as_it_was) {
  const FileDescriptor before(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open): the subject
  std::optional<DescriptorsClosedOnExec> scope(std::in_place);
  const FileDescriptor meanwhile(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open)
  ASSERT_EQ(::fcntl(meanwhile.get(), F_GETFD), 0);
  scope.reset();
  EXPECT_EQ(::fcntl(meanwhile.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(before.get(), F_GETFD), 0);
}

}  // namespace
}  // namespace wyvern::test
