#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber_handle.hpp>
#include <wyvern/core/fiber/scheduler.hpp>

namespace wyvern::detail {
namespace {

/// What a function that does little more than to call the library needs, with some room.
constexpr std::size_t least_stack_bytes = std::size_t{16} << 10;

std::size_t checked_stack(std::size_t stack_bytes, std::size_t control_bytes) {
  if (stack_bytes < least_stack_bytes) {
    throw InvalidArgument("a fiber's stack of " + std::to_string(stack_bytes) +
                          " bytes is too small: stack_bytes is at least " +
                          std::to_string(least_stack_bytes));
  }
  if (control_bytes > stack_bytes / 4) {
    throw InvalidArgument("a fiber's function, arguments and result take " + std::to_string(control_bytes) +
                          " bytes of its stack of " + std::to_string(stack_bytes) +
                          ", more than a quarter: pass large ones by pointer, or give it a larger stack");
  }
  return stack_bytes;
}

}  // namespace

NewFiber::NewFiber(std::size_t stack_bytes, std::size_t control_bytes)
    : scheduler_(FiberScheduler::of_thread()),
      stack_(scheduler_.take_stack(checked_stack(stack_bytes, control_bytes))),
      place_(stack_.top() - (control_bytes + alignment - 1) / alignment * alignment) {}

NewFiber::~NewFiber() {
  if (!is_started_) scheduler_.give_back(stack_);
}

void NewFiber::start(FiberControl& control, FiberHandle& handle) noexcept {
  scheduler_.start(control, handle);
  is_started_ = true;
}

void FiberHandle::take(FiberHandle& other) noexcept {
  control_ = std::exchange(other.control_, nullptr);
  if (control_ != nullptr) control_->handle = this;
}

FiberHandle& FiberHandle::operator=(FiberHandle&& other) noexcept {
  if (this == &other) return *this;
  join_quietly();
  take(other);
  return *this;
}

/// The fiber's scheduler, if it is the calling thread's.
FiberScheduler& FiberHandle::check(const char* call) const {
  if (control_ == nullptr) {
    throw InvalidArgument(std::string(call) +
                          ": this handle has no fiber; it was joined, detached or moved from before");
  }
  if (!FiberScheduler::is_here(*control_)) {
    throw InvalidArgument(
        std::string(call) +
        ": this fiber belongs to another thread; use its handle in the thread that made it");
  }
  return control_->scheduler;
}

FiberControl& FiberHandle::wait_for_end() {
  FiberScheduler& scheduler = check("join");
  if (scheduler.runs(*control_)) throw InvalidArgument("join: a fiber cannot wait for its own end");
  if (control_->joiner != nullptr) throw InvalidArgument("join: another fiber waits for this one already");
  scheduler.wait_for_end(*control_, Interruption::allowed);
  return *control_;
}

void FiberHandle::release() noexcept {
  FiberControl& control = *std::exchange(control_, nullptr);
  control.scheduler.release(control);
}

void FiberHandle::detach() {
  FiberScheduler& scheduler = check("detach");
  scheduler.detach(*std::exchange(control_, nullptr));
}

/// Ends the program in the wrong thread, as what a destructor throws does.
void FiberHandle::join_quietly() {
  if (control_ == nullptr) return;
  FiberScheduler& scheduler = check("the destructor of a Fiber");
  if (scheduler.runs(*control_)) {
    detach();
    return;
  }
  scheduler.wait_for_end(*control_, Interruption::refused);
  release();
}

}  // namespace wyvern::detail
