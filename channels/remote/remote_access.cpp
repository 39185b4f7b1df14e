#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>
#include <wyvern/core/spin.hpp>

namespace wyvern {
namespace {

/// Without a welcome; a node of which nothing is heard is lost before.
constexpr std::chrono::seconds introduction_limit{60};
/// How long what was said last may wait for a thread that looks after the endpoint.
constexpr std::chrono::milliseconds between_looks{2};

}  // namespace

RemoteAccess::RemoteAccess(const std::shared_ptr<Member>& member, std::unique_ptr<Endpoint> endpoint,
                           const JobKey& key, AddressOf address_of, const PeerWatchOptions& watch)
    : member_(*member),
      shared_member_(member),
      endpoint_(std::move(endpoint)),
      key_(key),
      address_of_(std::move(address_of)),
      watch_(*endpoint_, watch),
      callers_wait_(*endpoint_),
      own_wait_(*endpoint_),

      thread_([this] { look_after(); }) {}

RemoteAccess::~RemoteAccess() {
  leave();
  {
    const Lock lock(mutex_);
    is_ending_ = true;
    own_turn_.notify_one();
  }
  own_interrupt_.ring();
  thread_.join();
  member_.network_access().kept_back.store(nullptr, std::memory_order_relaxed);  // nobody waits any more
  for (const auto& read : abandoned_) read->region.reset();
}

std::shared_ptr<RemoteNode> RemoteAccess::node(Lock& lock, std::uint32_t number, const WaitLimit& limit) {
  const auto known = nodes_.find(number);
  std::shared_ptr<RemoteNode> node = known != nodes_.end() ? known->second : introduce_to(number);
  if (!wait(
          lock, [&] { return node->is_welcome() || node->lost(); },
          limit.until(Deadline::after(introduction_limit)))) {
    detail::throw_if_fiber_ended();
    if (limit.passed()) return nullptr;
    throw ErrorOf<ErrorCode::unreachable>(
        "node " + std::to_string(number) + " has not answered for " +
        std::to_string(introduction_limit.count()) +
        " s: is its agent running, with the key of this job, and may it be reached through the network?");
  }
  if (node->lost()) throw_lost(*node);
  return node;
}

std::shared_ptr<RemoteNode> RemoteAccess::lost_node(std::uint32_t number) const {
  const auto known = nodes_.find(number);
  return known != nodes_.end() && known->second->lost() ? known->second : nullptr;
}

std::shared_ptr<RemoteNode> RemoteAccess::introduce_to(std::uint32_t number) {
  const std::vector<std::byte> home = address_of_(number);
  auto hello = wire::make_hello(key_, {.puid = member_.puid(), .address = endpoint_->address()}, home);
  const PeerNumber peer = endpoint_->add_peer(home);
  watch_.add(peer, Deadline::Clock::now());
  interrupt_poller();  // its next look at the watch is too late by now
  homes().fetch_or(node_bit(number), std::memory_order_relaxed);  // before that one can know of us
  auto node = std::make_shared<RemoteNode>(number, peer, std::move(hello), endpoint_->largest_message());
  nodes_by_peer_.emplace(peer, node);
  nodes_.emplace(number, node);
  send(*node);
  return node;
}

/// Of this process, as its agent finds them when it dies.
std::atomic<std::uint64_t>& RemoteAccess::homes() const {
  return member_.segment().process(member_.process_index()).homes;
}

void RemoteAccess::throw_lost(const RemoteNode& node) {
  throw NodeLost("node " + std::to_string(node.number()) + " is lost: " + *node.lost());
}

void RemoteAccess::send(RemoteNode& node) {
  note_call();
  if (node.lost()) return;
  const SendOutcome outcome = node.outbox().send(*endpoint_, node.peer());
  if (outcome == SendOutcome::failed) lose(node, "it cannot be reached");
  if (outcome == SendOutcome::retry) interrupt_poller();
}

void RemoteAccess::send_before_wait(RemoteNode& node) {
  detail::active_fibers == nullptr ? send(node) : send_soon(node);
}

void RemoteAccess::send_soon(RemoteNode& node) {
  if (node.outbox().unsent() > 1) return send(node);
  // Relaxed: for this thread's own next wait.
  member_.network_access().kept_back.store(this, std::memory_order_relaxed);
  note_call();
}

/// What was kept back.
void RemoteAccess::send() noexcept {
  try {
    const Lock lock(mutex_);
    if (!send_all()) interrupt_poller();
  } catch (const std::exception&) {
    // Out of memory: the next poll tries again.
  }
}

/// False: the endpoint does not take some of it yet.
bool RemoteAccess::send_all() {
  member_.network_access().kept_back.store(nullptr, std::memory_order_relaxed);
  bool is_all_said = true;
  for (auto& [number, node] : nodes_) {
    if (node->lost() || node->outbox().empty()) continue;
    const SendOutcome outcome = node->outbox().send(*endpoint_, node->peer());
    if (outcome == SendOutcome::failed) lose(*node, "it cannot be reached");
    is_all_said &= outcome != SendOutcome::retry;
  }
  return is_all_said;
}

void RemoteAccess::poll_aside() {
  if (!is_polled()) poll_once();
}

void RemoteAccess::look_again() {
  wake_waiters();
  interrupt_poller();
}

/// The thread that looks after the endpoint does not have to, but is not to sleep until something comes.
void RemoteAccess::note_call() {
  ++calls_;
  if (std::exchange(own_sleeps_, false)) own_interrupt_.ring();
}

/// There is something for it to do that it did not know of when it went to sleep.
void RemoteAccess::interrupt_poller() {
  if (is_polled()) callers_interrupt_.ring();
}

/// True: something has come, or is still to be said. Beats are nothing of that, but are answered at once.
bool RemoteAccess::poll_once() {
  const EndpointCounters& counters = endpoint_->counters();
  const std::uint64_t moved_before = counters.received + counters.bytes_read;
  std::size_t events = endpoint_->poll(*this);
  const bool has_moved = counters.received + counters.bytes_read != moved_before;
  const auto now = Deadline::Clock::now();
  std::size_t lost = 0;
  if (now >= watch_.next_check() || (events != 0 && !has_moved)) lost = check_peers(now);
  const bool is_all_said = send_all();
  forget_lost();
  if (events + lost != 0) wake_waiters();
  if (own_waits_ && may_let_go()) own_turn_.notify_one();
  return has_moved || lost != 0 || !is_all_said;
}

/// How many are lost.
std::size_t RemoteAccess::check_peers(Deadline::Clock::time_point now) {
  const auto all_lost = watch_.check(now);
  for (const LostPeer& lost : all_lost) {
    RemoteNode& node = *nodes_by_peer_.at(lost.peer);
    lose(node, describe(lost, "node " + std::to_string(node.number())));
  }
  return all_lost.size();
}

/// Their reads end with the next polls. Not from within a poll.
void RemoteAccess::forget_lost() {
  std::erase_if(nodes_by_peer_, [this](const auto& entry) {
    if (!entry.second->lost()) return false;
    watch_.remove(entry.first);
    endpoint_->remove_peer(entry.first);
    return true;
  });
}

void RemoteAccess::wake_waiters() {
  for (Waiters* waiters : {&threads_, &fibers_}) {
    for (Waiter& waiter : *waiters) {
      if (waiter.over()) waiter.suspension.wake();
    }
  }
}

void RemoteAccess::lose(RemoteNode& node, const std::string& why) {
  if (node.lost()) return;
  node.lose(why);
  wake_waiters();
}

void RemoteAccess::lose_all(const std::string& why) {
  for (const auto& [number, node] : nodes_) lose(*node, why);
}

void RemoteAccess::message(PeerNumber from, std::span<const std::byte> bytes) {
  RemoteNode& node = *nodes_by_peer_.at(from);
  if (node.lost()) return;
  try {
    node.message(bytes, key_);
  } catch (const std::exception& error) {
    node.lose(error.what());
  }
}

void RemoteAccess::send_failed(PeerNumber to, int fabric_errno) {
  watch_.send_failed(to, fabric_errno);
  const auto found = nodes_by_peer_.find(to);
  if (found == nodes_by_peer_.end() || found->second->lost()) return;
  found->second->lose("a message to it did not arrive (error " + std::to_string(fabric_errno) + ")");
}

void RemoteAccess::read_ended(RemoteRead& read, ReadResult result, int /*fabric_errno*/) {
  static_cast<LargeGet&>(read).result = result;
  if (read.is_running()) return;
  std::erase_if(abandoned_, [&](const auto& abandoned) { return abandoned.get() == &read; });
}

void RemoteAccess::abandon(std::unique_ptr<LargeGet> read) { abandoned_.push_back(std::move(read)); }

/// The thread's. What goes wrong here has no caller to be told: whoever waits for a node is told that it is
/// lost.
void RemoteAccess::look_after() {
  Lock lock(mutex_);
  std::uint64_t calls_seen = 0;
  while (!is_ending_) {
    try {
      look_once(lock, calls_seen);
    } catch (const std::exception& error) {
      own_sleeps_ = false;
      own_waits_ = false;
      lose_all(error.what());
      own_turn_.wait_for(lock, between_looks);
    }
  }
}

void RemoteAccess::look_once(Lock& lock, std::uint64_t& calls_seen) {
  let_go(lock);
  if (is_ending_) return;
  if (calls_ != calls_seen && sleeping_with_fibers_ == 0) {
    calls_seen = calls_;
    own_turn_.wait_for(lock, between_looks);
  } else if (is_polled()) {
    own_waits_ = true;
    own_turn_.wait(lock);
    own_waits_ = false;
  } else if (poll_once()) {
    // A home that takes nothing keeps this at it, which is no reason to keep others from theirs.
    lock.unlock();
    yield_core();
    lock.lock();
  } else {
    own_sleeps_ = true;
    sleep(lock, own_wait_, own_interrupt_, Deadline::never());
    own_sleeps_ = false;
  }
}

}  // namespace wyvern
