#include "bench/queue/systems/libfabric_shm.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>

#include <wyvern/transport/fabric_library.hpp>

#include "bench/common/worker.hpp"

namespace wyvern::bench {
namespace {

constexpr const char* provider = "shm";

FabricLibrary::Info find_provider(const FabricLibrary& library) {
  const auto hints = library.make_info();
  hints->ep_attr->type = FI_EP_RDM;
  hints->caps = FI_MSG;
  hints->mode = FI_CONTEXT | FI_CONTEXT2;
  hints->domain_attr->mr_mode = FI_MR_VIRT_ADDR | FI_MR_ALLOCATED | FI_MR_PROV_KEY | FI_MR_ENDPOINT;
  hints->domain_attr->resource_mgmt = FI_RM_ENABLED;
  hints->domain_attr->threading = FI_THREAD_DOMAIN;
  hints->fabric_attr->prov_name = ::strdup(provider);  // freed with the hints
  auto found = library.find(*hints, nullptr, nullptr);
  if (found == nullptr) {
    throw std::runtime_error("libfabric-shm: this libfabric offers no provider '" + std::string(provider) +
                             "' for messages");
  }
  return found;
}

}  // namespace

class LibfabricEndpoint::Connection {
 public:
  Connection(const QueueOrder& order, const Scratch& scratch) : info_(find_provider(library_)) {
    fid_fabric* fabric = library_.open(*info_->fabric_attr);
    fabric_.reset(fabric);
    fid_domain* domain = nullptr;
    library_.check(::fi_domain(fabric, info_.get(), &domain, nullptr), "fi_domain");
    domain_.reset(domain);
    open_endpoint();
    meet_partner(order, scratch);
  }

  void expect(std::span<std::byte> message) {
    retry("fi_recv", [&] {
      return ::fi_recv(endpoint_.get(), message.data(), message.size(), nullptr, FI_ADDR_UNSPEC,
                       &receive_context_);
    });
    received_ = false;
  }

  void send(std::span<const std::byte> message) {
    while (!sent_) poll();
    sent_ = false;
    retry("fi_send", [&] {
      return ::fi_send(endpoint_.get(), message.data(), message.size(), nullptr, partner_, &send_context_);
    });
  }

  void receive() {
    while (!received_) poll();
  }

 private:
  void open_endpoint() {
    fi_cq_attr completions{};
    completions.format = FI_CQ_FORMAT_CONTEXT;
    completions.wait_obj = FI_WAIT_NONE;
    fid_cq* queue = nullptr;
    library_.check(::fi_cq_open(domain_.get(), &completions, &queue, nullptr), "fi_cq_open");
    completions_.reset(queue);
    fi_av_attr addresses{};
    addresses.type = FI_AV_TABLE;
    fid_av* table = nullptr;
    library_.check(::fi_av_open(domain_.get(), &addresses, &table, nullptr), "fi_av_open");
    addresses_.reset(table);
    fid_ep* endpoint = nullptr;
    library_.check(::fi_endpoint(domain_.get(), info_.get(), &endpoint, nullptr), "fi_endpoint");
    endpoint_.reset(endpoint);
    library_.check(::fi_ep_bind(endpoint, &table->fid, 0), "fi_ep_bind");
    library_.check(::fi_ep_bind(endpoint, &queue->fid, FI_TRANSMIT | FI_RECV), "fi_ep_bind");
    library_.check(::fi_enable(endpoint), "fi_enable");
  }

  /// Says where this process is reached and waits for what the other, of two, says.
  void meet_partner(const QueueOrder& order, const Scratch& scratch) {
    WorkerSlot& own = scratch->slots.at(order.work.worker);
    std::size_t length = own.address.size();
    library_.check(::fi_getname(&endpoint_->fid, own.address.data(), &length), "fi_getname");
    own.address_length.store(static_cast<std::uint32_t>(length), std::memory_order_release);
    WorkerSlot& other = scratch->slots.at(1 - order.work.worker);
    wait_for_partner(scratch, [&] { return other.address_length.load(std::memory_order_acquire) != 0; });
    const int inserted = ::fi_av_insert(addresses_.get(), other.address.data(), 1, &partner_, 0, nullptr);
    if (inserted != 1) throw std::runtime_error("libfabric-shm: fi_av_insert refused the other's address");
  }

  void poll() {
    fi_cq_entry completion{};
    const ssize_t result = ::fi_cq_read(completions_.get(), &completion, 1);
    if (result == 1) {
      (completion.op_context == &receive_context_ ? received_ : sent_) = true;
    } else if (result != -FI_EAGAIN) {
      fi_cq_err_entry error{};
      ::fi_cq_readerr(completions_.get(), &error, 0);
      library_.check(error.err != 0 ? -error.err : result, "fi_cq_read");
    }
  }

  template <class Call>
  void retry(const char* what, Call&& call) {
    ssize_t result = call();
    while (result == -FI_EAGAIN) {
      poll();
      result = call();
    }
    library_.check(result, what);
  }

  const FabricLibrary& library_ = FabricLibrary::get();
  FabricLibrary::Info info_;
  FabricObject<fid_fabric> fabric_;  // closed from the last to the first
  FabricObject<fid_domain> domain_;
  FabricObject<fid_cq> completions_;
  FabricObject<fid_av> addresses_;
  FabricObject<fid_ep> endpoint_;
  fi_addr_t partner_ = FI_ADDR_UNSPEC;
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
