#include <sys/epoll.h>

#include <algorithm>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/launcher_link.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::agent {

LauncherLink::LauncherLink(EventLoop& loop, int socket, Hooks hooks)
    : loop_(loop), socket_(socket), hooks_(std::move(hooks)) {
  watch();
}

void LauncherLink::send_ready(std::span<const std::byte> address) {
  auto message = control::make_message<control::NodeReady>(0);
  if (address.size() > sizeof message.address) {
    throw InvalidArgument("the address of a node has " + std::to_string(address.size()) + " bytes, at most " +
                          std::to_string(sizeof message.address) + " are possible");
  }
  message.address_bytes = static_cast<std::uint32_t>(address.size());
  std::ranges::copy(address, message.address);
  send(message);
}

void LauncherLink::send_awaited(bool any) {
  auto message = control::make_message<control::Awaited>(0);
  message.any = any ? 1 : 0;
  send(message);
}

void LauncherLink::send_job_ends(bool kill) {
  auto message = control::make_message<control::JobEnds>(0);
  message.kill = kill ? 1 : 0;
  send(message);
}

void LauncherLink::send_head_returned() { send(control::make_message<control::HeadReturned>(0)); }

void LauncherLink::send_job_over(std::int32_t status) {
  auto message = control::make_message<control::JobOver>(0);
  message.status = status;
  send(message);
}

template <class Message>
void LauncherLink::send(const Message& message) {
  if (!watch_) return;  // the launcher has gone
  const auto bytes = std::as_bytes(std::span(&message, 1));
  if (unsent_.empty() && control::send_packet(socket_, bytes) != control::Transfer::would_block) return;
  unsent_.emplace_back(bytes.begin(), bytes.end());
  if (unsent_.size() == 1) watch();
}

/// For what can be done now.
void LauncherLink::watch() {
  watch_.reset();
  const std::uint32_t events = EPOLLIN | (unsent_.empty() ? 0U : std::uint32_t{EPOLLOUT});
  watch_ = loop_.watch(socket_, events, [this](std::uint32_t come) {
    if ((come & EPOLLOUT) != 0) flush();
    if ((come & ~std::uint32_t{EPOLLOUT}) != 0) receive();
  });
}

void LauncherLink::flush() {
  while (!unsent_.empty()) {
    if (control::send_packet(socket_, unsent_.front()) == control::Transfer::would_block) return;
    unsent_.pop_front();
  }
  watch();
}

void LauncherLink::receive() {
  using control::MessageKind;
  control::Packet packet;
  const control::Transfer result = control::receive_packet(socket_, packet);
  if (result == control::Transfer::would_block) return;
  if (result == control::Transfer::closed) {
    watch_.reset();
    hooks_.lost();
    return;
  }
  switch (control::header_of(packet).kind) {
    case MessageKind::node_address: add_address(control::read_message<control::NodeAddress>(packet)); break;
    case MessageKind::nodes_ready: {
      const auto message = control::read_message<control::NodesReady>(packet);
      if (message.count != addresses_.size()) throw control::Malformed("it counts nodes without an address");
      hooks_.nodes_ready(std::move(addresses_));
      break;
    }
    case MessageKind::head_returned:
      control::read_message<control::HeadReturned>(packet);
      hooks_.head_returned();
      break;
    case MessageKind::end_node:
      hooks_.end_node(control::read_message<control::EndNode>(packet).kill != 0);
      break;
    case MessageKind::others_ended:
      control::read_message<control::OthersEnded>(packet);
      hooks_.others_ended();
      break;
    default: hooks_.signal_job(control::read_message<control::SignalJob>(packet));
  }
}

void LauncherLink::add_address(const control::NodeAddress& message) {
  if (message.node != addresses_.size() + 1 || message.address_bytes > sizeof message.address) {
    throw control::Malformed("it names a node out of order, or an address that cannot be");
  }
  addresses_.emplace_back(message.address, message.address + message.address_bytes);
}

}  // namespace wyvern::agent
