#include "bench/queue/systems/libfabric.hpp"

#include <rdma/fi_endpoint.h>

#include "bench/common/bare_fabric.hpp"
#include "bench/common/worker.hpp"

namespace wyvern::bench {

class LibfabricEndpoint::Connection {
 public:
  Connection(const QueueOrder& order, const Scratch& scratch) : fabric_(order.provider) {
    fabric_.connect(meet_partner(scratch, order.work.worker, fabric_.objects().name));
  }

  void expect(std::span<std::byte> message) {
    begin("fi_recv", [&] {
      return ::fi_recv(fabric_.endpoint(), message.data(), message.size(), nullptr, FI_ADDR_UNSPEC,
                       &receive_context_);
    });
    received_ = false;
  }

  void send(std::span<const std::byte> message) {
    while (!sent_) poll();
    sent_ = false;
    begin("fi_send", [&] {
      return ::fi_send(fabric_.endpoint(), message.data(), message.size(), nullptr, fabric_.partner(),
                       &send_context_);
    });
  }

  void receive() {
    while (!received_) poll();
  }

 private:
  void poll() {
    fabric_.poll([this](const fi_cq_data_entry& completion) {
      (completion.op_context == &receive_context_ ? received_ : sent_) = true;
    });
  }

  template <class Call>
  void begin(const char* what, Call&& call) {
    while (!BareFabric::has_begun(call(), what)) poll();
  }

  BareFabric fabric_;
  fi_context2 receive_context_{};
  fi_context2 send_context_{};
  bool received_ = true;
  bool sent_ = true;
};

LibfabricEndpoint::LibfabricEndpoint(const QueueOrder& order, const Scratch& scratch)
    : connection_(std::make_unique<Connection>(order, scratch)) {}
LibfabricEndpoint::~LibfabricEndpoint() = default;

void LibfabricEndpoint::expect(std::span<std::byte> message) { connection_->expect(message); }
void LibfabricEndpoint::send(std::span<const std::byte> message) { connection_->send(message); }
void LibfabricEndpoint::receive(std::span<std::byte>) { connection_->receive(); }

}  // namespace wyvern::bench
