#include <algorithm>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/payload_account.hpp>
#include <wyvern/channels/settle.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/futex.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/spin.hpp>

// What the agent does for the dead, and a few times a second for the stopped.
namespace wyvern {

template <class Visit>
void Keeper::for_each_object(Visit visit) const {
  for (std::uint32_t object = 0; object < objects_used_; ++object) {
    if (object_phase(segment_.object(object).state.load(std::memory_order_acquire)) == ObjectPhase::alive)
      visit(object);
  }
}

void Keeper::bury(std::uint32_t process) {
  std::vector<std::uint32_t> held;
  for_each_object([&](std::uint32_t object) {
    if (has_hold(segment_.object(object), process)) held.push_back(object);
  });
  const bool was_charging = segment_.process(process).charging.exchange(0, std::memory_order_seq_cst) != 0;
  // Ports before extents: an extent that a dead put had given to its block is freed with that block.
  for (const std::uint32_t object : held) settle_dead(object, process);
  extents_.release_process(process, [&](std::uint32_t extent, std::uint32_t object) {
    const RingView view(segment_, segment_.object(object).offset);
    release_payload(view, segment_.process(process), extent, ExtentOwner::process, process);
  });
  remove_parkers(process, held);
  release_spin_permits(segment_, process);
  for (const std::uint32_t object : held) {
    drop_hold(segment_, object, process);
    if (was_charging) to_recount_.push_back(object);
    wake_for_the_dead(RingView(segment_, segment_.object(object).offset));
  }
  // An object may have lost its last holder to a death between dropping the hold and telling us.
  for_each_object([this](std::uint32_t object) {
    if (!has_any_hold(segment_.object(object))) retire_if_unused(object);
  });
  recount_pending();
  sweep();
  ProcessEntry& entry = segment_.process(process);
  entry.os_pid.store(0, std::memory_order_relaxed);
  entry.puid.store(0, std::memory_order_release);
  free_processes_.push_back(process);
}

void Keeper::settle_dead(std::uint32_t object, std::uint32_t process) {
  const RingView view(segment_, segment_.object(object).offset);
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  for (std::uint32_t number = 0; number < ports; ++number) {
    Port& port = view.port(number);
    const PortOwner owner(port.owner.load(std::memory_order_acquire));
    if (owner.state() != PortState::owned || owner.process() != process) continue;
    settle_port(view, number);
    // What is in its block now was never published, or was got by the dead: it is gone with it.
    free_payload(view, port.spare.load(std::memory_order_relaxed));
    port.owner.store(owner.next(PortState::free).bits(),
                     std::memory_order_release);  // settled: for anybody to claim
  }
}

void Keeper::remove_parkers(std::uint32_t process, const std::vector<std::uint32_t>& held) {
  for (std::uint32_t parker = 0; parker < max_parkers; ++parker) {
    ParkerCell& cell = segment_.parker(parker);
    if (cell.owner.load(std::memory_order_acquire) != process + 1) continue;
    cell.state.store(parker_awake, std::memory_order_seq_cst);  // nobody claims it from here on
    for (const std::uint32_t object : held) {
      ChannelHeader& header = RingView(segment_, segment_.object(object).offset).header();
      for (WaiterSet* set : {&header.getters, &header.putters, &header.payload_putters}) set->remove(parker);
    }
    cell.interest.store(0, std::memory_order_relaxed);
    cell.owner.store(0, std::memory_order_release);
  }
}

void Keeper::wake_for_the_dead(const RingView& view) {
  // The dead may have owed one wake for its own operation and one for each wake it had received; who is woken
  // and leaves more behind wakes the next one.
  if (ring::has_message_or_end(view)) view.header().getters.wake_one(segment_);
  if (ring::has_room_or_end(view)) view.header().putters.wake_one(segment_);
  view.header().payload_putters.wake_all(segment_);
}

void Keeper::sweep() {
  for (std::uint32_t parker = 0; parker < max_parkers; ++parker) {
    ParkerCell& cell = segment_.parker(parker);
    const std::uint32_t state = cell.state.load(std::memory_order_seq_cst);
    if (state == parker_notified)
      futex_wake(cell.state, 1);  // its waker may have died or stopped before this step
    if (state == parker_asleep) test_interest(cell);
  }
  tidy_some_waiter_sets();
  recount_pending();
}

void Keeper::test_interest(ParkerCell& cell) {
  const std::uint64_t interest = cell.interest.load(std::memory_order_relaxed);
  const auto object = static_cast<std::uint32_t>(interest_number(interest));
  const InterestKind kind = interest_kind(interest);
  if (kind != InterestKind::message && kind != InterestKind::room && kind != InterestKind::payload_room)
    return;
  if (object >= objects_used_ ||
      object_phase(segment_.object(object).state.load(std::memory_order_acquire)) != ObjectPhase::alive)
    return;
  const RingView view(segment_, segment_.object(object).offset);
  bool holds = false;
  if (kind == InterestKind::message) {
    holds = ring::has_message_or_end(view);
  } else if (kind == InterestKind::room) {
    holds = ring::has_room_or_end(view);
  } else {
    const auto size_class = static_cast<std::uint32_t>(interest_number(interest) >> 32);
    holds = view.header().closing.load(std::memory_order_seq_cst) != 0 || accepts_extent(view, size_class);
  }
  if (holds) notify(cell);
}

void Keeper::tidy_some_waiter_sets() {
  constexpr std::uint32_t at_a_time = 64;  // keeps a sweep short when there are many queues
  for (std::uint32_t step = 0; step < std::min(at_a_time, objects_used_); ++step) {
    next_to_tidy_ = (next_to_tidy_ + 1) % objects_used_;
    const DirectoryEntry& entry = segment_.object(next_to_tidy_);
    if (object_phase(entry.state.load(std::memory_order_acquire)) != ObjectPhase::alive) continue;
    const RingView view(segment_, entry.offset);
    if (view.header().getters.tidy() && ring::has_message_or_end(view))
      view.header().getters.wake_one(segment_);
    if (view.header().putters.tidy() && ring::has_room_or_end(view)) view.header().putters.wake_one(segment_);
    if (view.header().payload_putters.tidy()) view.header().payload_putters.wake_all(segment_);
  }
}

void Keeper::recount_pending() {
  std::erase_if(to_recount_, [this](std::uint32_t object) {
    return recount_extents(RingView(segment_, segment_.object(object).offset));
  });
}

}  // namespace wyvern
