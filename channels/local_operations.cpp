#include <cstring>
#include <string>
#include <utility>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/payload_account.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/wait.hpp>

// What happens for each message: put, get, close.
namespace wyvern {
namespace {

/// A wake that came to us is spent on somebody else when we leave or wait for something else, if there still
/// is something to wake for: see Parker.
template <class StillTrue>
class WakeDuty {
 public:
  WakeDuty(WaiterSet& others, const Segment& segment, StillTrue still_true)
      : others_(others), segment_(segment), still_true_(std::move(still_true)) {}
  ~WakeDuty() { pass_on(); }
  void pass_on() {
    if (std::exchange(owed, false) && still_true_()) others_.wake_one(segment_);
  }
  WakeDuty(const WakeDuty&) = delete;
  WakeDuty& operator=(const WakeDuty&) = delete;
  bool owed = false;

 private:
  WaiterSet& others_;
  const Segment& segment_;
  StillTrue still_true_;
};

}  // namespace

/// A large payload on its way into the ring: copied once into an extent, which belongs to this process until
/// it is published and is given back if it never is.
class LocalChannel::PayloadExtent {
 public:
  explicit PayloadExtent(LocalChannel& channel) : channel_(channel) {}
  ~PayloadExtent() {
    if (extent_)
      release_payload(channel_.view_, channel_.own_entry(), *extent_, ExtentOwner::process, my_process());
  }
  PayloadExtent(const PayloadExtent&) = delete;
  PayloadExtent& operator=(const PayloadExtent&) = delete;

  /// False if the channel's max_bytes leaves no room for it now.
  bool fill(std::span<const std::byte> payload) {
    if (extent_) return true;
    // First a look: a channel that is full must not make the node's memory grow, nor fail for lack of it.
    const auto size_class = extent_class_for(payload.size());
    if (size_class && !accepts_extent(channel_.view_, *size_class)) return false;
    const Segment& segment = channel_.view_.segment();
    const std::uint32_t extent = take_extent(*channel_.member_, payload.size());
    if (!charge_extent(channel_.view_, channel_.own_entry(), extent)) {
      free_extent(segment, extent, ExtentOwner::process, channel_.member_->process_index());
      return false;
    }
    extent_ = extent;
    std::memcpy(segment.at(segment.extent(extent).offset), payload.data(), payload.size());
    return true;
  }
  void give_to(std::uint32_t block) {
    move(ExtentOwner::process, my_process(), ExtentOwner::block, in_block(block));
  }
  void take_back(std::uint32_t block) {
    move(ExtentOwner::block, in_block(block), ExtentOwner::process, my_process());
  }
  void published() { extent_.reset(); }
  bool filled() const { return extent_.has_value(); }
  std::uint32_t number() const { return *extent_; }

 private:
  std::uint64_t my_process() const { return channel_.member_->process_index(); }
  std::uint64_t in_block(std::uint32_t block) const {
    return block_identity(channel_.reference_.index, block);
  }
  void move(ExtentOwner from, std::uint64_t from_who, ExtentOwner to, std::uint64_t to_who) {
    move_extent(channel_.view_.segment(), *extent_, from, from_who, to, to_who);
  }

  LocalChannel& channel_;
  std::optional<std::uint32_t> extent_;
};

RingOutcome LocalChannel::publish(const PortGuard& port, std::span<const std::byte> payload,
                                  PayloadExtent& extent) {
  const std::uint32_t spare = port->port->spare.load(std::memory_order_relaxed);
  BlockHeader& block = view_.block(spare);
  block.length = payload.size();
  block.delivery_count = 0;
  block.handle_count = 0;
  const bool large = payload.size() > view_.inline_size();
  if (!large) {
    if (!payload.empty()) std::memcpy(RingView::payload(block), payload.data(), payload.size());
    return ring::put(view_, *port);
  }
  if (!ring::has_room_or_end(view_) || !extent.fill(payload)) return RingOutcome::full;
  // The block names its extent before the extent belongs to it: the agent believes a block only if both
  // agree.
  block.extent.store(extent.number() + 1, std::memory_order_release);
  CRASH_POINT("put.extent_named");
  extent.give_to(spare);
  CRASH_POINT("put.extent_given");
  const RingOutcome outcome = ring::put(view_, *port);
  if (outcome == RingOutcome::done) {
    extent.published();
  } else {
    extent.take_back(spare);
    block.extent.store(0, std::memory_order_release);
  }
  return outcome;
}

bool LocalChannel::put(std::span<const std::byte> payload, Deadline deadline) {
  if (payload.size() > view_.inline_size() && payload.size() > view_.header().max_bytes) {
    throw TooLarge("a message of " + std::to_string(payload.size()) + " bytes can never fit into " +
                   description() + ", whose payloads may take " + std::to_string(view_.header().max_bytes) +
                   " bytes together (max_bytes)");
  }
  const auto room = [this] { return ring::has_room_or_end(view_); };
  WakeDuty duty(view_.header().putters, view_.segment(), room);
  PayloadExtent extent(*this);
  while (true) {
    if (closing()) throw_closed("put");
    const RingOutcome outcome = [&] {
      const PortGuard port = borrow_port();
      return publish(port, payload, extent);
    }();
    if (outcome == RingOutcome::closed) throw_closed("put");
    if (outcome == RingOutcome::done) {
      view_.header().getters.wake_one(view_.segment());
      CRASH_POINT("put.woken");
      return true;
    }
    if (deadline.passed()) return false;
    // An extent that we have filled is charged already: then it is a slot that we lack, not bytes.
    const bool lacks_extent = payload.size() > view_.inline_size() && !extent.filled();
    const auto size_class = lacks_extent ? extent_class_for(payload.size()) : std::nullopt;
    const auto bytes_fit = [&] { return closing() || !size_class || accepts_extent(view_, *size_class); };
    if (!bytes_fit()) {
      duty.pass_on();
      const std::uint64_t interest =
          make_interest(InterestKind::payload_room, payload_interest(reference_.index, *size_class));
      wait_until(member_, interest, &view_.header().payload_putters, bytes_fit, deadline);
    } else {
      const std::uint64_t interest = make_interest(InterestKind::room, reference_.index);
      duty.owed |= wait_until(member_, interest, &view_.header().putters, room, deadline).notified;
    }
  }
}

std::optional<ReceivedMessage> LocalChannel::get(Deadline deadline) {
  const auto something = [this] { return ring::has_message_or_end(view_); };
  WakeDuty duty(view_.header().getters, view_.segment(), something);
  while (true) {
    if (something()) {
      PortGuard port = borrow_port();
      const RingOutcome outcome = ring::get(view_, *port);
      if (outcome == RingOutcome::done) {
        view_.header().putters.wake_one(view_.segment());
        CRASH_POINT("get.woken");
        return ReceivedMessage(*this, std::move(port));
      }
      if (outcome == RingOutcome::closed) throw_closed("get");
    }
    if (deadline.passed()) return std::nullopt;
    const std::uint64_t interest = make_interest(InterestKind::message, reference_.index);
    duty.owed |= wait_until(member_, interest, &view_.header().getters, something, deadline).notified;
  }
}

ReceivedMessage::ReceivedMessage(LocalChannel& channel, PortGuard port)
    : channel_(&channel), port_(std::move(port)) {
  const RingView& view = channel.view();
  BlockHeader& block = view.block(port_->port->spare.load(std::memory_order_relaxed));
  const std::uint32_t extent = block.extent.load(std::memory_order_relaxed);  // acquired with the block
  const std::byte* payload =
      extent == 0 ? RingView::payload(block) : view.segment().at(view.segment().extent(extent - 1).offset);
  bytes_ = {payload, block.length};
}

ReceivedMessage::ReceivedMessage(ReceivedMessage&& other) noexcept
    : channel_(std::exchange(other.channel_, nullptr)), port_(std::move(other.port_)), bytes_(other.bytes_) {}

ReceivedMessage::~ReceivedMessage() {
  if (channel_ != nullptr) channel_->finish_reading(*port_);
}

void LocalChannel::finish_reading(const BorrowedPort& port) noexcept {
  if (Member::forked()) return;  // the message is the parent's
  const std::uint32_t spare = port.port->spare.load(std::memory_order_relaxed);
  BlockHeader& block = view_.block(spare);
  const std::uint32_t extent = block.extent.load(std::memory_order_relaxed);
  if (extent == 0) return;
  release_payload(view_, own_entry(), extent - 1, ExtentOwner::block,
                  block_identity(reference_.index, spare));
  CRASH_POINT("get.released");
  block.extent.store(0, std::memory_order_release);
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
  throw QueueClosed(std::string(what) + ": " + description() + " is closed" +
                    (std::string(what) == "get"
                         ? " and drained"
                         : "; a producer must stop putting when another has closed it"));
}

}  // namespace wyvern
