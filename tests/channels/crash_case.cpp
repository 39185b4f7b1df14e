#include "crash_case.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <future>
#include <map>

#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>

namespace wyvern::test {
namespace {

constexpr std::size_t small_bytes = sizeof(MessageId);
constexpr std::size_t most_workers = 8;
constexpr std::size_t most_gets = 10'000;
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

/// What a victim does while one of these lives is what is stepped through, if it is.
class Stepping {
 public:
  explicit Stepping(SteppedPart* part) : part_(part) {
    if (part_ != nullptr) part_->begin();
  }
  ~Stepping() {
    if (part_ != nullptr) part_->end();
  }
  Stepping(const Stepping&) = delete;
  Stepping& operator=(const Stepping&) = delete;

 private:
  SteppedPart* part_;
};

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

std::string to_string(Operation operation) {
  constexpr std::array names{"put_small", "put_large",   "put_large_again", "get",
                             "close",     "put_waiting", "get_waiting"};
  return names.at(static_cast<std::size_t>(operation));
}

std::string to_string(RingState state) {
  constexpr std::array names{"empty", "one", "half", "full", "wrapped", "closed", "closed_empty"};
  return names.at(static_cast<std::size_t>(state));
}

bool is_possible(Operation operation, const std::vector<MessageId>& before, const std::vector<MessageId>& now,
                 Puid victim) {
  if (now == before) return true;
  std::vector<MessageId> after = before;
  if (is_put(operation)) {
    after.push_back({victim, 0});
  } else if (operation == Operation::get && !after.empty()) {
    after.erase(after.begin());
  }
  return now == after;
}

bool took_effect(Operation operation, std::size_t before, const std::vector<MessageId>& now, Puid victim) {
  if (is_put(operation)) return std::find(now.begin(), now.end(), MessageId{victim, 0}) != now.end();
  return now.size() < before;
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
  }
  refill();
  if (state == RingState::closed || state == RingState::closed_empty) channel_.close();
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

Channel CrashCase::open_as(const std::shared_ptr<Member>& member) const {
  return Channel::open(member, channel_.reference(), hash, type);
}

void CrashCase::prelude(Operation operation, Before before, Channel channel, History::Writer log) const {
  switch (before) {
    case Before::nothing: forget_extents(setup_.large_bytes); break;
    case Before::round_trips:
      for (int i = 0; i <= remembered_extents; ++i) {
        channel.put(make_stamped({}, bytes_of(i < remembered_extents)));
        channel.get();
      }
      break;
    case Before::opposite:
      perform(is_put(operation) ? Operation::get : Operation::put_small, channel, log);
      break;
  }
}

int CrashCase::perform(Operation operation, Channel channel, History::Writer log, SteppedPart* part) const {
  try {
    switch (operation) {
      case Operation::put_small:
      case Operation::put_large:
      case Operation::put_large_again:
      case Operation::put_waiting: {
        const bool large = operation == Operation::put_large || operation == Operation::put_large_again;
        const auto message = make_stamped(log.begin_put(), bytes_of(large));
        const Deadline deadline = operation == Operation::put_waiting ? Deadline::never() : Deadline::now();
        const bool accepted = [&] {
          const Stepping stepping(part);
          return channel.local().put(message, {}, deadline);
        }();
        accepted ? log.put_ended() : log.put_refused();
        break;
      }
      case Operation::get: {
        log.begin_get();
        const auto message = [&] {
          const Stepping stepping(part);
          return channel.try_get();
        }();
        if (message) log.got(read_stamped(*message));
        break;
      }
      case Operation::get_waiting:
        log.begin_get();
        log.got(read_stamped(channel.get()));
        break;
      case Operation::close: channel.close(); break;
    }
  } catch (const QueueClosed&) {
    if (is_put(operation)) log.put_refused();
  }
  return 0;
}

/// Forked children have the memory of the thread that forks them, also of the extents that it has freed.
int CrashCase::perform_on_fresh_thread(Operation operation, const std::shared_ptr<Member>& member,
                                       History::Writer log, const std::function<void()>& begin) const {
  return std::async(std::launch::async,
                    [&] {
                      if (operation == Operation::put_large_again)
                        remember_extent(*member, setup_.large_bytes);
                      begin();
                      return perform(operation, open_as(member), log);
                    })
      .get();
}

CrashCase::Victim CrashCase::start(Operation operation, const Visit& visit, int signal) {
  const auto member = node_.join();
  const History::Writer log = history_.add(member->puid());
  if (operation == Operation::close) closed_ = true;
  return {member, log, Child([&] {
            return perform_on_fresh_thread(
                operation, member, log, [&] { arm_crash_point(visit.first.c_str(), visit.second, signal); });
          })};
}

CrashCase::SteppedVictim CrashCase::start_stepped(Operation operation, Before before) {
  const auto member = node_.join();
  const History::Writer log = history_.add(member->puid());
  return {member, log, SteppedChild([&](SteppedPart& part) {
            const Channel channel = open_as(member);
            prelude(operation, before, channel, log);
            return perform(operation, channel, log, &part);
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
  const InterestKind kind = operation == Operation::put_waiting ? InterestKind::room : InterestKind::message;
  return waits(operation) && sleepers(node_.segment(), kind, channel_.reference().index) != 0;
}

bool CrashCase::rightly_asleep(Operation operation) const {
  const RingView& view = channel_.local().view();
  const bool ready =
      operation == Operation::put_waiting ? ring::has_room_or_end(view) : ring::has_message_or_end(view);
  return !ready && asleep(operation);
}

bool CrashCase::help_when_asleep(Operation operation, Victim& victim) {
  if (!waits(operation)) return false;
  wait_for([&] { return victim.child.poll() || victim.child.stopped() || asleep(operation); });
  if (!asleep(operation)) return false;
  help(operation);
  return true;
}

void CrashCase::help(Operation operation) {
  try {
    if (operation == Operation::get_waiting && channel_.size_approx() == 0) put(false);
    if (operation == Operation::put_waiting && channel_.full_approx()) {
      if (const auto message = channel_.try_get()) log_.got(read_stamped(*message));
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

void CrashCase::hand_on_port_of(const Member& victim) const {
  const RingView& view = channel_.local().view();
  for (std::uint32_t i = 0; i < view.header().port_count.load(); ++i) {
    const PortOwner owner(view.port(i).owner.load());
    if (owner.is_owned_by(victim.process_index())) view.header().port_hint = i;
  }
}

std::string CrashCase::bury(const Member& victim, bool killed) {
  if (killed) history_.mark_killed(victim.puid());
  node_.bury(victim);
  return audit_all();
}

std::string CrashCase::audit_all() const {
  const std::string problem = audit(node_.segment(), channel_.reference());
  return problem.empty() ? audit_node(node_.segment()) : problem;
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

std::vector<MessageId> CrashCase::drain() {
  std::vector<MessageId> ids;
  try {
    while (const auto message = channel_.try_get()) {
      ids.push_back(read_stamped(*message));
      log_.got(ids.back());
    }
  } catch (const QueueClosed&) {
    closed_ = true;
  }
  return ids;
}

}  // namespace wyvern::test
