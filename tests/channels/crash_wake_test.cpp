#include <csignal>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>

#include "crash_case.hpp"

// A victim dies or stops at every point of an operation that wakes a sleeper: the sleeper must not sleep on.
namespace wyvern::test {
namespace {

struct Wake {
  Operation waker;
  Operation sleeper;
};

class CrashWake : public ::testing::TestWithParam<Wake> {
 protected:
  CrashSetup setup() const {
    const auto state = [] {
      switch (GetParam().sleeper) {
        case Operation::put_waiting: return RingState::full;
        case Operation::join_waiting: return RingState::one;
        default: return RingState::empty;
      }
    };
    return {.capacity = 2, .state = state()};
  }

  /// Ends the sleeper's wait if it still has to wait; one that is asleep although it has not to hangs here.
  void finish(CrashCase& crash, CrashCase::Victim& sleeper) const {
    wait_for([&] { return sleeper.child.poll() || crash.rightly_asleep(GetParam().sleeper); });
    if (!sleeper.child.poll()) crash.help(GetParam().sleeper);
    EXPECT_EQ(sleeper.child.wait(), 0);
  }

  LocalNode node_;
};

TEST_P(CrashWake, sleeper_wakes_whatever_becomes_of_its_waker) {
  std::vector<Visit> visits;
  {
    CrashCase crash(node_, setup());
    auto sleeper = crash.start_sleeper(GetParam().sleeper);
    visits = crash.discover(GetParam().waker);
    finish(crash, sleeper);
    crash.bury(*sleeper.member, false);
  }
  std::set<std::string> points;
  for (const Visit& visit : visits) {
    // A sleeper that was claimed and looks once more may be claimed again, or have left by then.
    if (visit.first == "notify.claimed" && visit.second > 1) continue;
    points.insert(visit.first);
    for (const int signal : {SIGKILL, SIGSTOP}) {
      SCOPED_TRACE((signal == SIGKILL ? "killed at " : "stopped at ") + visit.first);
      CrashCase crash(node_, setup());
      auto sleeper = crash.start_sleeper(GetParam().sleeper);
      auto waker = crash.start(GetParam().waker, visit, signal);
      wait_for([&] { return waker.child.poll() || waker.child.stopped(); });

      if (signal == SIGKILL) {
        crash.bury(*waker.member, true);
      } else {
        node_.sweep();
      }
      // What a stopped process has got and not reported is rightly waited for.
      if (GetParam().sleeper != Operation::join_waiting || signal == SIGKILL || crash.all_done())
        finish(crash, sleeper);

      waker.child.send(SIGCONT);
      const int status = waker.child.wait();
      EXPECT_TRUE(status == (signal == SIGKILL ? -SIGKILL : 0) || (status == 0 && is_batch(GetParam().waker)))
          << status;  // what the sleeper has done may make a batch shorter
      finish(crash, sleeper);
      if (signal == SIGSTOP) crash.bury(*waker.member, false);
      EXPECT_EQ(crash.bury(*sleeper.member, false), "");
      crash.drain();
      EXPECT_TRUE(crash.work(4));
      EXPECT_EQ(crash.problems(), "");
      EXPECT_EQ(crash.audit_all(), "");
    }
  }
  EXPECT_TRUE(points.contains("notify.claimed"));
}

INSTANTIATE_TEST_SUITE_P(operations, CrashWake,
                         ::testing::Values(Wake{Operation::put_small, Operation::get_waiting},
                                           Wake{Operation::put_large, Operation::get_waiting},
                                           Wake{Operation::put_many, Operation::get_waiting},
                                           Wake{Operation::put_loan, Operation::get_waiting},
                                           Wake{Operation::put_small, Operation::lease_waiting},
                                           Wake{Operation::put_small, Operation::select_waiting},
                                           Wake{Operation::put_many, Operation::select_waiting},
                                           Wake{Operation::close, Operation::select_waiting},
                                           Wake{Operation::get, Operation::put_waiting},
                                           Wake{Operation::get_many, Operation::put_waiting},
                                           Wake{Operation::take, Operation::put_waiting},
                                           Wake{Operation::lease_done, Operation::put_waiting},
                                           Wake{Operation::lease_dropped, Operation::put_waiting},
                                           Wake{Operation::close, Operation::get_waiting},
                                           Wake{Operation::close, Operation::put_waiting},
                                           Wake{Operation::close, Operation::lease_waiting},
                                           Wake{Operation::get_and_report, Operation::join_waiting},
                                           Wake{Operation::lease_done, Operation::join_waiting}),
                         [](const auto& instance) {
                           return to_string(instance.param.waker) + "_wakes_" +
                                  to_string(instance.param.sleeper);
                         });

/// How a lease ends for which others wait.
struct LeaseEnd {
  const char* name;
  bool done;
  bool closed;  ///< the channel
  Operation sleeper;
};

class CrashLeaseEnd : public ::testing::TestWithParam<LeaseEnd> {
 protected:
  /// Takes a lease and stops; then ends it, and gets `signal` at that visit on the way.
  static CrashCase::Victim start_holder(CrashCase& crash, const Visit& visit, int signal) {
    auto holder = crash.start([&](const Channel& channel, History::Writer log) {
      log.may_hold(GetParam().done ? 1 : 0);
      std::optional<ChannelLease> lease(channel.lease());
      const MessageId id = read_stamped(lease->bytes());
      ::raise(SIGSTOP);
      arm_crash_point(visit.first.c_str(), visit.second, signal);
      if (GetParam().done) lease->done();
      lease.reset();
      if (GetParam().done) log.got(id);
      return 0;
    });
    wait_for([&] { return holder.child.stopped(); });
    return holder;
  }

  static std::vector<Visit> visits() {
    if (GetParam().done) return {{"lease.done_counted", 1}, {"lease.ended", 1}, {"notify.claimed", 1}};
    return {{"give_back.given", 1}, {"give_back.hinted", 1}, {"notify.claimed", 1}};
  }

  LocalNode node_;
};

TEST_P(CrashLeaseEnd, sleeper_wakes_whatever_becomes_of_who_held_the_lease) {
  for (const Visit& visit : visits()) {
    for (const int signal : {SIGKILL, SIGSTOP}) {
      SCOPED_TRACE((signal == SIGKILL ? "killed at " : "stopped at ") + visit.first);
      CrashCase crash(node_, {.capacity = 2, .state = RingState::one});
      crash.expect_leases();
      auto holder = start_holder(crash, visit, signal);
      if (GetParam().closed) crash.close();
      auto sleeper = crash.start_sleeper(GetParam().sleeper);

      holder.child.send(SIGCONT);
      wait_for([&] { return holder.child.poll() || holder.child.stopped(); });
      EXPECT_EQ(holder.child.stopped(), signal == SIGSTOP) << "the point was not reached";
      if (signal == SIGKILL) {
        crash.bury(*holder.member, true);
      } else {
        node_.sweep();
      }
      EXPECT_EQ(sleeper.child.wait(), 0);  // one that sleeps on hangs here
      EXPECT_EQ(crash.got_by(*sleeper.member), GetParam().done ? 0 : 1);

      holder.child.send(SIGCONT);
      EXPECT_EQ(holder.child.wait(), signal == SIGKILL ? -SIGKILL : 0);
      if (signal == SIGSTOP) crash.bury(*holder.member, false);
      EXPECT_EQ(crash.bury(*sleeper.member, false), "");
      EXPECT_EQ(crash.account(GetParam().done || reports(GetParam().sleeper) ? 1 : 0), "");
      EXPECT_EQ(crash.problems(), "");
      EXPECT_EQ(crash.audit_all(), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    operations, CrashLeaseEnd,
    ::testing::Values(LeaseEnd{"dropped_wakes_get", false, false, Operation::get_waiting},
                      LeaseEnd{"dropped_wakes_select", false, false, Operation::select_waiting},
                      LeaseEnd{"dropped_wakes_lease", false, false, Operation::lease_waiting},
                      LeaseEnd{"dropped_wakes_lease_at_the_end", false, true, Operation::lease_waiting},
                      LeaseEnd{"done_wakes_lease_at_the_end", true, true, Operation::lease_waiting},
                      LeaseEnd{"done_wakes_join", true, false, Operation::join_waiting}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(LateWake, claim_of_a_parker_that_has_left_the_set_wakes_the_next_one) {
  LocalNode node;
  const auto member = node.join();
  static WaiterSet set{};
  static std::uint32_t leaver = 0;
  Parker first(member);
  Parker second(member);
  leaver = first.index();
  for (Parker* parker : {&first, &second}) {
    set.add(parker->index());
    parker->prepare(make_interest(InterestKind::message, 0));
  }
  set.next = leaver;

  observe_crash_points([](const char*) { set.remove(leaver); });  // just after the first one was claimed
  set.wake_one(node.segment());
  observe_crash_points(nullptr);

  EXPECT_TRUE(first.finish());
  EXPECT_TRUE(second.finish()) << "the first one will not pass the wake on";
}

TEST(LateWake, waiter_that_fails_after_it_was_woken_passes_the_wake_on) {
  LocalNode node;
  const auto member = node.join();
  auto queue = make_queue<int>(member);
  const auto wait_for_sleepers = [&](std::uint32_t count) {
    wait_for([&] {
      return sleepers(node.segment(), InterestKind::message, queue.channel().reference().index) == count;
    });
  };
  std::vector<HeldMessage> read;  // each one pins a port: all but ours to put with, and one more
  while (read.size() + 2 < first_ports) {
    queue.put(0);
    read.push_back(std::move(*queue.channel().local().take(IntentKind::get, WaitLimit::now())));
  }
  queue.put(0);
  queue.get();
  const auto with_port = node.join();
  Child taking([&] {
    auto mine = open_as(with_port, queue);
    mine.put(1);
    mine.get();  // the last free port stays with the process
    return mine.get();
  });
  wait_for_sleepers(1);
  const auto without_port = node.join();
  Child failing([&]() -> int {
    try {
      return open_as(without_port, queue).get();
    } catch (const NodeLost&) {
      return 1;  // no port is free, and a forked child has nobody to ask for more
    }
  });
  wait_for_sleepers(2);
  std::uint32_t next = 0;
  while (node.segment().parker(next).owner != without_port->process_index() + 1) ++next;
  queue.channel().local().view().header().getters.next = next;

  queue.put(2);

  EXPECT_EQ(failing.wait(), 1);
  EXPECT_EQ(taking.wait(), 2);
}

}  // namespace
}  // namespace wyvern::test
