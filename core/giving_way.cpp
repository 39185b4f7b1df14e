#include <wyvern/core/futex.hpp>
#include <wyvern/core/giving_way.hpp>
#include <wyvern/core/spin.hpp>

namespace wyvern {

GivingWay& GivingWay::mine() {
  thread_local constinit GivingWay giving_way;
  return giving_way;
}

void GivingWay::after_wake() {
  const std::uint64_t now = monotonic_ns();
  if (!is_time_to(now)) return;
  yield_core();
  learn(monotonic_ns() - now);
}

}  // namespace wyvern
