#include "crash_crowd.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>

#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>

#include "support/stamped.hpp"

namespace wyvern::test {

using namespace std::chrono_literals;

/// One process of a crowd, which does everything in another way each round.
class Crowd::Member {
 public:
  Member(const Channel& channel, History::Writer log, std::size_t large_bytes, bool leases)
      : channel_(channel), log_(log), large_bytes_(large_bytes), leases_(leases) {}

  /// Now and then only one of the two, so that it leaves something, or room, to others.
  void round(std::uint64_t number) {
    if (number % 4 != 1) put(number % 3, number % 5 == 0);
    if (number % 4 != 3) take(number % (leases_ ? 5 : 3));
  }

 private:
  static constexpr auto patience = 200us;

  std::vector<std::byte> next_message(bool large) {
    return make_stamped(log_.begin_put(), large ? large_bytes_ : sizeof(MessageId));
  }

  void put(std::uint64_t way, bool large) {
    try {
      if (way == 0) {
        const std::array messages{next_message(false), next_message(large)};
        log_.puts_ended(channel_.try_put_many(messages));
        return;
      }
      const auto message = next_message(large);
      (way == 1 ? put_loan(message) : channel_.try_put_for(patience, message)) ? log_.put_ended()
                                                                               : log_.put_refused();
    } catch (const QueueClosed&) {
      log_.put_refused();
      throw;
    }
  }

  bool put_loan(const std::vector<std::byte>& message) {
    auto loan = channel_.try_loan(message.size());
    if (!loan) return false;
    std::memcpy(loan->bytes().data(), message.data(), message.size());
    return channel_.try_put_for(patience, std::move(*loan));
  }

  void take(std::uint64_t way) {
    switch (way) {
      case 0:
        for (const auto& message : channel_.try_get_many(batch)) got(message);
        break;
      case 1:
        if (const auto message = channel_.try_take_for(patience)) got(message->bytes());
        break;
      case 2:
        if (const auto message = channel_.try_get_for(patience)) got(*message);
        break;
      default:
        if (auto lease = channel_.try_lease_for(patience); lease && way == 3) {
          const MessageId id = read_stamped(lease->bytes());
          lease->done();
          log_.got(id);
        }
        break;
    }
  }

  void got(std::span<const std::byte> message) {
    log_.got(read_stamped(message));
    channel_.task_done();
  }

  const Channel& channel_;
  History::Writer log_;
  std::size_t large_bytes_;
  bool leases_;
};

Crowd::Crowd(LocalNode& node, CrashCase& crash, std::size_t members, bool leases)
    : node_(node), crash_(crash) {
  if (leases) crash.expect_leases();
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  shared_ = new (memory) Shared{};
  for (std::size_t i = 0; i < members; ++i) {
    members_.push_back(crash.start([this, i, leases](const Channel& channel, History::Writer log) {
      Member member(channel, log, crash_.large_bytes(), leases);
      bool closed = false;
      while (!shared_->ended && !log.full()) {
        const std::uint64_t number = shared_->rounds[i].fetch_add(1);
        try {
          if (!closed) member.round(number + i);
        } catch (const QueueClosed&) {
          closed = true;
        }
        if (number % 4 == 0) std::this_thread::sleep_for(20us);  // the log shall last
      }
      return 0;
    }));
  }
}

std::uint64_t Crowd::rounds() const {
  std::uint64_t sum = 0;
  for (const auto& rounds : shared_->rounds) sum += rounds;
  return sum;
}

CrashCase::Victim Crowd::start_victim(Operation operation, const Visit& visit, int signal) {
  constexpr std::uint64_t most_rounds = 400;
  auto victim = crash_.start([this, operation, visit, signal](const Channel& channel, History::Writer log) {
    arm_crash_point(visit.first.c_str(), visit.second, signal);
    while (!shared_->victim_ended && !log.full()) {
      perform(operation, channel, log, crash_.large_bytes());
      std::this_thread::yield();
    }
    return 0;
  });
  const std::uint64_t begun = rounds();
  while (!victim.child.poll() && !victim.child.stopped()) {
    if (rounds() >= begun + most_rounds) shared_->victim_ended = true;
    node_.sweep();
    std::this_thread::sleep_for(100us);
  }
  shared_->victim_ended = true;
  return victim;
}

Crowd::~Crowd() {
  members_.clear();  // kills whom nobody has ended
  ::munmap(shared_, sizeof *shared_);
}

void Crowd::expect_progress() {
  constexpr std::uint64_t some_rounds = 15;
  constexpr std::uint64_t some_messages = 10;
  std::vector<std::uint64_t> aims;
  for (std::size_t i = 0; i < members_.size(); ++i) aims.push_back(shared_->rounds[i] + some_rounds);
  const std::uint64_t got = crash_.total_got() + some_messages;
  const auto has_gone_on = [&] {
    bool one_has_ended = false;  // it says how in `end`
    for (std::size_t i = 0; i < members_.size(); ++i) {
      one_has_ended |= members_[i].child.poll().has_value();
      if (shared_->rounds[i] < aims[i] && !members_[i].child.poll()) return false;
    }
    return one_has_ended || crash_.closing() || crash_.total_got() >= got;
  };
  while (!has_gone_on()) {
    node_.sweep();
    std::this_thread::sleep_for(100us);
  }
}

std::optional<std::uint64_t> Crowd::end() {
  shared_->ended = true;
  std::uint64_t taken = 0;
  bool well = true;
  for (CrashCase::Victim& member : members_) {
    well &= member.child.wait() == 0;
    node_.bury(*member.member);
    taken += crash_.got_by(*member.member);
  }
  return well ? std::optional(taken) : std::nullopt;
}

}  // namespace wyvern::test
