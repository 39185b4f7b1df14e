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
constexpr std::size_t large_bytes = 5'000;
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

/// The calling thread frees an extent, which it will try first from then on.
void remember_extent(const Member& member) {
  const std::uint64_t nobody = block_identity(max_objects - 1, 0);
  std::atomic<std::uint32_t> name = 0;
  claim_extent(member, large_bytes, name, nobody);
  free_extent(member.segment(), name - 1, nobody);
}

std::size_t bytes_of(bool large) { return large ? large_bytes : small_bytes; }

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

CrashCase::CrashCase(LocalNode& node, const CrashSetup& setup)
    : node_(node),
      setup_(setup),
      member_(node.join()),
      history_(most_workers, most_gets),
      log_(history_.add(member_->puid())),
      channel_(Channel::create(member_, {.capacity = setup.capacity, .inline_size = 64}, hash, type)) {
  node_.provide_extents(large_bytes, 4);
  std::uint64_t messages = 0;
  switch (setup.state) {
    case RingState::empty:
    case RingState::closed_empty: break;
    case RingState::one: messages = 1; break;
    case RingState::half:
    case RingState::closed: messages = (setup.capacity + 1) / 2; break;
    case RingState::full: messages = setup.capacity; break;
    case RingState::wrapped:
      work(1);
      put(false);
      drain();
      messages = std::max<std::uint64_t>(1, setup.capacity - 1);
      break;
  }
  for (std::uint64_t i = 0; i < messages; ++i) put(setup.large_messages);
  if (setup.state == RingState::closed || setup.state == RingState::closed_empty) channel_.close();
}

void CrashCase::put(bool large) {
  channel_.put(make_stamped(log_.begin_put(), bytes_of(large)));
  log_.put_ended();
}

int CrashCase::perform(Operation operation, const std::shared_ptr<Member>& member,
                       History::Writer log) const {
  Channel channel = Channel::open(member, channel_.reference(), hash, type);
  try {
    switch (operation) {
      case Operation::put_small:
      case Operation::put_large:
      case Operation::put_large_again:
      case Operation::put_waiting: {
        const bool large = operation == Operation::put_large || operation == Operation::put_large_again;
        const auto message = make_stamped(log.begin_put(), bytes_of(large));
        const Deadline deadline = operation == Operation::put_waiting ? Deadline::never() : Deadline::now();
        channel.local().put(message, {}, deadline) ? log.put_ended() : log.put_refused();
        break;
      }
      case Operation::get:
        if (const auto message = channel.try_get()) log.got(read_stamped(*message));
        break;
      case Operation::get_waiting: log.got(read_stamped(channel.get())); break;
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
                      if (operation == Operation::put_large_again) remember_extent(*member);
                      begin();
                      return perform(operation, member, log);
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

std::vector<Visit> CrashCase::discover(Operation operation) {
  notes().count = 0;
  const auto member = node_.join();
  Victim victim{member, history_.add(member->puid()), Child([&] {
                  return perform_on_fresh_thread(operation, member, history_.add(member->puid()),
                                                 [] { observe_crash_points(note); });
                })};
  help_when_asleep(operation, victim);
  victim.child.wait();
  bury(victim, true);
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

std::string CrashCase::bury(const Victim& victim, bool killed) {
  if (killed) history_.mark_killed(victim.member->puid());
  node_.bury(*victim.member);
  return audit_all();
}

std::string CrashCase::audit_all() const {
  const std::string problem = audit(node_.segment(), channel_.reference());
  return problem.empty() ? audit_node(node_.segment()) : problem;
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
