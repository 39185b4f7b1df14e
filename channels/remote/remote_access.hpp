#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/intrusive/list.hpp>

#include <wyvern/channels/aligned_bytes.hpp>
#include <wyvern/channels/remote/loan_pool.hpp>
#include <wyvern/channels/remote/remote_node.hpp>
#include <wyvern/core/event_descriptor.hpp>
#include <wyvern/core/fiber/completions.hpp>
#include <wyvern/core/fiber/suspension.hpp>
#include <wyvern/core/job_key.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/core/wait_limit.hpp>
#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/event_wait.hpp>
#include <wyvern/transport/peer_watch.hpp>

namespace wyvern {

class RemoteChannel;

/// A large message that is fetched from a home.
struct LargeGet : RemoteRead {
  LargeGet(PeerNumber from, const RemoteMemory& source, AlignedBytes& its_bytes,
           std::unique_ptr<RegisteredMemory> its_region)
      : RemoteRead(from, source, its_bytes.bytes(), its_region.get()),
        bytes(std::move(its_bytes)),
        region(std::move(its_region)) {}

  AlignedBytes bytes;
  std::unique_ptr<RegisteredMemory> region;
  std::optional<ReadResult> result;
};

/// This process's way to the nodes that are not its own: one endpoint, for all its threads.
///
/// Whoever waits for something polls: one of the threads that wait at a time, the others sleep until what
/// they wait for has come, or it is their turn to poll. So an answer is dealt with by the thread that needs
/// it, and nothing is handed over between threads while only one works. A thread of this class looks after
/// the endpoint when nobody else does: it says what was not said yet, beats and notices peers that are gone,
/// and lets homes read. While others call it only looks now and then whether they still do.
///
/// Fibers that wait are suspended, and none of them polls: their thread does when none of its fibers can go
/// on, as long as it is awake.
///
/// Everything is under one lock, which nobody keeps while he sleeps. Outlives the channels that were opened
/// with it, and ends before its member does: the member owns it (see member_access.hpp), and each channel
/// holds the member. In a plain fork everything here is the parent's.
class RemoteAccess : private EndpointHandler, private KeptBack, private detail::Completions {
 public:
  static constexpr std::chrono::milliseconds longest_farewell{1000};
  using Lock = std::unique_lock<std::mutex>;
  /// The address of a node's home. Throws NotFound, NodeLost. Called under the lock.
  using AddressOf = std::function<std::vector<std::byte>(std::uint32_t node)>;

  RemoteAccess(const std::shared_ptr<Member>& member, std::unique_ptr<Endpoint> endpoint, const JobKey& key,
               AddressOf address_of, const PeerWatchOptions& watch = {});
  /// Leaves, if nobody did.
  ~RemoteAccess() override;

  /// This process has nothing more to do with other nodes: waits for what is kept, some seconds at most, and
  /// until the homes have dealt with all that was said, at most for `farewell`. Other calls throw NodeLost
  /// from now on. Takes the lock itself.
  void leave(std::chrono::milliseconds farewell = longest_farewell) noexcept;

  /// For those who use this; null when the member ends.
  std::shared_ptr<Member> shared_member() const { return shared_member_.lock(); }
  Lock lock() { return Lock(mutex_); }
  /// With the lock held, as everything below.
  Endpoint& endpoint() { return *endpoint_; }
  /// The home of that node, introduced; null: not in time. Throws NodeLost, Unreachable, and what AddressOf
  /// throws.
  std::shared_ptr<RemoteNode> node(Lock& lock, std::uint32_t number,
                                   const WaitLimit& limit = WaitLimit::never());
  /// The same if that has been introduced and is lost by now; else null.
  std::shared_ptr<RemoteNode> lost_node(std::uint32_t number) const;
  /// Says what is to be said there, or leaves it to the next poll.
  void send(RemoteNode& node);
  /// For who waits for the answer next: the same, or, in a fiber, as soon as the others have had their say.
  void send_before_wait(RemoteNode& node);
  /// The same soon: with what fills a message, when a thread waits for anything, or in some milliseconds.
  void send_soon(RemoteNode& node);
  /// Polls once, unless somebody is polling: for who does not wait. Takes some microseconds at times.
  void poll_aside();
  /// Polls, or sleeps while others do, until `over()`; false: the limit has passed before, or the caller is a
  /// fiber that is being ended: see detail::throw_if_fiber_ended. The lock is not held all the time, but
  /// whenever `over` is called.
  /// `awake_ns`: it does not sleep before, when it is the one that polls.
  bool wait(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit,
            std::uint64_t awake_ns = 0) {
    return wait(lock, over, limit, awake_ns, IfEnded::stops);
  }
  /// The same as long as it takes, also in a fiber that is being ended: for what ends soon.
  void wait_through(Lock& lock, const std::function<bool()>& over) {
    wait(lock, over, WaitLimit::never(), 0, IfEnded::goes_on);
  }
  /// For who waits for something here and for other things at the same time.
  class Watch;
  /// What some wait for may be so now.
  void look_again();
  /// As long as it takes; throws NodeLost when the node is, FiberEnded.
  void wait_for(Lock& lock, RemoteNode& node, const RemoteOperation& operation);
  [[noreturn]] static void throw_lost(const RemoteNode& node);
  /// Keeps what nobody waits for any more, as long as the provider may write there.
  void abandon(std::unique_ptr<LargeGet> read);

  /// Asks that node's agent for something other than a queue; its answer, or nothing: not in time, and the
  /// answer is of no interest any more. Takes the lock itself. Throws what the agent says, NodeLost,
  /// Unreachable.
  std::optional<std::vector<std::byte>> ask_agent(std::uint32_t node, std::span<const std::byte> request,
                                                  const WaitLimit& limit);

  /// The same without waiting: `kept` is kept until the answer has come, whatever it is, or the node is lost,
  /// and then ends without the lock.
  void keep_until_answered(std::uint32_t node, std::span<const std::byte> request,
                           std::shared_ptr<void> kept);

  /// Tells that node's home of processes of this node that have ended; this one has to be its agent. Waits
  /// until it is introduced there. Takes the lock itself. Throws NodeLost, Unreachable, and what AddressOf
  /// throws.
  void tell_ended(std::uint32_t node, std::span<const Puid> processes);

  /// The channel is kept until its home has read what it has put.
  void keep_while_read(std::shared_ptr<RemoteChannel> channel);
  /// It has, as somebody knows who holds the channel.
  void end_keeping(const RemoteChannel& channel);

  LoanPool& loan_pool() { return loan_pool_; }

  /// The channels that are open, by object id.
  std::unordered_map<std::uint64_t, std::weak_ptr<RemoteChannel>>& channels() { return channels_; }

 private:
  /// A fiber that is being ended.
  enum class IfEnded : std::uint8_t { stops, goes_on };
  struct Waiter : boost::intrusive::list_base_hook<> {
    const std::function<bool()>& over;
    detail::Suspension suspension;

    Waiter(const std::function<bool()>& its_end, RemoteAccess& access)
        : over(its_end), suspension(access.shared_member(), access) {}
  };
  using Waiters = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;

  void send() noexcept override;
  bool send_all();
  void message(PeerNumber from, std::span<const std::byte> bytes) override;
  void send_failed(PeerNumber to, int fabric_errno) override;
  void read_ended(RemoteRead& read, ReadResult result, int fabric_errno) override;
  void poll() noexcept override;
  void rest() noexcept override;
  void hand_over() noexcept override;
  void take_back() noexcept override;

  /// What is kept until an answer has come. Stays where it is.
  struct Kept {
    std::shared_ptr<RemoteNode> node;
    std::uint32_t operation = 0;
    RemoteOperation answer;
    std::shared_ptr<void> what;

    bool is_over() const { return answer.is_over() || node->lost(); }
  };

  std::uint32_t say_request(RemoteNode& node, std::span<const std::byte> request, RemoteOperation& answer);
  bool is_any_read() const;
  bool may_let_go() const;
  void let_go(Lock& lock);
  void say_farewell(Lock& lock, Deadline deadline);
  std::shared_ptr<RemoteNode> introduce_to(std::uint32_t number);
  std::atomic<std::uint64_t>& homes() const;
  void note_call();
  bool wait(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit, std::uint64_t awake_ns,
            IfEnded if_ended);
  bool is_polled() const { return poller_ != std::thread::id{}; }
  void end_polling();
  void pass_polling_on();
  bool poll_once();
  std::size_t check_peers(Deadline::Clock::time_point now);
  void poll_until(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit,
                  std::uint64_t awake_ns);
  void poll_awake(Lock& lock, const std::function<bool()>& over, const WaitLimit& limit,
                  std::uint64_t awake_ns);
  void sleep(Lock& lock, EventWait& wait, const EventDescriptor& interrupt, Deadline deadline);
  void wake_waiters();
  void lose(RemoteNode& node, const std::string& why);
  void lose_all(const std::string& why);
  void forget_lost();
  void look_after();
  void look_once(Lock& lock, std::uint64_t& calls_seen);
  void interrupt_poller();

  Member& member_;
  std::weak_ptr<Member> shared_member_;
  std::list<std::unique_ptr<LargeGet>> abandoned_;  // outlive the endpoint
  std::unique_ptr<Endpoint> endpoint_;
  LoanPool loan_pool_;
  JobKey key_;
  AddressOf address_of_;
  std::mutex mutex_;
  PeerWatch watch_;
  EventWait callers_wait_;
  EventWait own_wait_;
  // Who sleeps on the endpoint wakes.
  EventDescriptor callers_interrupt_;
  EventDescriptor own_interrupt_;
  Waiters threads_;  // that wait; fibers do not count as one
  Waiters fibers_;
  std::thread::id poller_;                  // of those that wait; none: nobody polls
  std::uint32_t sleeping_with_fibers_ = 0;  // threads all of whose fibers wait

  std::uint64_t calls_ = 0;  // that have waited or sent
  std::unordered_map<std::uint32_t, std::shared_ptr<RemoteNode>> nodes_;
  std::unordered_map<PeerNumber, std::shared_ptr<RemoteNode>> nodes_by_peer_;
  std::unordered_map<std::uint64_t, std::weak_ptr<RemoteChannel>> channels_;
  std::list<Kept> kept_;
  std::vector<std::shared_ptr<RemoteChannel>> read_;  // whose homes read, each once
  std::uint32_t letting_go_ = 0;                      // threads in which what was kept ends
  std::condition_variable let_gone_;
  // The thread's: it sleeps on the endpoint, or until whoever waits has left, or looks now and then.
  std::condition_variable own_turn_;
  bool own_sleeps_ = false;
  bool own_waits_ = false;
  bool is_ending_ = false;
  std::thread thread_;
};

/// While this lives, the fiber (or who waits as one, see FirstOf) that has made it is woken whenever
/// `over()`, which outlives it. Made and ended by that fiber, without the lock.
class RemoteAccess::Watch {
 public:
  Watch(RemoteAccess& access, const std::function<bool()>& over);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  RemoteAccess& access_;
  Waiter waiter_;
};

}  // namespace wyvern
