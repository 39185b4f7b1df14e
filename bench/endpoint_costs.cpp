// What an endpoint costs besides its messages.
//   endpoint_costs idle PROVIDER [SECONDS=10]      CPU time of one that waits, and how often it wakes up
//   endpoint_costs wakeup PROVIDER [MESSAGES=500] [GAP_MS=10]   from before a send to after the receiver,
//   which
//                                                  waits, has the message; gaps are random, that long at most
//                                                  and half as long at least
//   endpoint_costs beats PROVIDER [BEATS=20000]    CPU time of a beat, sending and receiving
//   endpoint_costs watch [PEERS=1000]              CPU time of a look at that many peers, beats not included

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/transport/event_wait.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/peer_watch.hpp>

namespace {

using Clock = wyvern::Deadline::Clock;

double cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

/// Keeps how long the messages took that carry the time of their sending.
struct Delays : wyvern::EndpointHandler {
  void message(wyvern::PeerNumber, std::span<const std::byte> bytes) override {
    std::int64_t sent = 0;
    std::memcpy(&sent, bytes.data(), sizeof sent);
    microseconds.push_back(static_cast<double>(now_ns() - sent) / 1e3);
  }
  void send_failed(wyvern::PeerNumber, int) override {}
  void read_ended(wyvern::RemoteRead&, wyvern::ReadResult, int) override {}
  std::vector<double> microseconds;
};

void idle(const std::string& provider, std::uint64_t seconds) {
  wyvern::FabricEndpoint endpoint({.provider = provider});
  wyvern::EventWait wait(endpoint);
  Delays none;
  const auto run = [&](wyvern::Deadline deadline) {
    std::uint64_t wakeups = 0;
    for (; !deadline.passed(); ++wakeups) {
      while (endpoint.poll(none) != 0) {
      }
      wait.wait({}, deadline);
    }
    return wakeups;
  };
  const auto report = [&](const char* what, std::chrono::milliseconds duration) {
    const double before = cpu_us();
    const std::uint64_t wakeups = run(wyvern::Deadline::after(duration));
    const double cpu = cpu_us() - before;
    const auto ms = static_cast<double>(duration.count());
    std::cout << provider << " " << what << ": " << cpu / ms / 10 << " % of a core, "
              << static_cast<double>(wakeups) / ms * 1e3 << " wake-ups/s" << std::endl;
  };
  report("in the first 0.9 s without traffic", std::chrono::milliseconds(900));
  run(wyvern::Deadline::after(std::chrono::milliseconds(200)));
  report("after that", std::chrono::seconds(seconds));
}

/// The child: sends to who has that address, after gaps, so many.
[[noreturn]] void send_now_and_then(const std::string& provider, const std::vector<std::byte>& address,
                                    int own_address, std::uint64_t messages, std::uint64_t gap_ms) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  wyvern::FabricEndpoint endpoint({.provider = provider});
  const wyvern::PeerNumber peer = endpoint.add_peer(address);
  if (::write(own_address, endpoint.address().data(), endpoint.address().size()) < 0) ::_exit(1);
  Delays none;
  std::minstd_rand random(7);
  std::uniform_int_distribution<std::uint64_t> gap_us(gap_ms * 500, gap_ms * 1000);
  for (std::uint64_t i = 0; i <= messages; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(gap_us(random)));
    std::int64_t sent = now_ns();
    while (endpoint.send(peer, std::as_bytes(std::span(&sent, 1))) == wyvern::SendOutcome::retry) {
      endpoint.poll(none);
      sent = now_ns();
    }
    endpoint.poll(none);
  }
  // The receiver ends it: on some providers what was sent moves only while the sender polls.
  while (true) endpoint.poll(none);
}

void wakeup(const std::string& provider, std::uint64_t messages, std::uint64_t gap_ms) {
  wyvern::FabricEndpoint endpoint({.provider = provider});
  int ends[2];
  if (::pipe(ends) != 0) std::exit(1);
  const pid_t child = ::fork();
  if (child == 0) send_now_and_then(provider, endpoint.address(), ends[1], messages, gap_ms);
  std::vector<std::byte> address(wyvern::max_peer_address_bytes);
  const ssize_t size = ::read(ends[0], address.data(), address.size());
  address.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  endpoint.add_peer(address);
  wyvern::EventWait wait(endpoint);
  Delays delays;
  while (delays.microseconds.size() <= messages) {
    if (endpoint.poll(delays) == 0) wait.wait({}, wyvern::Deadline::never());
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  endpoint.remove_peer(0);  // with what shm leaves of it
  auto& us = delays.microseconds;
  us.erase(us.begin());  // it made the connection
  std::sort(us.begin(), us.end());
  std::cout << provider << " woken by a message, gaps of " << gap_ms * 500 << " to " << gap_ms * 1000
            << " us: median " << us[us.size() / 2] << ", 90 % " << us[us.size() * 9 / 10] << ", 99 % "
            << us[us.size() * 99 / 100] << ", longest " << us.back() << " us" << std::endl;
}

void beats(const std::string& provider, std::uint64_t count) {
  wyvern::FabricEndpoint a({.provider = provider});
  wyvern::FabricEndpoint b({.provider = provider});
  const wyvern::PeerNumber to_b = a.add_peer(b.address());
  const wyvern::PeerNumber to_a = b.add_peer(a.address());
  Delays none;
  double start = 0;
  for (std::uint64_t i = 0; i <= count; ++i) {
    const std::uint64_t heard = b.heard_from(to_a);
    while (a.send_beat(to_b) == wyvern::SendOutcome::retry) {
      a.poll(none);
      b.poll(none);
    }
    while (b.heard_from(to_a) == heard) {
      b.poll(none);
      a.poll(none);
    }
    if (i == 0) start = cpu_us();  // it made the connection
  }
  std::cout << provider << " beat, sent and received: " << (cpu_us() - start) / static_cast<double>(count)
            << " us of CPU time" << std::endl;
}

/// Hears everybody, and takes every beat.
class Quiet : public wyvern::Endpoint {
 public:
  const std::vector<std::byte>& address() const override { return address_; }
  std::size_t largest_message() const override { return 0; }
  const wyvern::EndpointCounters& counters() const override { return counters_; }
  wyvern::PeerNumber add_peer(std::span<const std::byte>) override { return 0; }
  void remove_peer(wyvern::PeerNumber) override {}
  wyvern::SendOutcome send(wyvern::PeerNumber, std::span<const std::byte>) override { return {}; }
  wyvern::SendOutcome send_beat(wyvern::PeerNumber) override { return wyvern::SendOutcome::done; }
  std::uint64_t heard_from(wyvern::PeerNumber) const override { return heard; }
  std::unique_ptr<wyvern::RegisteredMemory> register_memory(std::span<std::byte>) override { return {}; }
  bool reads_into_registered_memory_only() const override { return false; }
  void read(wyvern::RemoteRead&) override {}
  std::size_t poll(wyvern::EndpointHandler&) override { return 0; }
  int descriptor() const override { return -1; }
  bool may_sleep() override { return false; }
  std::uint64_t heard = 0;

 private:
  std::vector<std::byte> address_;
  wyvern::EndpointCounters counters_;
};

void watch(std::uint64_t peers) {
  Quiet endpoint;
  wyvern::PeerWatch all(endpoint);
  wyvern::PeerWatch::Time now{std::chrono::seconds(1000)};
  for (std::uint64_t i = 0; i < peers; ++i) all.add(static_cast<wyvern::PeerNumber>(i), now);
  std::uint64_t looks = 0;
  const auto end = now + std::chrono::seconds(1000);
  const double before = cpu_us();
  for (; now < end; ++looks) {
    ++endpoint.heard;
    all.check(now);
    now = std::max(now, all.next_check());
  }
  std::cout << "watch of " << peers << " peers: " << (cpu_us() - before) / 1000
            << " us of CPU time a second in " << static_cast<double>(looks) / 1000 << " looks" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&](std::size_t place, std::uint64_t otherwise) {
    return words.size() > place ? std::max<std::uint64_t>(1, std::strtoull(words[place].c_str(), nullptr, 10))
                                : otherwise;
  };
  const std::string what = words.empty() ? "" : words[0];
  if (what == "watch") {
    watch(number(1, 1000));
  } else if (what == "idle" && words.size() > 1) {
    idle(words[1], number(2, 10));
  } else if (what == "wakeup" && words.size() > 1) {
    wakeup(words[1], number(2, 500), number(3, 10));
  } else if (what == "beats" && words.size() > 1) {
    beats(words[1], number(2, 20'000));
  } else {
    std::cerr << "usage: endpoint_costs idle|wakeup|beats PROVIDER [...] | watch [PEERS]" << std::endl;
    return 2;
  }
  return 0;
}
