#include "single_step.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace wyvern::test {
namespace {

constexpr int status_of_no_trace = 98;

SteppedPart* map_part() {
  void* memory =
      ::mmap(nullptr, sizeof(SteppedPart), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return new (memory) SteppedPart;
}

/// What is free in a child depends on all that the test did before it was forked.
void fill_caches_of_malloc() {
  constexpr std::size_t largest = 1'024;
  std::vector<std::unique_ptr<std::byte[]>> blocks;
  for (std::size_t size = 16; size <= largest; size += 16) {
    for (int i = 0; i < 2; ++i) blocks.push_back(std::make_unique<std::byte[]>(size));
  }
}

#if defined(__x86_64__)
constexpr bool has_breakpoints = true;
constexpr long breakpoint_mask = 0xff;
constexpr long breakpoint = 0xcc;  // int3, one byte; it stops behind it

std::optional<long> word_at(pid_t pid, std::uint64_t address) {
  errno = 0;
  const long word = ::ptrace(PTRACE_PEEKTEXT, pid, address, nullptr);
  if (word == -1 && errno != 0) return std::nullopt;
  return word;
}

bool set_word(pid_t pid, std::uint64_t address, long word) {
  return ::ptrace(PTRACE_POKETEXT, pid, address, word) == 0;
}

void set_next_instruction(pid_t pid, std::uint64_t address) {
  if (::ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rip), address) != 0)
    throw std::system_error(errno, std::generic_category(), "PTRACE_POKEUSER");
}
#else
constexpr bool has_breakpoints = false;
constexpr long breakpoint_mask = 0;
constexpr long breakpoint = 0;

std::optional<long> word_at(pid_t, std::uint64_t) { return std::nullopt; }
bool set_word(pid_t, std::uint64_t, long) { return false; }
void set_next_instruction(pid_t, std::uint64_t) {}
#endif

}  // namespace

void SteppedPart::begin() {
  fill_caches_of_malloc();
  ::kill(::getpid(), SIGSTOP);
  begun_ = true;
}

void SteppedPlaces::advance() {
  ++tried_;
  const Seconds spent = std::chrono::steady_clock::now() - start_;
  const Seconds left = std::max(budget_ - spent, budget_ / 20);
  const double places = static_cast<double>(places_ - current_);
  const double that_can_be_tried = left / (spent / static_cast<double>(tried_));
  current_ += std::max(stride_, static_cast<std::size_t>(places / that_can_be_tried));
}

void SteppedPath::add(std::uint64_t address) {
  const bool first = passed_.insert(address).second;
  places_.push_back({address, first ? places_.size() : places_.back().first_passage});
}

void SteppedChild::Unmap::operator()(SteppedPart* part) const { ::munmap(part, sizeof *part); }

SteppedChild::SteppedChild(const std::function<int(SteppedPart&)>& work)
    : part_(map_part()), child_([&] {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
          part_->trace_error_ = errno;
          return status_of_no_trace;
        }
        return work(*part_);
      }) {
  if (child_.wait_until_stopped()) return;
  if (const int error = part_->trace_error_) {
    throw std::runtime_error(
        "this test steps through a process with ptrace, which is not permitted here: " +
        std::generic_category().message(error) +
        " (a seccomp filter? a debugger on the children? In a container, permit ptrace)");
  }
  throw std::runtime_error("the child ended with status " + std::to_string(child_.wait()) +
                           " before its part");
}

bool SteppedChild::resume_until_trap(int request) {
  while (true) {
    if (::ptrace(static_cast<__ptrace_request>(request), child_.pid(), nullptr, nullptr) != 0)
      throw std::system_error(errno, std::generic_category(), "ptrace");
    const auto signal = child_.wait_until_stopped();
    if (!signal) return false;
    if (*signal == SIGTRAP) return true;
    if (*signal == SIGCONT)
      continue;  // it was never stopped by anybody else: meant for who had its id before
    throw std::runtime_error("signal " + std::to_string(*signal) + " stopped the child in its part");
  }
}

void SteppedChild::enter_part() {
  while (!part_->begun_) resume_until_trap(PTRACE_SINGLESTEP);
}

bool SteppedChild::step() { return resume_until_trap(PTRACE_SINGLESTEP) && !part_->ended_; }

SteppedPath SteppedChild::walk(std::size_t most, const std::function<void()>& look) {
  enter_part();
  SteppedPath path;
  do {
    path.add(address());
    look();
  } while (path.size() < most && step());
  return path;
}

/// By a breakpoint in its code, which is its own copy: a virtual machine need not have any in its processor.
/// Whether it comes there.
bool SteppedChild::run_to(std::uint64_t place) {
  const auto word = word_at(child_.pid(), place);
  if (!word || !set_word(child_.pid(), place, (*word & ~breakpoint_mask) | breakpoint))
    throw std::system_error(errno, std::generic_category(), "PTRACE_POKETEXT");
  if (!resume_until_trap(PTRACE_CONT)) return false;
  set_word(child_.pid(), place, *word);
  if (address() != place + 1) return false;
  set_next_instruction(child_.pid(), place);
  return true;
}

bool SteppedChild::go_to(const SteppedPath& path, std::size_t place) {
  std::size_t at = path.first_passage(place);
  if (at > 0 && has_breakpoints) {
    if (!run_to(path.address(at))) return false;
  } else {
    enter_part();
    at = 0;
  }
  for (; at < place; ++at) {
    if (!step()) return false;
  }
  return address() == path.address(place);
}

std::uint64_t SteppedChild::address() const {
  __ptrace_syscall_info info{};  // of any stop, whatever its name says
  if (::ptrace(static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO), child_.pid(), sizeof info, &info) < 0)
    throw std::system_error(errno, std::generic_category(), "PTRACE_GET_SYSCALL_INFO");
  return info.instruction_pointer;
}

void SteppedChild::kill() {
  child_.send(SIGKILL);
  child_.wait();
}

void SteppedChild::let_go() {
  if (child_.poll()) return;
  if (::ptrace(PTRACE_DETACH, child_.pid(), nullptr, nullptr) != 0)
    throw std::system_error(errno, std::generic_category(), "PTRACE_DETACH");
}

OneCore::OneCore() {
  CPU_ZERO(&before_);
  ::sched_getaffinity(0, sizeof before_, &before_);
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &here);
  ::sched_setaffinity(0, sizeof here, &here);
}

OneCore::~OneCore() { ::sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace wyvern::test
