#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "bench/common/stamped.hpp"
#include "bench/transport/transport_order.hpp"

namespace wyvern::bench {

/// Sends and receives stamped messages of one size through a link, one at a time, and waits in one way.
template <class Link>
class LinkCourier {
 public:
  LinkCourier(Link& link, const TransportOrder& order)
      : link_(link), bytes_(order.work.shape.bytes), waiter_(order.wait, order.work.ns_per_tick) {}

  void expect() {}  // buffers are posted
  void send(std::uint64_t stamp) {
    while (!link_.has_room()) poll();
    write_stamp(link_.outgoing(bytes_), stamp);
    while (!link_.try_send(bytes_)) poll();
  }
  std::uint64_t receive() {
    waiter_.wait(
        link_, [this](std::span<const std::byte> message) { take(message); }, [this] { return has_come_; });
    has_come_ = false;
    return stamp_;
  }
  void poll() {
    link_.poll([this](std::span<const std::byte> message) { take(message); });
  }

 private:
  void take(std::span<const std::byte> message) {
    if (has_come_ || message.size() != bytes_)
      throw std::runtime_error("a message came that nobody had sent");
    stamp_ = read_stamp(message);
    has_come_ = true;
  }

  Link& link_;
  std::size_t bytes_;
  Waiter waiter_;
  std::uint64_t stamp_ = 0;
  bool has_come_ = false;
};

}  // namespace wyvern::bench
