#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <wyvern/channels/remote/guest.hpp>
#include <wyvern/channels/remote/guest_opening.hpp>
#include <wyvern/channels/remote/served_queue.hpp>
#include <wyvern/channels/remote/stand_in.hpp>
#include <wyvern/channels/remote/watching.hpp>
#include <wyvern/core/job_key.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/peer_watch.hpp>

namespace wyvern {

/// What a process of another node asks of this node's agent, other than for a queue. Both sides know what the
/// bytes mean; here nobody does.
struct GuestRequest {
  std::uint64_t guest = 0;  ///< for the answer; never used again for another
  Puid process;
  std::uint32_t operation = 0;
  std::vector<std::byte> bytes;
};

/// Who answers such requests. Called from Home::poll; must not throw, nor call the home.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  virtual void request(GuestRequest request) = 0;
  /// The guest does not wait for that answer any more, or will not get it: it has gone (operation 0: all its
  /// requests).
  virtual void cancel(std::uint64_t guest, std::uint32_t operation) = 0;
};

struct HomeOptions {
  GuestLimits limits = {};
  PeerWatchOptions watch = watch_of_guests;
  /// Told of each guest that is given up, and why, and now and then of strangers that are turned away; not of
  /// ends that a guest's own node tells. Must not throw.
  std::function<void(const std::string&)> report = {};
  /// Outlives the home; null: requests are refused.
  RequestHandler* requests = nullptr;
  /// Outlives the home; null: messages with handles of other nodes' queues are refused.
  StandInMaker* stand_ins = nullptr;
};

struct HomeCounters {
  std::uint64_t introduced = 0;
  std::uint64_t turned_away = 0;  ///< strangers without a right hello
  std::uint64_t broken = 0;       ///< guests that sent what no guest sends
  std::uint64_t lost = 0;         ///< guests that were silent or could not be reached
  std::uint64_t ended = 0;        ///< guests whose own node has said that they ended, without having left
};

/// Where the queues of a node are, as processes of other nodes see it: answers those that introduce
/// themselves with the job's key, and works for them on the node's channels as any other member does. No
/// guest holds up another: what one waits for is remembered, and looked at with every poll. A guest that is
/// lost, or sends what no guest sends, loses its openings, see GuestOpening.
///
/// Of a guest that has ended its node's agent tells (the frame `ended`), which is sooner than silence does.
/// What it had sent may still be on its way then: it gets nothing any more, and goes when nothing has come
/// from it for a moment.
///
/// For one thread, which polls.
class Home : private EndpointHandler {
 public:
  using Time = PeerWatch::Time;

  /// The member's agent link is called from `poll`, which waits for it.
  Home(std::shared_ptr<Member> member, std::unique_ptr<Endpoint> endpoint, const JobKey& key,
       HomeOptions options = {});
  /// As if all guests were lost.
  ~Home() override;

  /// Deals with what has come, does for the guests what has become possible, and sends what there is to say.
  /// False: nothing of that, and nothing is left to be sent.
  bool poll(Time now);

  /// That process has ended, for ever; from the next poll on. It may be no guest.
  void process_ended(Puid process) { ended_.push_back(process); }

  /// Ends a request of that guest, if it still is there.
  void answer(std::uint64_t guest, std::uint32_t operation, std::span<const std::byte> reply);
  void refuse(std::uint64_t guest, std::uint32_t operation, const Error& error);

  /// What has come of StandInMaker::make: a stand-in, which `hold` holds, or none.
  void stand_in_made(const ObjectReference& object, std::shared_ptr<StandInHold> hold) {
    stand_ins_.made(object, std::move(hold));
  }
  void stand_in_refused(const ObjectReference& object, const Error& error) {
    stand_ins_.refused(object, error);
  }
  /// No message names the stand-in for that object any more.
  void stand_in_gone(const ObjectReference& object) { stand_ins_.gone(object); }

  /// Whether any guest waits for what others do with the node's queues.
  bool waits_for_queues() const;
  /// Around a last poll and a sleep, in which `parker` is woken when one of these may have changed.
  void expect_wake(std::uint32_t parker);
  void end_wake(std::uint32_t parker);
  /// The parker was woken: with the next poll others get the wake that may have been theirs as well.
  void pass_wake_on() { owes_wake_ = true; }
  /// Whether bytes of large puts come in: each part would wake who sleeps.
  bool is_fetching(Time now) const { return incoming_.is_moving(now); }
  /// The latest moment for the next poll.
  Time next_poll() const { return std::min(watch_.next_check(), next_look_at_ended_); }

  std::size_t guests() const { return guests_.size(); }
  const HomeCounters& counters() const { return counters_; }

 private:
  /// The rest of a guest whose process has ended.
  struct Rest {
    std::uint64_t heard = 0;  // as the endpoint counts
    Time heard_at;
    int polls = 0;  // in which nothing came
  };
  struct GuestEntry {
    Puid puid;
    std::uint64_t number = 0;
    std::unique_ptr<Guest> guest;
    std::unordered_map<std::uint32_t, std::unique_ptr<GuestOpening>> openings;
    std::vector<std::byte> request = {};              // as far as it has come
    std::unordered_set<std::uint32_t> requests = {};  // that are not answered
    bool has_left = false;
    bool is_given_up = false;
    std::optional<Rest> rest = {};
  };
  using Guests = std::unordered_map<PeerNumber, GuestEntry>;

  void message(PeerNumber from, std::span<const std::byte> bytes) override;
  void stranger(std::span<const std::byte> bytes) override;
  void send_failed(PeerNumber to, int fabric_errno) override;
  void read_ended(RemoteRead& read, ReadResult result, int fabric_errno) override;

  void introduce(std::span<const std::byte> hello, Time now);
  void turn_away(const std::string& why, Time now);
  void deal_with(GuestEntry& entry, const wire::Frame& frame);
  void open(GuestEntry& entry, const wire::Frame& frame);
  void create(GuestEntry& entry, const wire::Frame& frame);
  template <class Find>
  void admit_to_queue(GuestEntry& entry, const wire::Frame& frame, Find find);
  void request(GuestEntry& entry, const wire::Frame& frame);
  void leave(GuestEntry& entry, const wire::Frame& frame);
  void hear_of_end(const GuestEntry& entry, const wire::Frame& frame);
  bool has_ended(Puid process) const;
  void begin_to_end(Puid process, Time now);
  void look_at_ended(Time now, bool is_all_in);
  GuestEntry* find_guest(std::uint64_t number);
  void put(GuestEntry& entry, GuestOpening& opening, const wire::Frame& frame);
  void let_go(GuestEntry& entry, std::uint32_t opening);
  std::shared_ptr<ServedQueue> serve_queue(const ObjectReference& object);
  std::shared_ptr<ServedQueue> opened_by(const GuestEntry& entry, const ObjectReference& handle) const;
  void give_up(GuestEntry& entry, std::uint64_t& counter, const std::string& why);
  void remove_given_up();
  void end(PeerNumber peer, GuestEntry entry);
  bool serve_queues();
  void wake_takers();
  void tell_credits();
  bool send_all();
  void report(const std::string& text) const;

  std::shared_ptr<Member> member_;
  JobKey key_;
  HomeOptions options_;
  StandIns stand_ins_;
  std::unordered_map<std::uint64_t, std::weak_ptr<ServedQueue>> queues_;  // by object id
  std::vector<std::shared_ptr<ServedQueue>> adopting_;  // queues that hold messages of who let them go
  std::list<AbandonedPut> abandoned_;                   // outlives the endpoint
  Incoming incoming_;
  std::unique_ptr<Endpoint> endpoint_;
  PeerWatch watch_;
  Guests guests_;
  std::unordered_map<std::uint64_t, PeerNumber> peers_;  // by the number of a guest
  std::uint64_t next_guest_ = 1;
  std::vector<std::vector<std::byte>> hellos_;  // of the poll that goes on
  std::vector<Puid> ended_;                     // that were told of since the last one
  std::deque<Puid> known_to_have_ended_;        // the last ones
  Time next_look_at_ended_ = Time::max();
  std::vector<std::shared_ptr<ServedQueue>> expecting_;  // a wake
  bool owes_wake_ = false;
  std::vector<std::shared_ptr<ServedQueue>> waking_;  // those with messages of which nobody was woken
  Time next_report_ = Time::min();                    // of strangers
  HomeCounters counters_;
};

}  // namespace wyvern
