#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/channels/ring_operations.hpp>
#include <wyvern/channels/wake_duty.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/wait.hpp>

// What happens for each message that is put: copied into a block, or built in one.
namespace wyvern {
namespace {

void copy_payload(std::byte* to, std::span<const std::byte> payload) {
  if (!payload.empty()) std::memcpy(to, payload.data(), payload.size());
}

}  // namespace

HeldLoan::HeldLoan(LocalChannel& channel, PortGuard port, std::uint64_t bytes)
    : channel_(&channel), port_(std::move(port)) {
  BlockHeader& block = spare_block(channel.view(), *port_);
  block.length = bytes;
  bytes_ = {payload_memory(channel.view(), block), bytes};
}

HeldLoan::HeldLoan(HeldLoan&& other) noexcept
    : channel_(std::exchange(other.channel_, nullptr)), port_(std::move(other.port_)), bytes_(other.bytes_) {}

HeldLoan& HeldLoan::operator=(HeldLoan&& other) noexcept {
  HeldLoan taken(std::move(other));  // ends what was held here before
  std::swap(channel_, taken.channel_);
  port_ = std::move(taken.port_);  // which swaps them as well
  std::swap(bytes_, taken.bytes_);
  return *this;
}

HeldLoan::~HeldLoan() {
  if (channel_ == nullptr || Member::forked()) return;
  CRASH_POINT("loan.dropped");
  release_payload(channel_->view(), port_->spare().block());
}

void HeldLoan::carry(std::uint64_t payload_bytes, std::span<const ObjectReference> handles) {
  BlockHeader& block = spare_block(channel_->view(), *port_);
  block.length = payload_bytes;
  write_handles(channel_->view(), block, handles);
}

void LocalChannel::check_size(std::uint64_t bytes) const {
  if (bytes > view_.segment().header().memory_ceiling) {
    throw TooLarge("a message of " + std::to_string(bytes) + " bytes for " + description() +
                   " is larger than all memory that its node may use, " +
                   std::to_string(view_.segment().header().memory_ceiling >> 20) +
                   " MiB; send it in parts, or raise the ceiling with --memory or WYVERN_MEMORY");
  }
  if (bytes > view_.inline_size() && bytes > view_.header().max_bytes) {
    throw TooLarge("a message of " + std::to_string(bytes) + " bytes can never fit into " + description() +
                   ", whose payloads may take " + std::to_string(view_.header().max_bytes) +
                   " bytes together (max_bytes)");
  }
}

[[gnu::always_inline]] inline RingOutcome LocalChannel::write_and_put_here(
    const BorrowedPort& port, std::span<const std::byte> payload, std::span<const ObjectReference> handles) {
  write_message(view_, spare_block(view_, port), payload, handles);
  const RingOutcome outcome = ring::put(view_, port);
  if (outcome != RingOutcome::done && !handles.empty()) [[unlikely]]
    release_payload(view_, port.spare().block());
  return outcome;
}

RingOutcome LocalChannel::write_and_put(const BorrowedPort& port, std::span<const std::byte> payload,
                                        std::span<const ObjectReference> handles) {
  return write_and_put_here(port, payload, handles);
}

bool LocalChannel::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                       const WaitLimit& limit) {
  if (!handles.empty() && any_elsewhere(handles, reference_.id.node())) [[unlikely]]
    return put_through_home(payload, handles, limit);
  if (message_bytes(payload.size(), handles.size()) > view_.inline_size())
    return put_large(payload, handles, limit);
  view_.header().getters.expect_wake();
  const BorrowedPort* const port = port_at_hand();
  if (port == nullptr || closing() || write_and_put_here(*port, payload, handles) != RingOutcome::done)
      [[unlikely]]
    return put_waiting(payload, handles, limit);
  view_.header().getters.wake_one(view_.segment());
  CRASH_POINT("put.woken");
  return true;
}

bool LocalChannel::put_waiting(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                               const WaitLimit& limit) {
  const auto room = [this] { return ring::has_room_or_end(view_); };
  WakeDuty duty(view_.header().putters, view_.segment(), room);
  while (true) {
    if (closing()) throw_closed("put");
    const RingOutcome outcome = [&] {
      const PortGuard port = borrow_port();
      return write_and_put(*port, payload, handles);
    }();
    if (outcome == RingOutcome::done) break;
    if (outcome == RingOutcome::closed) throw_closed("put");
    if (limit.passed()) return false;
    const std::uint64_t interest = make_interest(InterestKind::room, reference_.index);
    duty.owed |= wait_until(member_, interest, &view_.header().putters, room, limit).notified;
  }
  view_.header().getters.wake_one(view_.segment());
  CRASH_POINT("put.woken");
  return true;
}

bool LocalChannel::put_large(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                             const WaitLimit& limit) {
  const auto room = [this] { return ring::has_room_or_end(view_); };
  WakeDuty duty(view_.header().putters, view_.segment(), room);
  // Memory only when there is a place for the message: a queue that is full must not make the node grow.
  if (!room()) {
    const std::uint64_t interest = make_interest(InterestKind::room, reference_.index);
    const WaitResult waited = wait_until(member_, interest, &view_.header().putters, room, limit);
    duty.owed = waited.notified;
    if (!waited.ready) return false;
  }
  auto prepared = loan(message_bytes(payload.size(), handles.size()), limit);
  if (!prepared) return false;
  BlockHeader& block = spare_block(view_, *prepared->port());
  copy_payload(prepared->bytes().data(), payload);
  block.length = payload.size();
  if (!handles.empty()) write_handles(view_, block, handles);
  return put(*prepared, limit);
}

/// As a process of another node puts: only the agent can keep what is elsewhere, whatever becomes of us. It
/// wants to see that we hold what is here.
bool LocalChannel::put_through_home(std::span<const std::byte> payload,
                                    std::span<const ObjectReference> handles, const WaitLimit& limit) {
  Member::check_not_forked();
  const std::uint32_t own = reference_.id.node();
  RemoteAccess& access = remote_access(member_, own);
  std::vector<std::shared_ptr<RemoteChannel>> carried;
  for (const ObjectReference& handle : handles) {
    if (handle.id.node() == own) carried.push_back(RemoteChannel::open(access, handle));
  }
  return RemoteChannel::open(access, reference_)->put(payload, handles, limit);
}

std::optional<HeldLoan> LocalChannel::loan(std::uint64_t bytes, const WaitLimit& limit) {
  check_size(bytes);
  if (closing()) throw_closed("loan");
  PortGuard port = borrow_port();
  if (bytes <= view_.inline_size()) return HeldLoan(*this, std::move(port), bytes);
  while (!claim_payload(view_, *member_, port->spare().block(), bytes)) {
    if (limit.passed()) return std::nullopt;
    const std::uint32_t size_class = extent_class_for(bytes).value();
    const auto accepted = [&] { return closing() || accepts_payload(view_, size_class); };
    const std::uint64_t interest =
        make_interest(InterestKind::payload_room, payload_interest(reference_.index, size_class));
    wait_until(member_, interest, &view_.header().payload_putters, accepted, limit);
    if (closing()) throw_closed("loan");
  }
  return HeldLoan(*this, std::move(port), bytes);
}

bool LocalChannel::put(HeldLoan& loan, const WaitLimit& limit) {
  Member::check_not_forked();
  const auto room = [this] { return ring::has_room_or_end(view_); };
  WakeDuty duty(view_.header().putters, view_.segment(), room);
  while (!put_without_wake(loan)) {
    if (limit.passed()) return false;
    const std::uint64_t interest = make_interest(InterestKind::room, reference_.index);
    duty.owed |= wait_until(member_, interest, &view_.header().putters, room, limit).notified;
  }
  view_.header().getters.wake_one(view_.segment());
  CRASH_POINT("put.woken");
  return true;
}

bool LocalChannel::put_without_wake(HeldLoan& loan) {
  Member::check_not_forked();
  if (closing()) throw_closed("put");
  const RingOutcome outcome = ring::put(view_, *loan.port());
  if (outcome == RingOutcome::closed) throw_closed("put");
  if (outcome != RingOutcome::done) return false;
  loan.published();
  return true;
}

void LocalChannel::close() {
  Member::check_not_forked();
  // Sequentially consistent: before the looks for sleepers below, and ordered with their re-checks.
  view_.header().closing.store(1, std::memory_order_seq_cst);
  CRASH_POINT("close.flagged");
  view_.header().getters.wake_all(view_.segment());
  view_.header().putters.wake_all(view_.segment());
  view_.header().payload_putters.wake_all(view_.segment());
}

bool LocalChannel::closing() const {
  // A put that misses a close made at the same time is accepted or turned back by the ring itself.
  // Sequentially consistent for the re-check before sleeping.
  return view_.header().closing.load(std::memory_order_seq_cst) != 0;
}

void LocalChannel::throw_closed(const char* what) const {
  const std::string call = what;
  const bool takes = call != "put" && call != "loan";
  throw QueueClosed(call + ": " + description() + " is closed" +
                    (takes ? " and drained" : "; a producer must stop putting when another has closed it"));
}

}  // namespace wyvern
