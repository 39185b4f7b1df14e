#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>
#include <wyvern/core/signal.hpp>
#include <wyvern/core/wait.hpp>

namespace wyvern {

std::optional<std::int32_t> wait_for_exit(const std::shared_ptr<Member>& member, std::uint32_t sequence,
                                          Deadline deadline) {
  const Segment& segment = member->segment();
  // Acquire: pairs with the agent's release after the records were committed.
  if (sequence >= segment.header().exit_records_ready.load(std::memory_order_acquire) ||
      exit_phase(segment.exit_record(sequence).load(std::memory_order_acquire)) == ExitPhase::not_started) {
    throw InvalidArgument("no process with number " + std::to_string(sequence) + " was started on node " +
                          std::to_string(segment.header().node));
  }
  const auto record = [&] { return segment.exit_record(sequence).load(std::memory_order_seq_cst); };
  const auto ended = [&] { return exit_phase(record()) == ExitPhase::exited; };
  if (!ended() &&
      !wait_until(member, make_interest(InterestKind::process_exit, sequence), nullptr, ended, deadline)
           .ready) {
    return std::nullopt;
  }
  return exit_status(record());
}

std::uint32_t name_changes(const Member& member) {
  return member.segment().header().name_changes.load(std::memory_order_seq_cst);
}

bool wait_for_name_change(const std::shared_ptr<Member>& member, std::uint32_t seen, Deadline deadline) {
  const auto changed = [&] { return name_changes(*member) != seen; };
  return wait_until(member, make_interest(InterestKind::name, 0), nullptr, changed, deadline).ready;
}

void wake_interested(const Segment& segment, std::uint64_t interest) {
  for (std::uint32_t i = 0; i < max_parkers; ++i) {
    ParkerCell& cell = segment.parker(i);
    // Sequentially consistent: a thread with fibers says so, then looks again itself.
    if (cell.takes_signals.load(std::memory_order_seq_cst) != 0) {
      set_signal(cell, signal_of_interest(interest));
      notify(cell);
    }
    // Sequentially consistent state first: a sleeper stores its interest before ASLEEP and re-checks after
    // it.
    if (cell.state.load(std::memory_order_seq_cst) == parker_asleep &&
        cell.interest.load(std::memory_order_relaxed) == interest) {
      notify(cell);
    }
  }
}

}  // namespace wyvern
