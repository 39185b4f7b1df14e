#include <algorithm>
#include <iterator>
#include <utility>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/settle.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/futex.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>
#include <wyvern/core/signal.hpp>
#include <wyvern/core/spin.hpp>

// What the agent does for the dead, and a few times a second for the stopped.
namespace wyvern {

template <class Visit>
void Keeper::for_each_object(Visit visit) const {
  for (std::uint32_t object = 0; object < objects_used_; ++object) {
    if (is_alive(object)) visit(object);
  }
}

void Keeper::bury(std::uint32_t process) {
  std::vector<std::uint32_t> held;
  for_each_object([&](std::uint32_t object) {
    if (has_hold(segment_.object(object), process)) held.push_back(object);
  });
  std::vector<std::uint32_t> channels;
  std::ranges::copy_if(held, std::back_inserter(channels),
                       [this](std::uint32_t object) { return is_channel(object); });
  for (const std::uint32_t object : channels) settle_dead(object, process);
  extents_.mend_hints();
  remove_parkers(process, channels);
  release_spin_permits(segment_, process);
  for (const std::uint32_t object : held) drop_hold(segment_, object, process);
  for (const std::uint32_t object : channels) wake_for_the_dead(view_of(object));
  // An object may have lost its last holder to a death between dropping the hold and telling us.
  for_each_object([this](std::uint32_t object) {
    if (!has_any_hold(segment_.object(object))) retire_if_unused(object);
  });
  sweep();
  ProcessEntry& entry = segment_.process(process);
  entry.os_pid.store(0, std::memory_order_relaxed);
  entry.homes.store(0, std::memory_order_relaxed);
  entry.puid.store(0, std::memory_order_release);
  free_processes_.push_back(process);
}

void Keeper::settle_dead(std::uint32_t object, std::uint32_t process) {
  const RingView view = view_of(object);
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_seq_cst);
  std::vector<std::uint32_t> owned;
  for (std::uint32_t number = 0; number < ports; ++number) {
    if (PortOwner(view.port(number).owner.load(std::memory_order_acquire)).is_owned_by(process))
      owned.push_back(number);
  }
  // Moves first: they are known by counts that settling an operation may raise.
  for (const std::uint32_t number : owned) settle_move(view, view.port(number));
  for (const std::uint32_t number : owned) settle_dead_port(view, number);
  sweep_given_back(view);
  move_dead_letters(view);
}

void Keeper::settle_dead_port(const RingView& view, std::uint32_t number) {
  settle_port(view, number);
  Port& port = view.port(number);
  const SpareWord spare(port.spare.load(std::memory_order_relaxed));
  if (spare.leased()) {
    give_back(view, port, Return::in_vain);
    return;
  }
  // What is in its block now was never published, or was got by the dead: it is gone with it.
  release_payload(view, spare.block());
  count_lost(port);
  port.owner.store(PortOwner(port.owner.load(std::memory_order_relaxed)).freed().bits(),
                   std::memory_order_seq_cst);  // settled: for anybody to claim
}

void Keeper::remove_parkers(std::uint32_t process, const std::vector<std::uint32_t>& held) {
  for (std::uint32_t parker = 0; parker < max_parkers; ++parker) {
    ParkerCell& cell = segment_.parker(parker);
    if (cell.owner.load(std::memory_order_acquire) != process + 1) continue;
    cell.state.store(parker_awake, std::memory_order_seq_cst);  // nobody claims it from here on
    cell.takes_signals.store(0, std::memory_order_relaxed);
    for (const std::uint32_t object : held) {
      ChannelHeader& header = view_of(object).header();
      for (WaiterSet* set : {&header.getters, &header.putters, &header.payload_putters, &header.joiners})
        set->remove(parker);
    }
    cell.interest.store(0, std::memory_order_relaxed);
    cell.owner.store(0, std::memory_order_release);
  }
}

/// At the end of a closed queue everybody is to be told: some wait for a message, some for leases to end.
void Keeper::wake_getters(const RingView& view) {
  WaiterSet& getters = view.header().getters;
  if (view.header().closing.load(std::memory_order_seq_cst) != 0) {
    getters.wake_all(segment_);
  } else if (may_be_given_back(view) || ring::has_message_or_end(view)) {
    getters.wake_some(segment_, 1);
  }
}

void Keeper::wake_for_the_dead(const RingView& view) {
  // The dead may have owed one wake for its own operation and one for each wake it had received; who is woken
  // and leaves more behind wakes the next one.
  ChannelHeader& header = view.header();
  wake_getters(view);
  if (ring::has_room_or_end(view)) header.putters.wake_some(segment_, 1);
  header.payload_putters.wake_all(segment_);
  header.joiners.wake_all(segment_);
}

bool Keeper::sweep() {
  // Relaxed: a place that has just been taken is for the next sweep.
  const std::uint32_t used =
      std::min(segment_.header().parkers_used.load(std::memory_order_relaxed), max_parkers);
  for (std::uint32_t parker = 0; parker < used; ++parker) {
    ParkerCell& cell = segment_.parker(parker);
    const std::uint32_t state = cell.state.load(std::memory_order_seq_cst);
    if (state == parker_notified)
      futex_wake(cell.state, 1);  // its waker may have died or stopped before this step
    // A thread with fibers may have work for ever, and a fiber that nobody has told.
    if (state == parker_asleep || cell.takes_signals.load(std::memory_order_relaxed) != 0)
      test_interest(parker);
  }
  const std::uint64_t positions = visit_some_channels();
  retire_unheld();
  return std::exchange(positions_, positions) != positions;
}

/// Whether what it waits for may be so, of all that it is registered for. With very many channels it looks
/// itself.
bool Keeper::may_go_on(std::uint32_t parker) {
  constexpr std::uint32_t most_objects = 1024;
  if (objects_used_ > most_objects) return true;
  for (std::uint32_t object = 0; object < objects_used_; ++object) {
    if (!is_channel(object)) continue;
    const RingView view = view_of(object);
    const ChannelHeader& header = view.header();
    if (header.getters.has(parker)) {
      sweep_given_back(view);
      if (may_be_given_back(view) || ring::has_message_or_end(view)) return true;
    }
    if (header.putters.has(parker) && ring::has_room_or_end(view)) return true;
    if (header.payload_putters.has(parker)) return true;  // for how many bytes is not known here
    if (header.joiners.has(parker) && all_tasks_done(view)) return true;
  }
  return false;
}

void Keeper::test_interest(std::uint32_t parker) {
  ParkerCell& cell = segment_.parker(parker);
  const std::uint64_t interest = cell.interest.load(std::memory_order_relaxed);
  const auto object = static_cast<std::uint32_t>(interest_number(interest));
  const InterestKind kind = interest_kind(interest);
  if (kind == InterestKind::several) {
    if (!may_go_on(parker)) return;
    if (cell.takes_signals.load(std::memory_order_relaxed) != 0) set_all_signals(cell);
    notify(cell);
    return;
  }
  if (kind == InterestKind::none || kind == InterestKind::process_exit || kind == InterestKind::name ||
      !is_channel(object))
    return;
  const RingView view = view_of(object);
  sweep_given_back(view);
  const auto holds = [&] {
    switch (kind) {
      case InterestKind::message: return may_be_given_back(view) || ring::has_message_or_end(view);
      case InterestKind::lease:
        return may_be_given_back(view) ||
               (ring::has_message_or_end(view) && (!ring::has_ended(view) || !any_lease_outstanding(view)));
      case InterestKind::room: return ring::has_room_or_end(view);
      case InterestKind::payload_room:
        return view.header().closing.load(std::memory_order_seq_cst) != 0 ||
               accepts_payload(view, static_cast<std::uint32_t>(interest_number(interest) >> 32));
      case InterestKind::tasks_done: return all_tasks_done(view);
      default: return false;
    }
  };
  if (holds()) notify(cell);
}

/// Somebody may have died or stopped between giving a message back and saying so.
void Keeper::sweep_given_back(const RingView& view) {
  if (!may_be_given_back(view) && any_given_back(view)) raise_given_back(view);
}

/// The sum of their positions.
std::uint64_t Keeper::visit_some_channels() {
  constexpr std::uint32_t at_a_time = 64;  // keeps a sweep short when there are many queues
  std::uint64_t positions = 0;
  for (std::uint32_t step = 0; step < std::min(at_a_time, objects_used_); ++step) {
    next_to_visit_ = (next_to_visit_ + 1) % objects_used_;
    if (!is_channel(next_to_visit_)) continue;
    const RingView view = view_of(next_to_visit_);
    ChannelHeader& header = view.header();
    // Relaxed: what is used right now is for the next sweep.
    positions += header.tail.load(std::memory_order_relaxed) + header.head.load(std::memory_order_relaxed);
    sweep_given_back(view);
    move_dead_letters(view);
    if (header.getters.tidy()) wake_getters(view);
    if (header.putters.tidy() && ring::has_room_or_end(view)) header.putters.wake_some(segment_, 1);
    if (header.payload_putters.tidy()) header.payload_putters.wake_all(segment_);
    if (header.joiners.tidy()) header.joiners.wake_all(segment_);
  }
  return positions;
}

}  // namespace wyvern
