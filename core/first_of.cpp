#include <utility>

#include <wyvern/core/fiber/scheduler.hpp>
#include <wyvern/core/first_of.hpp>

namespace wyvern {

FirstOf::FirstOf(const std::shared_ptr<Member>& member)
    : member_(member), scheduler_(detail::FiberScheduler::of_thread()) {
  scheduler_.wait_as_fiber();
}

FirstOf::~FirstOf() { scheduler_.end_wait_as_fiber(); }

void FirstOf::add(Place& place, std::uint64_t interest, WaiterSet* set, detail::Condition ready) {
  place.emplace(scheduler_.running(), set, scheduler_.begin_wait(member_, interest, set), ready);
  place->next = std::exchange(first_, &*place);
}

bool FirstOf::wait(const WaitLimit& limit) { return scheduler_.wait_for_first(*first_, limit); }

}  // namespace wyvern
