#include "bench/queue/systems/libfabric.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>

#include <rdma/fi_endpoint.h>

#include "bench/common/bare_fabric.hpp"
#include "bench/common/stamped.hpp"
#include "bench/common/stream.hpp"
#include "bench/common/worker.hpp"

namespace wyvern::bench {

namespace {

/// Both ends of a message, which are all that is looked at: the rest nobody has to copy.
void copy_stamps(std::span<const std::byte> from, std::span<std::byte> to) {
  const std::size_t bytes = std::min(sizeof(std::uint64_t), from.size());
  std::copy_n(from.begin(), bytes, to.begin());
  std::copy_n(from.end() - static_cast<std::ptrdiff_t>(bytes), bytes,
              to.end() - static_cast<std::ptrdiff_t>(bytes));
}

}  // namespace

class LibfabricEndpoint::Connection {
 public:
  Connection(const QueueOrder& order, const Scratch& scratch)
      : fabric_(order.provider), is_stream_(order.work.shape.directions == 1) {
    fabric_.connect(meet_partner(scratch, order.work.worker, fabric_.objects().name));
    // As many as hide a round trip, in not too much memory.
    constexpr std::size_t most_bytes = std::size_t{16} << 20;
    const std::size_t bytes = order.work.shape.bytes;
    const std::size_t depth = is_stream_ ? std::clamp<std::size_t>(most_bytes / bytes, 4, 64) : 2;
    for (std::size_t i = 0; i < depth; ++i) slots_.emplace_back(is_stream_ ? bytes : 0);
  }
  ~Connection() { fabric_.close(); }  // before the memory that is posted
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void expect(std::span<std::byte> message) { begin_receive(slots_[0], message); }

  void send(std::span<const std::byte> message) {
    Slot& slot = is_stream_ ? slots_[next_++ % slots_.size()] : slots_[1];
    wait(slot);
    if (!is_stream_) return begin_send(slot, message);
    copy_stamps(message, slot.buffer.bytes());
    begin_send(slot, slot.buffer.bytes());
    if (read_stamp(message) != end_of_stream) return;
    for (Slot& sent : slots_) wait(sent);  // nobody polls after it
  }

  void receive(std::span<std::byte> message) {
    if (!is_stream_) return wait(slots_[0]);
    if (next_ == 0) {
      for (Slot& slot : slots_) begin_receive(slot, slot.buffer.bytes());
    }
    Slot& slot = slots_[next_++ % slots_.size()];
    wait(slot);
    copy_stamps(slot.buffer.bytes(), message);
    begin_receive(slot, slot.buffer.bytes());
  }

 private:
  /// A message on its way.
  struct Slot {
    explicit Slot(std::size_t bytes) : buffer(bytes) {}
    fi_context2 context{};  // first: a completion names it
    bool is_over = true;
    Buffer buffer;  // in a stream
  };

  void poll() {
    fabric_.poll([](const fi_cq_data_entry& completion) {
      static_cast<Slot*>(completion.op_context)->is_over = true;
    });
  }

  void wait(const Slot& slot) {
    while (!slot.is_over) poll();
  }

  void begin_receive(Slot& slot, std::span<std::byte> message) {
    begin(slot, "fi_recv", [&] {
      return ::fi_recv(fabric_.endpoint(), message.data(), message.size(), nullptr, FI_ADDR_UNSPEC,
                       &slot.context);
    });
  }

  void begin_send(Slot& slot, std::span<const std::byte> message) {
    begin(slot, "fi_send", [&] {
      return ::fi_send(fabric_.endpoint(), message.data(), message.size(), nullptr, fabric_.partner(),
                       &slot.context);
    });
  }

  template <class Call>
  void begin(Slot& slot, const char* what, Call&& call) {
    slot.is_over = false;
    while (!BareFabric::has_begun(call(), what)) poll();
  }

  BareFabric fabric_;
  bool is_stream_;
  std::deque<Slot> slots_;  // of a ping-pong: to receive, to send
  std::uint64_t next_ = 0;
};

LibfabricEndpoint::LibfabricEndpoint(const QueueOrder& order, const Scratch& scratch)
    : connection_(std::make_unique<Connection>(order, scratch)) {}
LibfabricEndpoint::~LibfabricEndpoint() = default;

void LibfabricEndpoint::expect(std::span<std::byte> message) { connection_->expect(message); }
void LibfabricEndpoint::send(std::span<const std::byte> message) { connection_->send(message); }
void LibfabricEndpoint::receive(std::span<std::byte> message) { connection_->receive(message); }

}  // namespace wyvern::bench
