#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <wyvern/core/deadline.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// When a peer counts as gone. The peers' own watches should have the same interval: who beats less often
/// than somebody else's `suspect_after` is suspected.
struct PeerWatchOptions {
  std::chrono::milliseconds interval{1000};  ///< between two beats to a peer
  /// Of silence; at least two intervals, since one beat may be late; in step two and a half, since there is
  /// up to one and a half between two beats.
  std::chrono::milliseconds suspect_after{3000};
  /// Of silence; at least an interval after the suspicion, so that the peer can be heard once more.
  std::chrono::milliseconds lost_after{5000};
  /// For peers of which nothing was heard yet, if it is longer than `lost_after`: one that is known to be
  /// there may have many others to answer first.
  std::chrono::milliseconds first_answer_within{0};
  /// Beats go out when the clock of this host shows a multiple of the interval, half an interval after the
  /// last one or later. So who is watched by several of this host wakes once for all of them.
  bool is_in_step = false;
};

enum class PeerState : std::uint8_t {
  alive,
  suspect,  ///< silent for longer than it should be, or a send to it has failed
  lost
};

enum class LossReason : std::uint8_t {
  silent,          ///< it was heard, and is not any more
  never_answered,  ///< beats went out, nothing ever came back
  nobody_there,    ///< not even a beat could be sent: nobody listens at that address
  unreachable      ///< the provider said so, and nothing was heard since
};

struct LostPeer {
  PeerNumber peer = 0;
  LossReason reason = LossReason::silent;
  std::chrono::nanoseconds silent_for{0};  ///< without the time when nobody called the watch
  int fabric_errno = 0;                    ///< of `unreachable`; 0: the provider gave none
};

/// What happened to `name` (a node or process, as users know it), and what to try next.
std::string describe(const LostPeer& lost, std::string_view name);

/// Notices peers of an endpoint that are gone. No provider tells who only receives that a peer has died, and
/// several never tell who sends either, so silence decides: every peer gets a beat each interval, or sooner
/// with others or as an answer, so that who has nothing to do wakes seldom, and is lost when nothing has come
/// from it for too long. A failed send is no proof: a connection may break, and be made
/// anew, while both sides live. It makes the peer suspect, and it is lost if nothing is heard within the time
/// that is left to a suspect, or if the endpoint refuses the beat that goes out at once. A beat that cannot
/// be sent now is no failure.
///
/// A peer's memory being read counts as a sign of life; on hardware that reads without the peer's processor,
/// its process is only judged while no read runs.
///
/// Time between two calls of `check` counts only as far as it is short: who was stopped himself, or suspended
/// with the machine, does not find everybody dead when he goes on.
///
/// For the endpoint's thread; the endpoint outlives this. Only `add` allocates.
class PeerWatch {
 public:
  using Time = Deadline::Clock::time_point;

  /// Throws InvalidArgument for options that contradict each other.
  explicit PeerWatch(Endpoint& endpoint, const PeerWatchOptions& options = {});

  /// For a peer of the endpoint, from now on. InvalidArgument if it is watched already.
  void add(PeerNumber peer, Time now);
  /// InvalidArgument if it is not watched.
  void remove(PeerNumber peer);
  /// For EndpointHandler::send_failed; of peers that are not watched it is ignored.
  void send_failed(PeerNumber peer, int fabric_errno);

  /// Sends the beats that are due, some at a time, and says who is lost, each peer once: it should be removed
  /// here and from the endpoint, where that ends all that waits for it. Call it after a poll, when
  /// `next_check` has come or whenever convenient. The answer is there until the next call of this or `add`.
  std::span<const LostPeer> check(Time now);
  /// The latest moment for the next call; `Time::max()` if nobody is watched.
  Time next_check() const { return next_check_; }

  /// As of the last check. InvalidArgument if it is not watched.
  PeerState state(PeerNumber peer) const;

 private:
  using Duration = Deadline::Clock::duration;
  static constexpr int no_error = 0;
  static constexpr int error_without_number = std::numeric_limits<int>::max();

  struct Watched {
    PeerNumber peer = 0;
    PeerState state = PeerState::alive;
    bool was_heard = false;
    bool was_sent_to = false;
    int error = no_error;     // of the first send that failed since it was heard
    std::uint64_t heard = 0;  // as the endpoint counts
    Duration heard_at{0};     // counted time
    Duration lost_at{0};      // counted time
    Time beat_due{};
  };

  void count_time(Time now);
  void listen(Watched& watched) const;
  void fail(Watched& watched, int error, Time beat_due) const;
  /// False: it is lost.
  bool judge(Watched& watched) const;
  bool beat(Watched& watched, Time now) const;
  Time next_beat(Time now) const;
  void lose(Watched& watched);
  std::vector<Watched>::iterator find(PeerNumber peer);

  Endpoint& endpoint_;
  Duration interval_;
  Duration suspect_after_;
  Duration lost_after_;
  Duration first_answer_within_;
  bool is_in_step_;
  std::vector<Watched> watched_;  // by number
  std::vector<LostPeer> lost_;    // room for all
  Duration counted_{0};           // time in which somebody looked
  Time counted_until_{};
  bool is_counting_ = false;
  bool was_away_ = false;  // before the last call
  Time next_check_ = Time::max();
};

}  // namespace wyvern
