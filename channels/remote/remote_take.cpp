#include <algorithm>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

// What a process takes from a queue of another node.
namespace wyvern {

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

namespace {

/// Messages that are asked for at once: each may be on its way, and takes a port of the queue.
constexpr std::size_t most_at_a_time = 64;

}  // namespace

RemoteMessage::RemoteMessage(std::shared_ptr<RemoteChannel> channel, std::uint32_t operation, IntentKind kind,
                             AlignedBytes bytes, std::uint32_t deliveries)
    : channel_(std::move(channel)),
      operation_(operation),
      kind_(kind),
      bytes_(std::move(bytes)),
      deliveries_(deliveries) {}

RemoteMessage::RemoteMessage(RemoteMessage&& other) noexcept
    : channel_(std::exchange(other.channel_, nullptr)),
      operation_(other.operation_),
      kind_(other.kind_),
      bytes_(std::move(other.bytes_)),
      deliveries_(other.deliveries_) {}

RemoteMessage& RemoteMessage::operator=(RemoteMessage&& other) noexcept {
  RemoteMessage taken(std::move(other));  // ends what was held here before
  std::swap(channel_, taken.channel_);
  std::swap(operation_, taken.operation_);
  std::swap(kind_, taken.kind_);
  std::swap(bytes_, taken.bytes_);
  std::swap(deliveries_, taken.deliveries_);
  return *this;
}

void RemoteMessage::done() {
  Member::check_not_forked();
  if (channel_ == nullptr || kind_ != IntentKind::lease)
    throw LeaseLost("done: this lease has ended already; a lease is reported done once");
  const std::shared_ptr<RemoteChannel> channel = std::exchange(channel_, nullptr);
  RemoteAccess::Lock lock = channel->access_.lock();
  RemoteNode& node = *channel->node_;
  if (node.lost()) RemoteAccess::throw_lost(node);
  RemoteOperation answer;
  node.wait_again(operation_, answer);
  channel->say(FrameKind::done, operation_);
  channel->access_.send_before_wait(node);
  channel->wait_and_end(lock, operation_, answer);
  channel->check_outcome(answer, "done");
}

void RemoteMessage::end_as(Fate fate) noexcept {
  const std::shared_ptr<RemoteChannel> channel = std::exchange(channel_, nullptr);
  if (channel == nullptr || Member::forked()) return;
  RemoteAccess::Lock lock = channel->access_.lock();
  RemoteNode& node = *channel->node_;
  node.end(operation_);
  if (node.lost()) return;
  // What was got is told with what is said next, or a moment later.
  channel->say(fate == Fate::received ? FrameKind::received : FrameKind::give_back, operation_);
  fate == Fate::given_back ? channel->access_.send(node) : channel->access_.send_soon(node);
}

std::optional<RemoteMessage> RemoteChannel::take(IntentKind kind, const WaitLimit& limit, bool is_now) {
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  while (true) {
    if (node_->lost()) RemoteAccess::throw_lost(*node_);
    RemoteOperation answer;
    const bool is_lease = kind == IntentKind::lease;
    if (!settle_left(lock, !is_lease, limit)) {
      detail::throw_if_fiber_ended();
      return std::nullopt;
    }
    if (!is_lease && terms_.prefetch != 0) return take_prefetched(lock, limit, is_now);
    if (!prefetched_.empty() && !give_back_prefetched(lock, limit)) return std::nullopt;
    // A get that came to its limit may be on its way back with a message all the same, which comes before
    // what a further one would bring.
    const auto left = node_->find_left_get(opening_, is_lease);
    const std::uint32_t operation = left ? *left : ask_for_message(answer, is_lease, is_now);
    if (left) node_->wait_again(operation, answer);
    const auto is_over = [&] { return answer.is_over() || node_->lost(); };
    if (!access_.wait(lock, is_over, limit.is_now() ? WaitLimit::never() : limit)) {
      if (!left) {
        say(FrameKind::cancel, operation);
        access_.send(*node_);
      }
      node_->leave_get(operation, opening_, is_lease);
      detail::throw_if_fiber_ended();
      return std::nullopt;
    }
    if (answer.outcome == FrameKind::delivery) return receive(lock, operation, kind, std::move(answer));
    wait_and_end(lock, operation, answer);
    check_outcome(answer, is_lease ? "lease" : "get");
    if (!left) return std::nullopt;
  }
}

/// A lease (or get) that came to its limit may have brought a message, too, which goes back before the
/// other kind is asked for: it comes first. False: it is not known in time.
bool RemoteChannel::settle_left(RemoteAccess::Lock& lock, bool is_lease, const WaitLimit& limit) {
  const auto left = node_->find_left_get(opening_, is_lease);
  if (!left) return true;
  const auto has_ended = [&] { return node_->lost() || node_->find_left_get(opening_, is_lease) != left; };
  return access_.wait(lock, has_ended, limit.is_now() ? WaitLimit::never() : limit);
}

std::uint32_t RemoteChannel::ask_for_message(RemoteOperation& answer, bool is_lease, bool is_now) {
  const std::uint32_t operation = node_->begin(answer);
  wire::FrameFlags flags = 0;
  if (is_lease) flags |= flag(FrameFlag::lease);
  if (is_now) flags |= flag(FrameFlag::now);
  say(FrameKind::get, operation, flags);
  access_.send_before_wait(*node_);
  return operation;
}

RemoteMessage RemoteChannel::receive(RemoteAccess::Lock& lock, std::uint32_t operation, IntentKind kind,
                                     RemoteOperation answer) {
  node_->hold(operation);
  RemoteMessage message(shared_from_this(), operation, kind, std::move(answer.bytes), answer.deliveries);
  if (answer.memory.size != 0) {
    try {
      message.bytes_ = fetch(lock, answer.memory);
    } catch (...) {
      lock.unlock();  // the message's end takes it
      message.end_as(RemoteMessage::Fate::given_back);
      lock.lock();
      throw;
    }
  }
  if (kind == IntentKind::get) ++not_reported_;
  return message;
}

AlignedBytes RemoteChannel::fetch(RemoteAccess::Lock& lock, const RemoteMemory& memory) {
  AlignedBytes bytes(memory.size);
  auto region = access_.endpoint().register_memory(bytes.bytes());
  auto read = std::make_unique<LargeGet>(node_->peer(), memory, bytes, std::move(region));
  access_.endpoint().read(*read);
  access_.wait_through(lock, [&] { return read->result.has_value(); });
  if (*read->result == ReadResult::done) return std::move(read->bytes);
  if (read->is_running()) access_.abandon(std::move(read));
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  throw ErrorOf<ErrorCode::unreachable>("get: a message of " + std::to_string(memory.size) + " bytes of " +
                                        description() + " could not be read");
}

std::vector<RemoteMessage> RemoteChannel::take_many(std::size_t most, const WaitLimit& limit) {
  Member::check_not_forked();
  std::vector<RemoteMessage> messages;
  if (most == 0) return messages;
  auto first = take(IntentKind::get, limit);
  if (!first) return messages;
  messages.push_back(std::move(*first));
  if (terms_.prefetch != 0) {
    take_what_is_prefetched(messages, most);
    return messages;
  }
  while (messages.size() < most && take_more(messages, std::min(most - messages.size(), most_at_a_time))) {
  }
  return messages;
}

/// Whether as many came. What goes wrong is left to the next call: those that are here are not to be lost.
bool RemoteChannel::take_more(std::vector<RemoteMessage>& messages, std::size_t count) {
  messages.reserve(messages.size() + count);
  std::vector<NumberedOperation> asked(count);
  RemoteAccess::Lock lock = access_.lock();
  if (node_->lost()) return false;
  for (NumberedOperation& one : asked) {
    one.number = node_->begin(one.operation);
    say(FrameKind::get, one.number, flag(FrameFlag::now));
  }
  access_.send_before_wait(*node_);
  const auto are_over = [&] {
    return node_->lost() ||
           std::ranges::all_of(asked, [](const NumberedOperation& one) { return one.operation.is_over(); });
  };
  access_.wait_through(lock, are_over);
  const std::size_t wanted = messages.size() + count;
  bool has_failed = false;
  for (NumberedOperation& one : asked) {
    if (!one.operation.is_over()) {
      node_->leave(one.number);
    } else if (one.operation.outcome != FrameKind::delivery) {
      node_->end(one.number);
    } else if (has_failed) {
      node_->end(one.number);
      say(FrameKind::give_back, one.number);
    } else {
      try {
        messages.push_back(receive(lock, one.number, IntentKind::get, std::move(one.operation)));
      } catch (const Error&) {
        has_failed = true;
      }
    }
  }
  if (has_failed) access_.send(*node_);
  return messages.size() == wanted;
}

}  // namespace wyvern
