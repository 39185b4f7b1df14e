#include <limits>
#include <utility>

#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

namespace wyvern {

using wire::FrameKind;

std::shared_ptr<RemoteChannel> RemoteChannel::open(RemoteAccess& access, const ObjectReference& reference) {
  Member::check_not_forked();
  // Both outlive the lock, which their end takes again.
  std::shared_ptr<RemoteChannel> known;
  std::shared_ptr<RemoteChannel> channel;
  RemoteAccess::Lock lock = access.lock();
  const auto is_known = [&] {
    const auto found = access.channels().find(reference.id.value());
    if (found != access.channels().end()) known = found->second.lock();
    return known != nullptr;
  };
  if (is_known()) return known;
  channel = make(access, access.node(lock, reference.id.node()));
  channel->ask_to_open(lock, FrameKind::open, wire::encode_open(reference));
  if (is_known()) return known;  // another thread has opened it meanwhile: this one is let go again
  access.channels()[reference.id.value()] = channel;
  return channel;
}

std::shared_ptr<RemoteChannel> RemoteChannel::open_lost(RemoteAccess& access,
                                                        const ObjectReference& reference) {
  std::shared_ptr<RemoteChannel> channel;  // outlives the lock
  const RemoteAccess::Lock lock = access.lock();
  std::shared_ptr<RemoteNode> node = access.lost_node(reference.id.node());
  if (node == nullptr) throw NodeLost("node " + std::to_string(reference.id.node()) + " is not known");
  channel = make(access, std::move(node));
  channel->reference_ = reference;
  channel->terms_.max_bytes = std::numeric_limits<std::uint64_t>::max();  // nothing is too large for it
  return channel;
}

std::shared_ptr<RemoteChannel> RemoteChannel::create(RemoteAccess& access, std::uint32_t node,
                                                     const ChannelSpec& spec) {
  Member::check_not_forked();
  std::shared_ptr<RemoteChannel> channel;  // outlives the lock
  RemoteAccess::Lock lock = access.lock();
  channel = make(access, access.node(lock, node));
  channel->ask_to_open(lock, FrameKind::create, wire::encode_create(spec));
  access.channels()[channel->reference_.id.value()] = channel;
  return channel;
}

std::shared_ptr<RemoteChannel> RemoteChannel::make(RemoteAccess& access, std::shared_ptr<RemoteNode> node) {
  const auto end = [](RemoteChannel* last) {
    if (Member::forked()) return;  // everything is the parent's
    last->let_go();
    delete last;
  };
  return std::shared_ptr<RemoteChannel>(new RemoteChannel(access, std::move(node)), end);
}

void RemoteChannel::ask_to_open(RemoteAccess::Lock& lock, FrameKind how, std::span<const std::byte> body) {
  opening_ = node_->begin_opening(ahead_);
  RemoteOperation answer;
  const std::uint32_t operation = node_->begin(answer);
  node_->outbox().room_for(body.size()).add(how, 0, opening_, operation, body);
  access_.send_before_wait(*node_);
  wait_and_end(lock, operation, answer);
  check_outcome(answer, "open");
  terms_ = wire::decode_opened(answer.bytes.bytes());
  reference_ = terms_.object;
  ahead_.allow(terms_.window, terms_.window_bytes);
}

/// The last handle has gone.
void RemoteChannel::let_go() noexcept {
  RemoteAccess::Lock lock = access_.lock();
  end_prefetch(lock);
  loans_.clear();
  node_->end_opening(opening_);
  const auto entry = access_.channels().find(reference_.id.value());
  if (entry != access_.channels().end() && entry->second.expired()) access_.channels().erase(entry);
  if (node_->lost()) return;
  say(FrameKind::let_go, 0);
  access_.send(*node_);
}

std::string RemoteChannel::description() const {
  return (terms_.name.empty() ? "queue " : "queue '" + terms_.name + "' ") + to_string(reference_.id) +
         " of node " + std::to_string(node_->number());
}

void RemoteChannel::say(FrameKind kind, std::uint32_t operation, wire::FrameFlags flags) {
  node_->outbox().room_for(0).add(kind, flags, opening_, operation);
}

void RemoteChannel::wait_and_end(RemoteAccess::Lock& lock, std::uint32_t number, RemoteOperation& operation) {
  try {
    access_.wait_for(lock, *node_, operation);
  } catch (...) {
    node_->leave(number);
    throw;
  }
  node_->end(number);
}

void RemoteChannel::check_outcome(const RemoteOperation& operation, const char* call) const {
  if (operation.outcome == FrameKind::closed) throw_closed(call);
  if (operation.refusal) throw_error(operation.refusal->code, operation.refusal->text);
}

void RemoteChannel::throw_closed(const std::string& call) const {
  throw QueueClosed(
      call + ": " + description() + " is closed" +
      (call == "put" ? "; a producer must stop putting when another has closed it" : " and drained"));
}

/// Nothing: not in time.
std::optional<std::uint64_t> RemoteChannel::ask(FrameKind kind, const char* call, const WaitLimit& limit) {
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  RemoteOperation answer;
  const std::uint32_t operation = node_->begin(answer);
  say(kind, operation);
  if (limit.is_now()) say(FrameKind::cancel, operation);  // if it is not so when that comes there
  access_.send_before_wait(*node_);
  const auto is_over = [&] { return answer.is_over() || node_->lost(); };
  if (!access_.wait(lock, is_over, limit.is_now() ? WaitLimit::never() : limit)) {
    say(FrameKind::cancel, operation);
    access_.send(*node_);
    node_->leave(operation);
    detail::throw_if_fiber_ended();
    return std::nullopt;
  }
  wait_and_end(lock, operation, answer);
  check_outcome(answer, call);
  if (answer.outcome != FrameKind::nothing) return answer.value;
  if (!limit.is_now()) throw DecodeError("an agent has ended what nobody had cancelled");
  return std::nullopt;
}

bool RemoteChannel::flush(const WaitLimit& limit) {
  const bool is_done = ask(FrameKind::flush, "flush", limit).has_value();
  const RemoteAccess::Lock lock = access_.lock();
  check_ahead("flush");
  return is_done;
}

/// The home closes it behind what this process has put ahead, as it would be on the node itself; whoever
/// waits for room is turned back.
void RemoteChannel::close() {
  Member::check_not_forked();
  {
    const RemoteAccess::Lock lock = access_.lock();
    if (node_->lost()) RemoteAccess::throw_lost(*node_);
    is_closed_ = true;
    access_.look_again();
  }
  ask(FrameKind::close, "close", WaitLimit::never());
}

std::uint64_t RemoteChannel::size() { return *ask(FrameKind::size, "size", WaitLimit::never()); }

void RemoteChannel::task_done() {
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  if (not_reported_ == 0) {
    throw InvalidArgument("task_done: this process has reported every message done that it got from " +
                          description() +
                          "; call it once for each get, in the process that got (done() of a lease reports "
                          "itself)");
  }
  --not_reported_;
  say(FrameKind::task_done, 1);
  access_.send(*node_);
}

std::optional<std::uint64_t> RemoteChannel::join(const WaitLimit& limit) {
  return ask(FrameKind::join, "join", limit);
}

}  // namespace wyvern
