#include <algorithm>
#include <initializer_list>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>
#include <wyvern/core/signal.hpp>
#include <wyvern/core/wait.hpp>

namespace wyvern {

namespace {

void check_was_started(const Segment& segment, std::uint32_t sequence) {
  // Acquire: pairs with the agent's release after the records were committed.
  if (sequence >= segment.header().exit_records_ready.load(std::memory_order_acquire) ||
      exit_phase(segment.exit_record(sequence).load(std::memory_order_acquire)) == ExitPhase::not_started) {
    throw InvalidArgument("no process with number " + std::to_string(sequence) + " was started on node " +
                          std::to_string(segment.header().node));
  }
}

/// Sequentially consistent: a sleeper looks again after it has said that it sleeps, as Parker has it.
bool has_ended(const Segment& segment, std::uint32_t sequence) {
  return exit_phase(segment.exit_record(sequence).load(std::memory_order_seq_cst)) == ExitPhase::exited;
}

/// Every thread that sleeps for one of those, and all that run fibers.
void wake_interested(const Segment& segment, std::initializer_list<std::uint64_t> interests) {
  for (std::uint32_t i = 0; i < max_parkers; ++i) {
    ParkerCell& cell = segment.parker(i);
    // Sequentially consistent: a thread with fibers says so, then looks again itself.
    if (cell.takes_signals.load(std::memory_order_seq_cst) != 0) {
      for (const std::uint64_t interest : interests) set_signal(cell, signal_of_interest(interest));
      notify(cell);
    }
    // Sequentially consistent state first: a sleeper stores its interest before ASLEEP and re-checks after
    // it.
    if (cell.state.load(std::memory_order_seq_cst) == parker_asleep &&
        std::ranges::find(interests, cell.interest.load(std::memory_order_relaxed)) != interests.end()) {
      notify(cell);
    }
  }
}

}  // namespace

std::optional<std::int32_t> wait_for_exit(const std::shared_ptr<Member>& member, std::uint32_t sequence,
                                          Deadline deadline) {
  if (!wait_for_any_exit(member, std::span(&sequence, 1), deadline)) return std::nullopt;
  return exit_status(member->segment().exit_record(sequence).load(std::memory_order_seq_cst));
}

std::optional<std::size_t> wait_for_any_exit(const std::shared_ptr<Member>& member,
                                             std::span<const std::uint32_t> sequences,
                                             const WaitLimit& limit) {
  const Segment& segment = member->segment();
  for (const std::uint32_t sequence : sequences) check_was_started(segment, sequence);
  std::size_t place = 0;
  const auto any_has_ended = [&] {
    for (place = 0; place < sequences.size(); ++place) {
      if (has_ended(segment, sequences[place])) return true;
    }
    return false;
  };
  const std::uint64_t number = sequences.size() == 1 ? sequences.front() : any_process;
  if (!any_has_ended() &&
      !wait_until(member, make_interest(InterestKind::process_exit, number), nullptr, any_has_ended, limit)
           .ready) {
    return std::nullopt;
  }
  return place;
}

std::uint32_t name_changes(const Member& member) {
  return member.segment().header().name_changes.load(std::memory_order_seq_cst);
}

bool wait_for_name_change(const std::shared_ptr<Member>& member, std::uint32_t seen, Deadline deadline) {
  const auto changed = [&] { return name_changes(*member) != seen; };
  return wait_until(member, make_interest(InterestKind::name, 0), nullptr, changed, deadline).ready;
}

void wake_who_waits_for_names(const Segment& segment) {
  wake_interested(segment, {make_interest(InterestKind::name, 0)});
}

void wake_who_waits_for_exit(const Segment& segment, std::uint32_t sequence) {
  wake_interested(segment, {make_interest(InterestKind::process_exit, sequence),
                            make_interest(InterestKind::process_exit, any_process)});
}

}  // namespace wyvern
