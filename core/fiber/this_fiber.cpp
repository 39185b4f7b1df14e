#include <thread>

#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/fiber/this_fiber.hpp>

namespace wyvern::this_fiber {

void yield() {
  if (wyvern::detail::FiberScheduler* const fibers = wyvern::detail::active_fibers) {
    fibers->yield();
  } else {
    std::this_thread::yield();
  }
}

void detail::sleep(Deadline deadline) {
  if (wyvern::detail::FiberScheduler* const fibers = wyvern::detail::active_fibers) {
    fibers->sleep_until(deadline);
  } else {
    std::this_thread::sleep_until(deadline.time());
  }
}

}  // namespace wyvern::this_fiber
