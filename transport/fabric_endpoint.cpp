#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <string>
#include <utility>

#include <rdma/fi_errno.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/fabric_header.hpp>

// How an endpoint and its peers come and go. What happens for each message is in fabric_messages.cpp.
namespace wyvern {
namespace {

/// Of a remote read: over TCP, who sends two halves of 1 MiB sends faster than who sends it in one piece.
constexpr std::uint64_t largest_piece = std::uint64_t{512} << 10;
/// As many as a provider takes in at a time (shm: a ring of 1024). If fewer were read, what comes fast would
/// pile up outside our buffers: rxm takes memory for that without bound, and shm ends up in a state in which
/// it takes no buffers any more.
constexpr std::size_t completions_at_once = 1024;

constexpr std::size_t round_to_line(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// Of the largest provider: an endpoint is opened for messages of a size before its provider is known.
std::size_t largest_eager() {
  std::size_t largest = 0;
  for (const ProviderTraits& traits : provider_table())
    largest = std::max<std::size_t>(largest, traits.eager_bytes);
  return largest + sizeof(MessageHeader);
}

bool is_text(const fi_info& info) { return info.addr_format == FI_ADDR_STR; }
bool is_socket_address(const fi_info& info) {
  return info.addr_format == FI_SOCKADDR || info.addr_format == FI_SOCKADDR_IN ||
         info.addr_format == FI_SOCKADDR_IN6 || info.addr_format == FI_SOCKADDR_IB;
}
std::span<const std::byte> family_of(std::span<const std::byte> socket_address) {
  return socket_address.first(sizeof(sa_family_t));
}

/// Until the process ends. Peers find out then, or by silence.
void leave_open(FabricObjects objects) {
  static std::mutex mutex;
  static auto& left = *new std::list<FabricObjects>();  // nobody closes them at exit
  const std::lock_guard lock(mutex);
  left.push_back(std::move(objects));
}

}  // namespace

FabricEndpoint::FabricEndpoint(FabricObjects objects)
    : objects_(std::move(objects)),
      bell_(objects_.traits->sleep == ProviderSleep::bell ? std::make_optional<ShmBell>() : std::nullopt),
      completions_(completions_at_once),
      reads_(std::min<std::uint64_t>(largest_piece, objects_.info->ep_attr->max_msg_size)),
      address_{.provider = objects_.info->fabric_attr->prov_name,
               .protocol = objects_.info->ep_attr->protocol,
               .library_version = FabricLibrary::get().version(),
               .epoch = random_number(),
               .bell = bell_ ? static_cast<std::uint32_t>(bell_->memory_descriptor()) : 0,
               .name = objects_.name},
      address_bytes_(encode_peer_address(address_)),
      largest_payload_(objects_.traits->eager_bytes),
      // What the provider copies is not counted by anybody: only where the provider bounds it.
      inject_bytes_(objects_.traits->sends_are_bounded ? objects_.info->tx_attr->inject_size : 0) {}

FabricEndpoint::FabricEndpoint(const EndpointOptions& options)
    : FabricEndpoint(open_fabric_objects(options, largest_eager())) {
  if (!objects_.traits->sends_to_the_dead_return)
    watchdog_.emplace(mark_, std::string(objects_.traits->name), options.watchdog);
  provide_send_buffers(objects_.traits->most_sends);
  post_receives();
}

void FabricEndpoint::add_send_buffers(std::size_t count) {
  const std::size_t bytes = round_to_line(sizeof(MessageHeader) + largest_payload_);
  // One more, in the same piece.
  const MessageMemory& memory = memory_.emplace_back(objects_, (count + 1) * bytes);
  scratch_ = memory.bytes().first(bytes);
  for (std::size_t i = 1; i <= count; ++i) {
    SendBuffer& buffer = sends_.emplace_back();
    buffer.memory = memory.bytes().subspan(i * bytes, bytes);
    buffer.description = memory.description();
    spare_sends_.push_back(&buffer);
  }
  spare_sends_.reserve(sends_.size());
  free_sends_.reserve(sends_.size());
}

/// Makes so many spare ones free, and new ones if there are too few.
void FabricEndpoint::provide_send_buffers(std::size_t count) {
  if (spare_sends_.size() < count) add_send_buffers(count - spare_sends_.size());
  const auto provided = spare_sends_.end() - static_cast<std::ptrdiff_t>(count);
  free_sends_.insert(free_sends_.end(), provided, spare_sends_.end());
  spare_sends_.erase(provided, spare_sends_.end());
}

FabricEndpoint::~FabricEndpoint() {
  if (!traits().closes_in_a_read && reads_.any_under_way()) leave_open(std::move(objects_));
  // Nothing touches the buffers any more once the endpoint is closed, or never polled again; their regions go
  // before the domain.
  objects_.endpoint.reset();
  memory_.clear();
}

/// libfabric gets a pointer and reads as many bytes as it thinks fit.
void FabricEndpoint::check_name(const PeerAddress& other) const {
  const bool fits = is_text(*objects_.info)
                        ? !other.name.empty() && other.name.back() == std::byte{0}
                        : other.name.size() == address_.name.size() &&
                              (!is_socket_address(*objects_.info) ||
                               std::equal(family_of(other.name).begin(), family_of(other.name).end(),
                                          family_of(address_.name).begin()));
  if (!fits) {
    throw DecodeError("the address of an endpoint of provider " + other.provider + " has a name of " +
                      std::to_string(other.name.size()) + " bytes, ours has " +
                      std::to_string(address_.name.size()) +
                      ": both must listen on addresses of one kind (IPv4, or IPv6)");
  }
}

PeerNumber FabricEndpoint::add_peer(std::span<const std::byte> address) {
  const PeerAddress other = decode_peer_address(address);
  check_same_protocol(address_, other);
  check_name(other);
  if (peers_by_epoch_.find(other.epoch) != PeerIndex::nobody)
    throw InvalidArgument("add_peer: this endpoint is a peer already; each endpoint is added once");
  fi_addr_t fabric_address = FI_ADDR_UNSPEC;
  const int inserted =
      ::fi_av_insert(objects_.addresses.get(), other.name.data(), 1, &fabric_address, 0, nullptr);
  if (inserted != 1) {
    FabricLibrary::get().check(inserted, "fi_av_insert of an address of provider " + other.provider);
    throw FabricError("fi_av_insert did not take an address of provider " + other.provider, FI_EINVAL);
  }
  const auto number = static_cast<PeerNumber>(peers_.size());
  try {
    keep_peer(number, other, fabric_address);
  } catch (...) {
    peers_.resize(number);
    ::fi_av_remove(objects_.addresses.get(), &fabric_address, 1, 0);
    throw;
  }
  return number;
}

/// What we need of a peer that libfabric knows already. Of one that could not be kept, `peers_` may have an
/// entry.
void FabricEndpoint::keep_peer(PeerNumber number, const PeerAddress& other, fi_addr_t fabric_address) {
  reads_.peer_added(number);
  Peer& peer = peers_.emplace_back();
  peer.header = {
      .magic = message_magic, .receiver = static_cast<std::uint32_t>(other.epoch), .sender = address_.epoch};
  peer.fabric_address = fabric_address;
  peer.epoch = other.epoch;
  if (!objects_.traits->reaches_other_nodes) peer.shm.emplace(other.name);
  if (bell_) peer.rope.emplace(peer.shm->process(), static_cast<int>(other.bell));
  if (watchdog_ && is_text(*objects_.info)) {
    watchdog_->name_peer(number, reinterpret_cast<const char*>(other.name.data()));
  }
  peers_by_epoch_.add(other.epoch, number);
  peer.is_there = true;
}

void FabricEndpoint::remove_peer(PeerNumber number) {
  Peer& peer = peer_at(number);
  // What is under way to it may never come back; what does is spare. First, because there may be no memory.
  provide_send_buffers(peer.sends_under_way);
  reads_.peer_removed(number, FI_ECONNRESET);
  peers_by_epoch_.remove(peer.epoch);
  peer.is_there = false;
  if (peer.shm) {
    peer.shm->remove_leftover();
    peer.shm.reset();
    peer.rope.reset();
  }
  FabricLibrary::get().check(::fi_av_remove(objects_.addresses.get(), &peer.fabric_address, 1, 0),
                             "fi_av_remove");
}

void FabricEndpoint::refuse_size(std::size_t bytes) const {
  throw TooLarge("a message of " + std::to_string(bytes) + " bytes: an endpoint of provider " +
                 address_.provider + " sends at most " + std::to_string(largest_payload_));
}

void FabricEndpoint::refuse(PeerNumber peer) {
  throw InvalidArgument("peer " + std::to_string(peer) +
                        " is no peer of this endpoint: it was removed, or never added");
}

std::uint64_t FabricEndpoint::heard_from(PeerNumber peer) const { return peer_at(peer).heard; }

std::chrono::milliseconds FabricEndpoint::longest_sleep() const {
  // Nothing wakes for room for a further piece of a read, and on shm the answer to one comes without a bell.
  const bool is_brief = bell_ ? reads_.is_busy() : reads_.is_waiting();
  return is_brief ? std::chrono::milliseconds(1) : traits().longest_sleep;
}

bool FabricEndpoint::may_sleep() {
  if (descriptor() < 0 || reads_.has_ended()) return false;
  if (!has_receives()) return false;  // nothing might come
  if (bell_) return bell_->is_armed_or_arm();
#if FI_MAJOR_VERSION < 2
  if (objects_.wait_set != nullptr) return ::fi_wait(objects_.wait_set.get(), 0) != 0;
#endif
  fid* sleeps_on = &objects_.completions->fid;
  return ::fi_trywait(objects_.fabric.get(), &sleeps_on, 1) == 0;
}

}  // namespace wyvern
