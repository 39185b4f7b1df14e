#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <wyvern/channels/remote/home.hpp>
#include <wyvern/core/error.hpp>

// How guests go: they leave, have ended as their node says, or are given up.
namespace wyvern {
namespace {

/// Of a guest that has ended: until nothing more of it is on its way. Far more than a network takes, and far
/// less than silence would.
constexpr std::chrono::milliseconds silence_of_the_ended{20};
/// In which nothing comes: a home that was held up may find all of it late.
constexpr int polls_of_the_ended = 3;
/// The last of these found nothing of anybody, behind which something could lie; but others who never rest do
/// not keep what it had for longer than that.
constexpr std::chrono::milliseconds longest_rest{1000};
/// A hello of one that has ended is hardly later than so many ends.
constexpr std::size_t most_known_to_have_ended = 1024;

}  // namespace

using wire::Frame;
using wire::FrameKind;

/// Everything that it has said is dealt with by now, of which it is told. That it is silent from now on, and
/// cannot be reached, is as it should be.
void Home::leave(GuestEntry& entry, const Frame& frame) {
  while (!entry.openings.empty()) let_go(entry, entry.openings.begin()->first);
  entry.has_left = true;
  entry.guest->outbox.room_for(0).add(FrameKind::reply, 0, 0, frame.operation);
}

/// Who has the job's key and says that he is an agent is believed, as whoever has it is in all he says.
void Home::hear_of_end(const GuestEntry& entry, const Frame& frame) {
  const Puid ended(wire::read_value(frame));
  const bool is_its_agent = entry.puid == Puid::make(ended.system(), ended.node(), agent_sequence);
  if (!is_its_agent || ended == entry.puid) {
    throw DecodeError("process " + to_string(entry.puid) + " has said that process " + to_string(ended) +
                      " has ended, which only the agent of that one's node says");
  }
  process_ended(ended);
}

bool Home::has_ended(Puid process) const {
  return std::ranges::find(known_to_have_ended_, process) != known_to_have_ended_.end();
}

/// What has come of it and is not dealt with, or comes yet, counts, but nothing is said to it any more.
void Home::begin_to_end(Puid process, Time now) {
  if (has_ended(process)) return;
  known_to_have_ended_.push_back(process);
  if (known_to_have_ended_.size() > most_known_to_have_ended) known_to_have_ended_.pop_front();
  for (auto& [peer, entry] : guests_) {
    if (entry.puid != process || entry.is_given_up) continue;
    if (!entry.has_left) ++counters_.ended;
    entry.rest = Rest{.heard = endpoint_->heard_from(peer), .heard_at = now};
    for (const auto& [number, opening] : entry.openings) opening->end_gets();
    next_look_at_ended_ = now;
  }
}

void Home::look_at_ended(Time now, bool is_all_in) {
  if (now < next_look_at_ended_) return;
  next_look_at_ended_ = Time::max();
  for (auto& [peer, entry] : guests_) {
    if (!entry.rest || entry.is_given_up) continue;
    Rest& rest = *entry.rest;
    const std::uint64_t heard = endpoint_->heard_from(peer);
    if (heard != rest.heard) rest = {.heard = heard, .heard_at = now};
    const Time ends_at = rest.heard_at + silence_of_the_ended;
    const bool was_silent = ++rest.polls >= polls_of_the_ended && now >= ends_at;
    if (was_silent && (is_all_in || now >= rest.heard_at + longest_rest)) {
      entry.is_given_up = true;
    } else {
      next_look_at_ended_ = std::min(next_look_at_ended_, std::max(now, ends_at));
    }
  }
}

/// Not at once: it may be in the midst of what it sent, or of the poll.
void Home::give_up(GuestEntry& entry, std::uint64_t& counter, const std::string& why) {
  if (std::exchange(entry.is_given_up, true) || entry.has_left || entry.rest) return;
  ++counter;
  report(why);
}

void Home::remove_given_up() {
  for (auto entry = guests_.begin(); entry != guests_.end();) {
    const auto current = entry++;
    if (!current->second.is_given_up) continue;
    auto given_up = guests_.extract(current);
    end(given_up.key(), std::move(given_up.mapped()));
  }
}

/// Whatever fails here concerns this guest alone.
void Home::end(PeerNumber peer, GuestEntry entry) {
  const auto attempt = [&](auto step) {
    try {
      step();
    } catch (const std::exception& error) {
      report("the end of process " + to_string(entry.puid) + ": " + error.what());
    }
  };
  if (options_.requests != nullptr) options_.requests->cancel(entry.number, 0);
  peers_.erase(entry.number);
  for (auto& [number, opening] : entry.openings) attempt([&] { opening->end(); });
  entry.openings.clear();
  attempt([&] { watch_.remove(peer); });
  attempt([&] { endpoint_->remove_peer(peer); });
}

}  // namespace wyvern
