// Very many fibers of one thread that are blocked in get.
//   fiber_crowd [FIBERS=100000] [QUEUES=100]
//     the memory that they take; how long it takes from a put of another thread until the right one of them
//     has got the message, and, at the end, until the close of all queues has reached each

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/channels/queue.hpp>
#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/futex.hpp>

#include "support/local_node.hpp"

namespace {

using Number = std::uint64_t;

constexpr Number rounds = 2000;
constexpr std::uint64_t segment_bytes = std::uint64_t{4} << 30;

std::uint64_t resident_mib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "VmRSS:") {
  }
  std::uint64_t kib = 0;
  status >> kib;
  return kib / 1024;
}

std::ptrdiff_t mappings() {
  std::ifstream maps("/proc/self/maps");
  return std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n');
}

struct Crowd {
  std::vector<wyvern::Queue<Number>> queues;
  std::vector<std::size_t> got_by;  // which fiber got a message; of the thread with the fibers
  std::atomic<Number> got = 0;
  std::size_t ended = 0;

  void get_until_closed(std::size_t fiber) {
    try {
      while (true) {
        queues[fiber % queues.size()].get();
        got_by.push_back(fiber);
        got.fetch_add(1, std::memory_order_release);
      }
    } catch (const wyvern::QueueClosed&) {
      ++ended;
    }
  }
};

/// The queue of each round: all over the place, and the same each time.
std::size_t queue_of(Number round, std::size_t queues) {
  return static_cast<std::size_t>(round * 0x9E37'79B9'7F4A'7C15 >> 20) % queues;
}

/// One message after the other; nanoseconds from each put until it was got.
std::vector<std::uint64_t> put_one_by_one(Crowd& crowd) {
  std::vector<std::uint64_t> times;
  for (Number round = 0; round < rounds; ++round) {
    const std::uint64_t start = wyvern::monotonic_ns();
    crowd.queues[queue_of(round, crowd.queues.size())].put(round);
    while (crowd.got.load(std::memory_order_acquire) <= round) std::this_thread::yield();
    times.push_back(wyvern::monotonic_ns() - start);
  }
  std::sort(times.begin(), times.end());
  return times;
}

void put_all_at_once(Crowd& crowd) {
  const Number before = crowd.got;
  const std::uint64_t start = wyvern::monotonic_ns();
  for (auto& queue : crowd.queues) queue.put(0);
  while (crowd.got.load(std::memory_order_acquire) - before < crowd.queues.size()) std::this_thread::yield();
  std::cout << "a message for each queue: " << (wyvern::monotonic_ns() - start) / crowd.queues.size()
            << " ns a message" << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t fiber_count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
  const std::size_t queue_count = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 100;
  wyvern::test::LocalNode node(segment_bytes);
  const auto member = node.join();
  Crowd crowd;
  for (std::size_t i = 0; i < queue_count; ++i)
    crowd.queues.emplace_back(member, wyvern::QueueOptions{.capacity = 8});
  const std::uint64_t resident_before = resident_mib();
  std::vector<wyvern::Fiber<>> fibers;
  for (std::size_t i = 0; i < fiber_count; ++i)
    fibers.emplace_back([&crowd, i] { crowd.get_until_closed(i); });
  wyvern::this_fiber::yield();  // all of them are blocked
  std::cout << fiber_count << " fibers blocked in get of " << queue_count << " queues: " << resident_mib()
            << " MiB resident, " << resident_mib() - resident_before
            << " MiB of it since the queues were there; " << mappings() << " mappings" << std::endl;

  std::uint64_t close_start = 0;
  std::thread putter([&] {
    const auto times = put_one_by_one(crowd);
    std::cout << "from a put until it is got: median " << times[times.size() / 2] << " ns, 99 % "
              << times[times.size() * 99 / 100] << " ns" << std::endl;
    put_all_at_once(crowd);
    close_start = wyvern::monotonic_ns();
    for (auto& queue : crowd.queues) queue.close();
  });
  fibers.clear();
  const std::uint64_t close_ns = wyvern::monotonic_ns() - close_start;
  putter.join();
  std::cout << crowd.ended << " ended by the close, " << close_ns / fiber_count << " ns each" << std::endl;
  for (Number round = 0; round < rounds; ++round) {
    if (crowd.got_by[round] % queue_count == queue_of(round, queue_count)) continue;
    std::cerr << "message " << round << " was got by a fiber of another queue\n";
    return 1;
  }
  return crowd.ended == fiber_count ? 0 : 1;
}
