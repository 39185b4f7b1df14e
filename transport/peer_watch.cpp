#include <algorithm>

#include <fmt/format.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/peer_watch.hpp>

namespace wyvern {
namespace {

/// In a call of `check`. A beat takes some microseconds: with many peers, what comes meanwhile waits no
/// longer than these take.
constexpr int most_beats_at_once = 64;
/// A beat that could not be sent is tried again after this part of an interval.
constexpr int tries_in_an_interval = 10;
/// Intervals between two calls: after more the caller has been away.
constexpr int longest_step = 2;

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::string describe(const LostPeer& lost, std::string_view name) {
  const double silence = seconds(lost.silent_for);
  switch (lost.reason) {
    case LossReason::silent:
      return fmt::format(
          "{} is lost: nothing has come from it for {:.1f} s. Its process was killed or hangs, or the "
          "network "
          "to its host is down: look there. Started again it is a new peer, with a new address",
          name, silence);
    case LossReason::never_answered:
      return fmt::format(
          "{} is lost: it has not answered within {:.1f} s, though messages went out to it. Is it running, "
          "was "
          "this endpoint's address given to it, and is the address that we have of its present process?",
          name, silence);
    case LossReason::nobody_there:
      return fmt::format(
          "{} is lost: for {:.1f} s nobody has listened at its address. Was it started, and does a firewall "
          "let its port through?",
          name, silence);
    case LossReason::unreachable: break;
  }
  return fmt::format(
      "{} is lost: {}, and it has not been heard for {:.1f} s. Its process has most likely ended: look at "
      "its "
      "host. Started again it is a new peer, with a new address",
      name,
      lost.fabric_errno == 0 ? "the provider cannot reach it"
                             : describe_errno("a send to it failed", lost.fabric_errno),
      silence);
}

PeerWatch::PeerWatch(Endpoint& endpoint, const PeerWatchOptions& options)
    : endpoint_(endpoint),
      interval_(options.interval),
      suspect_after_(options.suspect_after),
      lost_after_(options.lost_after),
      first_answer_within_(std::max(options.first_answer_within, options.lost_after)),
      is_in_step_(options.is_in_step) {
  const Duration least = is_in_step_ ? 5 * interval_ / 2 : 2 * interval_;
  if (options.interval <= options.interval.zero() || suspect_after_ < least ||
      lost_after_ < suspect_after_ + interval_) {
    throw InvalidArgument(
        fmt::format("a peer watch with an interval of {} ms, suspect_after of {} ms, lost_after of {} ms: "
                    "suspect_after has to be two intervals or more, two and a half of one that is in step, "
                    "lost_after one interval more than that",
                    options.interval.count(), options.suspect_after.count(), options.lost_after.count()));
  }
}

std::vector<PeerWatch::Watched>::iterator PeerWatch::find(PeerNumber peer) {
  const auto place = std::ranges::lower_bound(watched_, peer, {}, &Watched::peer);
  return place != watched_.end() && place->peer == peer ? place : watched_.end();
}

void PeerWatch::add(PeerNumber peer, Time now) {
  if (find(peer) != watched_.end()) throw InvalidArgument(fmt::format("peer {} is watched already", peer));
  count_time(now);
  Watched watched;
  watched.peer = peer;
  watched.heard = endpoint_.heard_from(peer);
  watched.heard_at = counted_;
  watched.lost_at = counted_ + first_answer_within_;
  watched.beat_due = now;
  watched_.insert(std::ranges::lower_bound(watched_, peer, {}, &Watched::peer), watched);
  lost_.reserve(watched_.size());
  next_check_ = std::min(next_check_, now);
}

void PeerWatch::remove(PeerNumber peer) {
  const auto place = find(peer);
  if (place == watched_.end()) throw InvalidArgument(fmt::format("peer {} is not watched", peer));
  watched_.erase(place);
  if (watched_.empty()) next_check_ = Time::max();
}

PeerState PeerWatch::state(PeerNumber peer) const {
  const auto place = std::ranges::lower_bound(watched_, peer, {}, &Watched::peer);
  if (place == watched_.end() || place->peer != peer)
    throw InvalidArgument(fmt::format("peer {} is not watched", peer));
  return place->state;
}

void PeerWatch::send_failed(PeerNumber peer, int fabric_errno) {
  const auto place = find(peer);
  if (place == watched_.end() || place->state == PeerState::lost) return;
  // What came before the failure says nothing about the time after it.
  listen(*place);
  fail(*place, fabric_errno, counted_until_);
  next_check_ = std::min(next_check_, counted_until_);
}

std::span<const LostPeer> PeerWatch::check(Time now) {
  count_time(now);
  lost_.clear();
  next_check_ = Time::max();
  // Whoever is awake for a beat, sent or heard, sends those as well that are due soon: so all of a process
  // fall together, with those of its peers, and it wakes once where it would for each. As soon as half an
  // interval, since of two that beat each other one is so near then, whenever they began.
  const Time soon = now + interval_ / 2;
  const bool is_any_due = std::ranges::any_of(watched_, [&](const Watched& watched) {
    return watched.state != PeerState::lost && watched.beat_due <= now;
  });
  int beats = 0;
  for (Watched& watched : watched_) {
    if (watched.state == PeerState::lost) continue;
    const std::uint64_t heard_before = watched.heard;
    listen(watched);
    const bool is_awake_for_it = is_any_due || watched.heard != heard_before;
    bool is_there = judge(watched);
    if (is_there && watched.beat_due <= (is_awake_for_it ? soon : now) && beats < most_beats_at_once) {
      ++beats;
      is_there = beat(watched, now);
    }
    if (!is_there) {
      lose(watched);
      continue;
    }
    next_check_ = std::min({next_check_, watched.beat_due, now + (watched.lost_at - counted_)});
  }
  return lost_;
}

/// Who comes back after having been away goes on where he was. Who comes too late each time is slow, not
/// away: for him every step counts, shortened.
void PeerWatch::count_time(Time now) {
  if (!is_counting_) counted_until_ = now;
  is_counting_ = true;
  const Duration step = std::max(now - counted_until_, Duration::zero());
  const bool is_away = step > longest_step * interval_;
  if (!is_away) {
    counted_ += step;
  } else if (was_away_) {
    counted_ += longest_step * interval_;
  }
  was_away_ = is_away;
  counted_until_ = now;
}

void PeerWatch::listen(Watched& watched) const {
  const std::uint64_t heard = endpoint_.heard_from(watched.peer);
  if (heard == watched.heard) return;
  watched.heard = heard;
  watched.was_heard = true;
  watched.error = no_error;
  watched.state = PeerState::alive;
  watched.heard_at = counted_;
  watched.lost_at = counted_ + lost_after_;
}

bool PeerWatch::judge(Watched& watched) const {
  if (counted_ >= watched.lost_at) return false;
  if (counted_ - watched.heard_at >= suspect_after_) watched.state = PeerState::suspect;
  return true;
}

/// All that was under way when a connection broke fails, one after the other: only the first counts.
void PeerWatch::fail(Watched& watched, int error, Time beat_due) const {
  if (watched.error != no_error) return;
  watched.error = error == 0 ? error_without_number : error;
  watched.state = PeerState::suspect;
  watched.lost_at = std::min(watched.lost_at, counted_ + (lost_after_ - suspect_after_));
  watched.beat_due = beat_due;
}

PeerWatch::Time PeerWatch::next_beat(Time now) const {
  if (!is_in_step_) return now + interval_;
  const Time earliest = now + interval_ / 2;
  const Duration past_step = earliest.time_since_epoch() % interval_;
  return past_step == past_step.zero() ? earliest : earliest + (interval_ - past_step);
}

bool PeerWatch::beat(Watched& watched, Time now) const {
  const Time again_soon = now + interval_ / tries_in_an_interval;
  switch (endpoint_.send_beat(watched.peer)) {
    case SendOutcome::done:
      watched.was_sent_to = true;
      watched.beat_due = next_beat(now);
      return true;
    case SendOutcome::retry: watched.beat_due = again_soon; return true;
    case SendOutcome::failed: break;
  }
  if (watched.error != no_error) return false;
  fail(watched, error_without_number, again_soon);
  return true;
}

void PeerWatch::lose(Watched& watched) {
  watched.state = PeerState::lost;
  LostPeer lost{.peer = watched.peer, .silent_for = counted_ - watched.heard_at};
  if (watched.error != no_error) {
    lost.reason = LossReason::unreachable;
    lost.fabric_errno = watched.error == error_without_number ? 0 : watched.error;
  } else if (watched.was_heard) {
    lost.reason = LossReason::silent;
  } else {
    lost.reason = watched.was_sent_to ? LossReason::never_answered : LossReason::nobody_there;
  }
  lost_.push_back(lost);
}

}  // namespace wyvern
