#include <pthread.h>

#include <mutex>

#include <wyvern/core/error.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

/// Marks the child of a plain fork before anything else runs in it.
struct ForkGuard {
  static void mark() { Member::forked_ = true; }
};

namespace {

std::mutex current_mutex;
std::shared_ptr<Member> current_member;

}  // namespace

std::shared_ptr<Member> Member::current() {
  check_not_forked();
  const std::lock_guard lock(current_mutex);
  if (current_member == nullptr) {
    throw NotAMember(
        "this process is not a member of a job: call this inside wyvern::run, or start the program with "
        "`wyvern run`");
  }
  return current_member;
}

void Member::set_current(std::shared_ptr<Member> member) {
  [[maybe_unused]] static const int registered = ::pthread_atfork(nullptr, nullptr, &ForkGuard::mark);
  const std::lock_guard lock(current_mutex);
  current_member = std::move(member);
}

void Member::throw_forked() {
  throw NotAMember(
      "this process was made by a plain fork() of a member, which does not make it one: start processes with "
      "runtime.process()");
}

}  // namespace wyvern
