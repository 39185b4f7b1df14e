#include "bench/common/stream.hpp"

#include <cstring>
#include <stdexcept>

#include "bench/transport/benchmarks.hpp"
#include "bench/transport/links.hpp"

namespace wyvern::bench {
namespace {

/// So many messages are under way at most, because transports buffer without bound: the other side gives word
/// after half of them.
constexpr std::uint64_t window = 64;

/// One end of a stream. The side that receives sends nothing but how many messages it has got in all.
template <class Link>
class StreamCourier {
 public:
  StreamCourier(Link& link, const TransportOrder& order)
      : link_(link),
        bytes_(order.work.shape.bytes),
        waiter_(order.wait, order.work.ns_per_tick),
        produces_(plays_first(order)) {}

  void put(std::uint64_t stamp) {
    if (put_ - got_ == window) wait([this] { return put_ - got_ < window; });
    while (!link_.has_room()) poll();
    write_stamp(link_.outgoing(bytes_), stamp);
    while (!link_.try_send(bytes_)) poll();
    ++put_;
  }
  /// Until the other side has got all.
  void wait_for_word() {
    wait([this] { return put_ == got_; });
  }
  /// Gets a stream to its end. Without a check there must be nothing in it.
  void get_until_end(StreamCheck* check) {
    check_ = check;
    for (is_over_ = false; !is_over_;) {
      wait([this] { return is_over_ || got_ - told_ >= window / 2; });
      give_word();
    }
  }
  void poll() {
    link_.poll([this](std::span<const std::byte> message) { take(message); });
  }

  // A stream of nothing, as a message to and fro:
  void expect() {}
  void send(std::uint64_t) {
    if (produces_) put(end_of_stream);
  }
  std::uint64_t receive() {
    produces_ ? wait_for_word() : get_until_end(nullptr);
    return last_message;
  }

 private:
  void give_word() {
    told_ = got_;
    while (!link_.has_room()) poll();
    std::memcpy(link_.outgoing(sizeof told_).data(), &told_, sizeof told_);
    while (!link_.try_send(sizeof told_)) poll();
  }
  void take(std::span<const std::byte> message) {
    if (message.size() != (produces_ ? sizeof got_ : bytes_))
      throw std::runtime_error("a message came that nobody had sent");
    if (produces_) {
      std::memcpy(&got_, message.data(), message.size());
      return;
    }
    const std::uint64_t stamp = read_stamp(message);
    ++got_;
    if (stamp == end_of_stream) {
      is_over_ = true;
    } else if (check_ == nullptr) {
      throw std::runtime_error("a message came before its stream");
    } else {
      check_->add(stamp);
    }
  }
  template <class Condition>
  void wait(Condition&& condition) {
    waiter_.wait(
        link_, [this](std::span<const std::byte> message) { take(message); }, condition);
  }

  Link& link_;
  std::size_t bytes_;
  Waiter waiter_;
  bool produces_;
  std::uint64_t put_ = 0;
  std::uint64_t got_ = 0;  // by the side that receives; what the other knows of it
  std::uint64_t told_ = 0;
  StreamCheck* check_ = nullptr;
  bool is_over_ = false;
};

template <class Link>
void produce(StreamCourier<Link>& courier, const Round& round) {
  constexpr std::uint64_t between_clock_reads = 16;
  const auto send = [&](std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) courier.put(make_stamp(0, first + i));
  };
  produce_for(round, between_clock_reads, send, [&] { courier.put(end_of_stream); });
  courier.wait_for_word();
}

template <class Link>
void consume(StreamCourier<Link>& courier, const Round& round) {
  consume_until_end(round, [&](StreamCheck& check) {
    courier.get_until_end(&check);
    return false;
  });
}

int play(TransportOrder order) {
  return play_link(
      order, order.work.shape.bytes, [&](auto& link) { return StreamCourier(link, order); },
      [&](auto& courier, const Round& round) {
        plays_first(order) ? produce(courier, round) : consume(courier, round);
      });
}

}  // namespace

LinkBenchmark stream_benchmark() {
  return {.play = play, .result = [](const std::string& system, const Team& team) {
            return stream_row("stream", system, team);
          }};
}

}  // namespace wyvern::bench
