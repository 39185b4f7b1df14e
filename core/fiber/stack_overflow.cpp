#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/fiber/stack_overflow.hpp>

namespace wyvern::detail {
namespace {

constexpr std::size_t signal_stack_bytes = std::size_t{32} << 10;

void say(const char* text, std::size_t bytes) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, bytes);
}
void say(const char* text) { say(text, std::strlen(text)); }

/// For signal handlers: no memory is allocated.
void say_what_happened(const Stack& stack) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, stack.bytes).ptr;
  say("wyvern: a fiber has overflowed its stack of ");
  say(digits, static_cast<std::size_t>(end - digits));
  say(" bytes; give it a larger one (FiberOptions::stack_bytes)\n");
}

/// The access is made again when this returns, and then ends the process.
void on_segmentation_fault(int signal, siginfo_t* information, void* /*context*/) {
  const Stack* const stack = FiberScheduler::running_stack();
  const auto* const address = static_cast<const std::byte*>(information->si_addr);
  if (stack != nullptr && address >= stack->bottom && address < stack->bottom + stack_guard_bytes)
    say_what_happened(*stack);
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(signal, &by_default, nullptr);
  if (information->si_code <= 0) ::raise(signal);  // it was sent, and would not come again
}

bool handle_faults() {
  struct sigaction action {};
  ::sigaction(SIGSEGV, nullptr, &action);
  if ((action.sa_flags & SA_SIGINFO) != 0 || action.sa_handler != SIG_DFL) return false;
  action = {};
  action.sa_sigaction = &on_segmentation_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  return ::sigaction(SIGSEGV, &action, nullptr) == 0;
}

}  // namespace

void report_overrun(const Stack& stack) {
  say_what_happened(stack);
  std::abort();
}

OverflowWatch::OverflowWatch() {
  static const bool handled = handle_faults();
  stack_t present{};
  if (!handled || ::sigaltstack(nullptr, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0) return;
  signal_stack_ = std::make_unique_for_overwrite<std::byte[]>(signal_stack_bytes);
  stack_t mine{};
  mine.ss_sp = signal_stack_.get();
  mine.ss_size = signal_stack_bytes;
  if (::sigaltstack(&mine, nullptr) != 0) signal_stack_.reset();
}

OverflowWatch::~OverflowWatch() {
  if (signal_stack_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

}  // namespace wyvern::detail
