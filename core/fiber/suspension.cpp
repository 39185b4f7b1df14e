#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/fiber/suspension.hpp>

namespace wyvern::detail {

Suspension::Suspension(const std::shared_ptr<Member>& member, Completions& completions) {
  if (active_fibers == nullptr || member == nullptr) return;
  active_fibers->begin_wait_for(completions, member);
  fiber_ = &active_fibers->running();
}

Suspension::~Suspension() {
  if (fiber_ != nullptr) fiber_->scheduler.end_wait_for_completions();
}

bool Suspension::must_end() const { return fiber_ != nullptr && fiber_->must_end; }

void Suspension::sleep(std::unique_lock<std::mutex>& lock, Deadline deadline) {
  if (fiber_ != nullptr) {
    lock.unlock();
    fiber_->scheduler.block(deadline);
    lock.lock();
  } else if (deadline.is_never()) {
    woken_.wait(lock);
  } else {
    woken_.wait_until(lock, deadline.time());
  }
}

void Suspension::wake() {
  if (fiber_ != nullptr) {
    FiberScheduler::post(*fiber_);
  } else {
    woken_.notify_one();
  }
}

}  // namespace wyvern::detail
