#include <cxxabi.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/runtime/member/membership.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/run.hpp>
#include <wyvern/runtime/this_process.hpp>

namespace wyvern {
namespace {

constexpr int failed_status = 1;
constexpr int exit_status_mask = 0xff;  // all that the kernel keeps of a status

/// Set while the user's function runs.
Membership* running = nullptr;
pid_t running_in = 0;

/// To stderr in one piece, so that lines of several processes are not mixed.
void report(const std::string& line) {
  std::cout.flush();
  std::fflush(stdout);
  const std::string text = line + "\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::string type_name_of(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      ::abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : type.name();
}

/// The name under which a handler catches it: the library's own types are shown as their aliases,
/// "QueueClosed".
std::string name_of(const std::exception& error) {
  std::string name = type_name_of(typeid(error));
  const auto* own = dynamic_cast<const Error*>(&error);
  if (own == nullptr || !name.starts_with("wyvern::ErrorOf<")) return name;
  name = "wyvern::";
  bool start_of_word = true;
  for (const char character : std::string_view(to_string(own->code()))) {
    if (character != '_') name += start_of_word ? static_cast<char>(character - 'a' + 'A') : character;
    start_of_word = character == '_';
  }
  return name;
}

/// Runs the user's function; what it throws is printed.
template <class Function>
int run_guarded(Puid puid, bool& threw, Function&& function) {
  const std::string start = "wyvern: process " + to_string(puid) + ": uncaught ";
  threw = true;
  try {
    const int status = function();
    threw = false;
    return status;
  } catch (const std::exception& error) {
    report(start + name_of(error) + ": " + error.what());
  } catch (const abi::__forced_unwind&) {
    throw;  // the thread is being cancelled: not an exception, and not to be swallowed
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    report(start + (type != nullptr ? type_name_of(*type) : "exception"));
  }
  return failed_status;
}

/// Lines that a started process prints shall come when they are printed, although a pipe leads to the agent.
void use_line_buffering() {
  if (::isatty(STDOUT_FILENO) == 0) ::setvbuf(stdout, nullptr, _IOLBF, 0);
}

/// At `exit()` inside the user's function. A plain fork of this process has nothing to say.
void leave_at_exit(int status, void* /*unused*/) {
  if (running == nullptr || running_in != ::getpid()) return;
  running->leave_network();
  running->announce_exit(status & exit_status_mask);
}

int run_member(Membership& membership, const std::function<int(Runtime&)>& head) {
  Runtime runtime(membership.member());
  const auto entry = membership.entry();
  bool threw = false;
  running = &membership;
  running_in = ::getpid();
  const int status = run_guarded(runtime.puid(), threw, [&] {
    return entry ? run_entry(*entry, [&] { membership.say_ready(); }) : head(runtime);
  });
  detail::end_fibers();  // while they can still work on queues
  running = nullptr;
  std::cout.flush();
  std::fflush(nullptr);
  membership.leave_network();
  if (entry) return status;  // who ends by itself tells the agent by ending
  if (threw) {
    membership.abandon(status);
  } else {
    membership.leave(status & exit_status_mask);
  }
  return status;
}

}  // namespace

int detail::run(int argc, char** argv, const std::function<int(Runtime&)>& head) {
  static std::atomic<bool> was_called = false;
  if (was_called.exchange(true)) throw InvalidArgument("wyvern::run can be called once in a process only");
  set_program_arguments({argv, argv + argc});
  open_missing_streams();
  try {
    Membership membership;
    if (membership.was_started()) use_line_buffering();
    // The kernel names a process that is executed by descriptor after the descriptor.
    if (membership.entry()) ::prctl(PR_SET_NAME, membership.name());
    ::on_exit(leave_at_exit, nullptr);
    return run_member(membership, head);
  } catch (const std::exception& error) {
    report("wyvern: " + std::string(error.what()));
    return failed_status;
  }
}

}  // namespace wyvern
