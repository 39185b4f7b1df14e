#include "crash_case.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <map>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>

namespace wyvern::test {
namespace {

constexpr std::size_t small_bytes = sizeof(MessageId);
constexpr std::size_t most_workers = 8;
constexpr std::size_t most_gets = 100'000;
constexpr std::string_view type = "stamped";
constexpr std::uint64_t hash = hash_text(type);

/// Where a child notes the points that it passes; the names are constants, at the same address in every fork.
struct Notes {
  std::atomic<std::uint32_t> count;
  std::array<std::atomic<const char*>, 256> names;
};

Notes& notes() {
  static auto* const shared = static_cast<Notes*>(
      ::mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *shared;
}

void note(const char* name) { notes().names.at(notes().count.fetch_add(1)) = name; }

/// A thread remembers so many extents that it has freed.
constexpr int remembered_extents = 4;

/// The calling thread frees an extent, which it will try first from then on.
void remember_extent(const Member& member, std::size_t bytes) {
  const std::uint64_t nobody = block_identity(max_objects - 1, 0);
  std::atomic<std::uint32_t> name = 0;
  claim_extent(member, bytes, name, nobody);
  free_extent(member.segment(), name - 1, nobody);
}

/// All extents that the calling thread remembers are of no use here.
void forget_extents(std::size_t bytes) {
  LocalNode elsewhere;
  const auto member = elsewhere.join();
  for (int i = 0; i < remembered_extents; ++i) remember_extent(*member, bytes);
}

}  // namespace

std::string to_string(RingState state) {
  constexpr std::array names{
      "empty", "one", "half", "full", "wrapped", "given_back", "closed", "closed_empty", "closed_given_back",
      "lent"};
  return names.at(static_cast<std::size_t>(state));
}

bool is_closed(RingState state) {
  return state == RingState::closed || state == RingState::closed_empty ||
         state == RingState::closed_given_back || state == RingState::lent;
}

CrashCase::CrashCase(LocalNode& node, const CrashSetup& setup)
    : node_(node),
      setup_(setup),
      member_(node.join()),
      history_(most_workers, most_gets),
      log_(history_.add(member_->puid())),
      channel_(Channel::create(member_, {.capacity = setup.capacity, .inline_size = 64}, hash, type)) {
  node_.provide_extents(setup.large_bytes, 4);
  prepare(setup.state);
}

CrashCase::~CrashCase() {
  lent_.reset();
  channel_ = Channel();
  node_.bury(*member_);
}

void CrashCase::prepare(RingState state) {
  prepared_ = 0;
  switch (state) {
    case RingState::empty:
    case RingState::closed_empty: break;
    case RingState::one: prepared_ = 1; break;
    case RingState::half:
    case RingState::closed: prepared_ = (setup_.capacity + 1) / 2; break;
    case RingState::full: prepared_ = setup_.capacity; break;
    case RingState::wrapped:
      work(1);
      put(false);
      drain();
      prepared_ = std::max<std::uint64_t>(1, setup_.capacity - 1);
      break;
    case RingState::given_back:
    case RingState::closed_given_back:
    case RingState::lent:
      leases_ = true;
      put(setup_.large_messages);
      lent_.emplace(channel_.lease());
      if (state != RingState::lent) {
        lent_.reset();
        prepared_ = (setup_.capacity + 1) / 2;
      }
      break;
  }
  refill();
  if (is_closed(state)) channel_.close();
}

void CrashCase::refill() {
  if (channel_.local().closing()) return;
  for (std::uint64_t i = 0; i < prepared_ && !channel_.full_approx(); ++i) put(setup_.large_messages);
}

std::size_t CrashCase::bytes_of(bool large) const { return large ? setup_.large_bytes : small_bytes; }

void CrashCase::put(bool large) {
  channel_.put(make_stamped(log_.begin_put(), bytes_of(large)));
  log_.put_ended();
}

void CrashCase::note_got(std::span<const std::byte> message) {
  log_.got(read_stamped(message));
  ++got_;
}

void CrashCase::report() {
  for (; reported_ < got_; ++reported_) channel_.task_done();
}

Channel CrashCase::open_as(const std::shared_ptr<Member>& member) const {
  return Channel::open(member, channel_.reference(), hash, type);
}

void CrashCase::prelude(Operation operation, Before before, const Channel& channel,
                        History::Writer log) const {
  switch (before) {
    case Before::nothing: forget_extents(setup_.large_bytes); break;
    case Before::round_trips:
      for (int i = 0; i <= remembered_extents; ++i) {
        channel.put(make_stamped({}, bytes_of(i < remembered_extents)));
        channel.get();
      }
      break;
    case Before::opposite:
      perform(is_put(operation) ? Operation::get : Operation::put_small, channel, log, setup_.large_bytes);
      break;
  }
}

/// Forked children have the memory of the thread that forks them, also of the extents that it has freed.
int CrashCase::perform_on_fresh_thread(Operation operation, const std::shared_ptr<Member>& member,
                                       History::Writer log, const std::function<void()>& begin) const {
  const auto work = [&] {
    if (operation == Operation::put_large_again) remember_extent(*member, setup_.large_bytes);
    begin();
    perform(operation, open_as(member), log, setup_.large_bytes);
    return 0;
  };
  return std::async(std::launch::async, work).get();
}

CrashCase::Victim CrashCase::start(Operation operation, const Visit& visit, int signal) {
  const auto member = node_.join();
  const History::Writer log = history_.add(member->puid());
  if (operation == Operation::close) closed_ = true;
  leases_ |= is_lease(operation);
  return {member, log, Child([&] {
            return perform_on_fresh_thread(
                operation, member, log, [&] { arm_crash_point(visit.first.c_str(), visit.second, signal); });
          })};
}

CrashCase::Victim CrashCase::start(const std::function<int(const Channel&, History::Writer)>& work) {
  const auto member = node_.join();
  const History::Writer log = history_.add(member->puid());
  return {member, log, Child([&] { return work(open_as(member), log); })};
}

CrashCase::Victim CrashCase::start_sleeper(Operation operation) {
  Victim sleeper = start(operation, {"", 1}, 0);
  wait_for([&] { return rightly_asleep(operation) && sleeper.child.sleeps(); });
  return sleeper;
}

CrashCase::SteppedVictim CrashCase::start_stepped(Operation operation, Before before) {
  const auto member = node_.join();
  const History::Writer log = history_.add(member->puid());
  leases_ |= is_lease(operation);
  return {member, log, SteppedChild([&](SteppedPart& part) {
            const Channel channel = open_as(member);
            prelude(operation, before, channel, log);
            perform(operation, channel, log, setup_.large_bytes, &part);
            return 0;
          })};
}

std::vector<Visit> CrashCase::discover(Operation operation) {
  notes().count = 0;
  const auto member = node_.join();
  Victim victim{member, history_.add(member->puid()), Child([&] {
                  return perform_on_fresh_thread(operation, member, history_.add(member->puid()),
                                                 [] { observe_crash_points(note); });
                })};
  help_when_asleep(operation, victim);
  victim.child.wait();
  bury(*victim.member, true);
  std::vector<Visit> visits;
  std::map<std::string, std::uint32_t> passages;
  for (std::uint32_t i = 0; i < notes().count; ++i) {
    const std::string name = notes().names.at(i).load();
    visits.emplace_back(name, ++passages[name]);
  }
  return visits;
}

bool CrashCase::asleep(Operation operation) const {
  const auto kind = [&] {
    switch (operation) {
      case Operation::put_waiting: return InterestKind::room;
      case Operation::get_waiting: return InterestKind::message;
      case Operation::lease_waiting: return InterestKind::lease;
      case Operation::select_waiting: return InterestKind::several;
      case Operation::join_waiting: return InterestKind::tasks_done;
      default: return InterestKind::none;
    }
  };
  const std::uint32_t whom = operation == Operation::select_waiting ? 0 : channel_.reference().index;
  return waits(operation) && sleepers(node_.segment(), kind(), whom) != 0;
}

bool CrashCase::rightly_asleep(Operation operation) const {
  const RingView& view = channel_.local().view();
  const auto ready = [&] {
    if (operation == Operation::put_waiting) return ring::has_room_or_end(view);
    if (operation == Operation::join_waiting) return all_tasks_done(view);
    if (may_be_given_back(view)) return true;
    return ring::has_message_or_end(view) &&
           (operation == Operation::get_waiting || operation == Operation::select_waiting ||
            !ring::has_ended(view) || !any_lease_outstanding(view));
  };
  return !ready() && asleep(operation);
}

bool CrashCase::help_when_asleep(Operation operation, Victim& victim) {
  if (!waits(operation)) return false;
  // One that does not sleep yet would see the help without a wake.
  wait_for([&] {
    return victim.child.poll() || victim.child.stopped() || (asleep(operation) && victim.child.sleeps());
  });
  if (!asleep(operation)) return false;
  help(operation);
  return true;
}

void CrashCase::help(Operation operation) {
  lent_.reset();
  try {
    if (operation == Operation::join_waiting) {
      drain();
      report();
    } else if (operation == Operation::put_waiting) {
      if (const auto message = channel_.full_approx() ? channel_.try_get() : std::nullopt) note_got(*message);
    } else if (waits(operation) && channel_.empty_approx()) {
      put(false);
    }
  } catch (const QueueClosed&) {
    log_.put_refused();
  }
}

bool CrashCase::work(std::uint64_t laps) {
  drain();
  if (closed_ || channel_.local().closing()) return true;
  for (std::uint64_t lap = 0; lap < laps; ++lap) {
    for (std::uint64_t i = 0; i <= setup_.capacity; ++i) {
      const bool accepted = channel_.try_put(make_stamped(log_.begin_put(), bytes_of(lap % 8 == 7)));
      accepted ? log_.put_ended() : log_.put_refused();
      if (accepted != (i < setup_.capacity)) return false;
    }
    if (drain().size() != setup_.capacity) return false;
  }
  return true;
}

void CrashCase::provide_for(std::uint32_t workers) {
  constexpr std::uint32_t each = 4;  // at a time
  node_.provide_ports(channel_, workers * each);
  node_.provide_extents(setup_.large_bytes, workers * each + static_cast<std::uint32_t>(setup_.capacity));
}

void CrashCase::hand_on_port_of(const Member& victim) const {
  const RingView& view = channel_.local().view();
  for (std::uint32_t i = 0; i < view.header().port_count.load(); ++i) {
    const PortOwner owner(view.port(i).owner.load());
    if (owner.is_owned_by(victim.process_index())) view.header().port_hint = i;
  }
}

std::string CrashCase::bury(const Member& victim, bool killed) {
  if (killed) mark_killed(victim);
  node_.bury(victim);
  return audit_all();
}

std::string CrashCase::audit_all() const {
  const std::string problem = audit(node_.segment(), channel_.reference());
  return problem.empty() ? audit_node(node_.segment()) : problem;
}

std::string CrashCase::account(std::uint64_t reported, std::uint64_t most_reported) {
  lent_.reset();
  drain();
  const RingView& view = channel_.local().view();
  report();
  if (!all_tasks_done(view)) return "what was put is neither done nor lost";
  const std::uint64_t lost = lost_count(view);
  const std::uint64_t taken = ring::put_count(view) - got_;  // by victims
  const std::uint64_t found = taken - lost;
  if (found < reported || found > std::max(reported, most_reported)) {
    return "victims took " + std::to_string(taken) + " and " + std::to_string(lost) +
           " count as lost; they reported " + std::to_string(reported);
  }
  return {};
}

bool CrashCase::all_done() const { return all_tasks_done(channel_.local().view()); }

std::uint64_t CrashCase::got_by(const Member& victim) const {
  std::uint64_t count = 0;
  for (const WorkerHistory& worker : history_.workers()) {
    if (worker.worker == victim.puid()) count += worker.got.size();
  }
  return count;
}

std::span<const std::byte> CrashCase::memory() const {
  const DirectoryEntry& entry = node_.segment().object(channel_.reference().index);
  return {node_.segment().at(entry.offset), entry.bytes};
}

std::vector<MessageId> CrashCase::contents() const {
  std::vector<MessageId> ids;
  for (const auto& payload : payloads_in(node_.segment(), channel_.reference()))
    ids.push_back(read_stamped(payload));
  return ids;
}

std::vector<std::uint32_t> CrashCase::deliveries() const {
  const RingView& view = channel_.local().view();
  std::vector<std::uint32_t> counts;
  for (std::uint32_t i = 0; i < view.header().port_count.load(); ++i) {
    const PortOwner owner(view.port(i).owner.load());
    if (owner.state() == PortState::given_back) counts.push_back(owner.deliveries());
  }
  return counts;
}

std::vector<MessageId> CrashCase::drain() {
  std::vector<MessageId> ids;
  try {
    while (const auto message = channel_.try_get()) {
      ids.push_back(read_stamped(*message));
      note_got(*message);
    }
  } catch (const QueueClosed&) {
    closed_ = true;
  }
  return ids;
}

}  // namespace wyvern::test
