#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <wyvern/channels/channel.hpp>

#include "support/history.hpp"
#include "support/single_step.hpp"

namespace wyvern::test {

/// What a victim does when it dies or stops. `put_large_again` is a large put by a thread that has freed such
/// an extent before; put_many and get_many are of `batch` messages; a lease is reported done, or dropped; the
/// waiting ones wait as long as it takes, all others not at all.
enum class Operation {
  put_small,
  put_large,
  put_large_again,
  put_many,
  put_loan,
  loan_dropped,
  get,
  get_many,
  get_and_report,
  take,
  lease_done,
  lease_dropped,
  close,
  put_waiting,
  get_waiting,
  lease_waiting,
  select_waiting,
  join_waiting
};
inline constexpr std::uint64_t batch = 3;

std::string to_string(Operation operation);
/// How many messages it can put, and how many it can take for good.
std::uint64_t most_puts(Operation operation);
std::uint64_t most_takes(Operation operation);
bool is_lease(Operation operation);
bool waits(Operation operation);
/// Whether what it takes for good it also reports done.
bool reports(Operation operation);
inline bool is_batch(Operation operation) { return most_puts(operation) > 1 || most_takes(operation) > 1; }
inline bool is_put(Operation operation) { return most_puts(operation) != 0; }

/// Performs it once and notes it; QueueClosed is an outcome like others. `part` is what of it is to be
/// stepped through, if it is: the calls themselves.
void perform(Operation operation, const Channel& channel, History::Writer log, std::size_t large_bytes,
             SteppedPart* part = nullptr);

/// Whether `now` can be in the channel after the victim has died or stopped in its operation, and before it
/// is buried, when `before` was in it and nobody else was at work: the operation has happened or it has not,
/// each of a batch for itself.
bool is_possible(Operation operation, const std::vector<MessageId>& before, const std::vector<MessageId>& now,
                 Puid victim);
/// Whether a message of the victim is in the channel, or one is not of the `before` that it can have taken.
bool took_effect(Operation operation, std::size_t before, const std::vector<MessageId>& now, Puid victim);

}  // namespace wyvern::test
