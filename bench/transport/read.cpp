#include <array>
#include <cstring>
#include <stdexcept>

#include "bench/common/ping_pong_row.hpp"
#include "bench/transport/benchmarks.hpp"
#include "bench/transport/links.hpp"

namespace wyvern::bench {
namespace {

/// Of a round trip: the bytes go one way.
constexpr std::uint32_t transfers = 1;

/// Stamps stand at both ends of the memory and between them so far from each other: a piece that was not read
/// is noticed, and they cost nothing beside the transfer.
constexpr std::size_t stamp_distance = std::size_t{64} << 10;

template <class Use>
void for_each_part(std::span<std::byte> memory, Use&& use) {
  while (memory.size() > 2 * stamp_distance) {
    use(memory.first(stamp_distance));
    memory = memory.subspan(stamp_distance);
  }
  use(memory);
}

struct Announcement {
  RemoteMemory memory;
  std::uint64_t stamp;
};

/// The one side's memory, which it announces, or the other's, to which it reads what was announced.
template <class Link>
class ReadCourier {
 public:
  ReadCourier(Link& link, const TransportOrder& order)
      : link_(link),
        waiter_(order.wait, order.work.ns_per_tick),
        owns_(plays_first(order)),
        memory_(std::make_unique<Buffer>(order.work.shape.bytes)) {
    if (owns_) {
      announcement_.memory = link_.expose(memory_->bytes());
    } else {
      link_.prepare_reads(memory_->bytes());
    }
  }

  void expect() {}
  /// Announces the memory, or says that it was read.
  void send(std::uint64_t stamp) {
    if (!owns_) return send_bytes(&stamp, sizeof stamp);
    for_each_part(memory_->bytes(), [=](std::span<std::byte> part) { write_stamp(part, stamp); });
    announcement_.stamp = stamp;
    send_bytes(&announcement_, sizeof announcement_);
  }
  /// Waits for the word of the other, or for its memory.
  std::uint64_t receive() {
    wait([this] { return has_come_; });
    has_come_ = false;
    if (!owns_) fetch();
    return announcement_.stamp;
  }
  void poll() {
    link_.poll([this](std::span<const std::byte> message) { take(message); });
  }

 private:
  template <class Condition>
  void wait(Condition&& condition) {
    waiter_.wait(
        link_, [this](std::span<const std::byte> message) { take(message); }, condition);
  }

  void send_bytes(const void* bytes, std::size_t size) {
    while (!link_.has_room()) poll();
    std::memcpy(link_.outgoing(size).data(), bytes, size);
    while (!link_.try_send(size)) poll();
  }

  void fetch() {
    link_.begin_read(announcement_.memory);
    wait([this] { return !link_.is_reading(); });
    for_each_part(memory_->bytes(), [this](std::span<std::byte> part) {
      if (read_stamp(part) != announcement_.stamp)
        throw std::runtime_error("what was read is not what was announced");
    });
  }

  void take(std::span<const std::byte> message) {
    const bool is_whole = message.size() == (owns_ ? sizeof announcement_.stamp : sizeof announcement_);
    if (has_come_ || !is_whole) throw std::runtime_error("a message came that nobody had sent");
    if (owns_) {
      std::memcpy(&announcement_.stamp, message.data(), message.size());
    } else {
      std::memcpy(&announcement_, message.data(), message.size());
    }
    has_come_ = true;
  }

  Link& link_;
  Waiter waiter_;
  bool owns_;
  std::unique_ptr<Buffer> memory_;
  Announcement announcement_{};
  bool has_come_ = false;
};

int play(TransportOrder order) {
  return play_link(
      order, sizeof(Announcement), [&](auto& link) { return ReadCourier(link, order); },
      [&](auto& courier, const Round& round) {
        plays_first(order) ? ping(courier, round, transfers) : pong(courier);
      });
}

}  // namespace

LinkBenchmark read_benchmark() {
  return {.play = play, .result = [](const std::string& system, const Team& team) {
            return ping_pong_row("read", system, team, transfers);
          }};
}

}  // namespace wyvern::bench
