#include <utility>

#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

RemoteMessage::RemoteMessage(std::shared_ptr<RemoteChannel> channel, std::uint32_t operation, IntentKind kind,
                             std::vector<std::byte> bytes, std::uint32_t deliveries)
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
  if (channel_ == nullptr || kind_ != IntentKind::lease)
    throw LeaseLost("done: this lease has ended already; a lease is reported done once");
  const std::shared_ptr<RemoteChannel> channel = std::exchange(channel_, nullptr);
  RemoteAccess::Lock lock = channel->access_.lock();
  RemoteNode& node = *channel->node_;
  if (node.lost()) RemoteAccess::throw_lost(node);
  RemoteOperation answer;
  node.wait_again(operation_, answer);
  channel->say(FrameKind::done, operation_);
  channel->access_.send(node);
  channel->wait_and_end(lock, operation_, answer);
  channel->check_outcome(answer, "done");
}

void RemoteMessage::end() noexcept {
  const std::shared_ptr<RemoteChannel> channel = std::exchange(channel_, nullptr);
  if (channel == nullptr || Member::forked()) return;
  RemoteAccess::Lock lock = channel->access_.lock();
  RemoteNode& node = *channel->node_;
  node.end(operation_);
  if (node.lost()) return;
  // What was got is told with what is said next, or a moment later.
  channel->say(kind_ == IntentKind::get ? FrameKind::received : FrameKind::give_back, operation_);
  if (kind_ == IntentKind::lease) channel->access_.send(node);
}

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
  access_.send(*node_);
  wait_and_end(lock, operation, answer);
  check_outcome(answer, "open");
  terms_ = wire::decode_opened(answer.bytes);
  reference_ = terms_.object;
  ahead_.window = terms_.window;
}

/// The last handle has gone.
void RemoteChannel::let_go() noexcept {
  if (Member::forked()) return;
  RemoteAccess::Lock lock = access_.lock();
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
  if (operation.outcome == FrameKind::closed) {
    const std::string what = call;
    const bool takes = what != "put";
    throw QueueClosed(what + ": " + description() + " is closed" +
                      (takes ? " and drained" : "; a producer must stop putting when another has closed it"));
  }
  if (operation.refusal) throw_error(operation.refusal->code, operation.refusal->text);
}

/// What became of puts whose answers nobody waited for.
void RemoteChannel::check_ahead(const char* call) {
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  if (const auto refusal = std::exchange(ahead_.refusal, std::nullopt))
    throw_error(refusal->code, std::string(call) + ": of an earlier put: " + refusal->text);
  if (ahead_.turned_back != 0) {
    throw QueueClosed(std::string(call) + ": " + description() + " was closed; " +
                      std::to_string(ahead_.turned_back) +
                      " messages that had been put ahead of its answer were turned back");
  }
}

bool RemoteChannel::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                        const WaitLimit& limit) {
  Member::check_not_forked();
  if (payload.size() > terms_.inline_size && payload.size() > terms_.max_bytes) {
    throw TooLarge("a message of " + std::to_string(payload.size()) + " bytes can never fit into " +
                   description() + ", whose payloads may take " + std::to_string(terms_.max_bytes) +
                   " bytes together (max_bytes)");
  }
  RemoteAccess::Lock lock = access_.lock();
  check_ahead("put");
  const wire::Cargo cargo{.handles = handles, .payload = payload};
  const bool is_small = sizeof(wire::FrameHeader) + wire::FrameBuffer::cargo_bytes(cargo, false) <=
                        access_.endpoint().largest_message();
  if (!is_small) return put_large(lock, cargo, limit);
  const bool may_run_ahead =
      ahead_.window != 0 && handles.empty() && limit.deadline().is_never() && limit.stop() == nullptr;
  if (!may_run_ahead) return put_answered(lock, cargo, limit);
  put_ahead(lock, cargo);
  return true;
}

void RemoteChannel::put_ahead(RemoteAccess::Lock& lock, const wire::Cargo& cargo) {
  access_.wait(
      lock, [&] { return ahead_.may_send() || ahead_.turned_back != 0 || ahead_.refusal || node_->lost(); },
      WaitLimit::never());
  check_ahead("put");
  ++ahead_.sent;
  node_->outbox()
      .room_for(wire::FrameBuffer::cargo_bytes(cargo, false))
      .add_cargo(FrameKind::put, 0, opening_, 0, cargo);
  access_.send(*node_);
}

bool RemoteChannel::put_answered(RemoteAccess::Lock& lock, const wire::Cargo& cargo, const WaitLimit& limit) {
  RemoteOperation answer;
  const std::uint32_t operation = node_->begin(answer);
  const wire::FrameFlags flags =
      flag(FrameFlag::answer) | (limit.is_now() ? flag(FrameFlag::now) : wire::FrameFlags{});
  node_->outbox()
      .room_for(wire::FrameBuffer::cargo_bytes(cargo, false))
      .add_cargo(FrameKind::put, static_cast<wire::FrameFlags>(flags), opening_, operation, cargo);
  access_.send(*node_);
  const auto is_over = [&] { return answer.is_over() || node_->lost(); };
  if (!limit.is_now() && !access_.wait(lock, is_over, limit)) {
    say(FrameKind::cancel, operation);  // whether it is in the queue by now only its home knows
    access_.send(*node_);
  }
  wait_and_end(lock, operation, answer);
  check_outcome(answer, "put");
  return answer.outcome == FrameKind::accepted;
}

bool RemoteChannel::put_large(RemoteAccess::Lock& lock, const wire::Cargo& cargo, const WaitLimit& limit) {
  // Only read by the home.
  const std::span<std::byte> bytes(const_cast<std::byte*>(cargo.payload.data()), cargo.payload.size());
  const auto region = access_.endpoint().register_memory(bytes);
  return put_answered(lock, {.handles = cargo.handles, .memory = region->remote()}, limit);
}

std::optional<RemoteMessage> RemoteChannel::take(IntentKind kind, const WaitLimit& limit) {
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  while (true) {
    if (node_->lost()) RemoteAccess::throw_lost(*node_);
    RemoteOperation answer;
    const bool is_lease = kind == IntentKind::lease;
    // A get that came to its limit may be on its way back with a message all the same, which comes before
    // what a further one would bring.
    const auto left = node_->find_left_get(opening_, is_lease);
    const std::uint32_t operation = left ? *left : ask_for_message(answer, is_lease, limit);
    if (left) node_->wait_again(operation, answer);
    const auto is_over = [&] { return answer.is_over() || node_->lost(); };
    if (!access_.wait(lock, is_over, limit.is_now() ? WaitLimit::never() : limit)) {
      if (!left) {
        say(FrameKind::cancel, operation);
        access_.send(*node_);
      }
      node_->leave_get(operation, opening_, is_lease);
      return std::nullopt;
    }
    if (answer.outcome == FrameKind::delivery) return receive(lock, operation, kind, std::move(answer));
    wait_and_end(lock, operation, answer);
    check_outcome(answer, is_lease ? "lease" : "get");
    if (!left) return std::nullopt;
  }
}

std::uint32_t RemoteChannel::ask_for_message(RemoteOperation& answer, bool is_lease, const WaitLimit& limit) {
  const std::uint32_t operation = node_->begin(answer);
  wire::FrameFlags flags = 0;
  if (is_lease) flags |= flag(FrameFlag::lease);
  if (limit.is_now()) flags |= flag(FrameFlag::now);
  say(FrameKind::get, operation, flags);
  access_.send(*node_);
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
      throw;
    }
  }
  if (kind == IntentKind::get) ++not_reported_;
  return message;
}

std::vector<std::byte> RemoteChannel::fetch(RemoteAccess::Lock& lock, const RemoteMemory& memory) {
  std::vector<std::byte> bytes(memory.size);
  const auto region = access_.endpoint().register_memory(bytes);
  LargeGet read(node_->peer(), memory, bytes, region.get());
  access_.endpoint().read(read);
  access_.wait(
      lock, [&] { return read.result && !read.is_running(); }, WaitLimit::never());
  if (*read.result == ReadResult::done) return bytes;
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  throw ErrorOf<ErrorCode::unreachable>("get: a message of " + std::to_string(memory.size) + " bytes of " +
                                        description() + " could not be read");
}

std::uint64_t RemoteChannel::ask(FrameKind kind, const char* call) {
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  RemoteOperation answer;
  const std::uint32_t operation = node_->begin(answer);
  say(kind, operation);
  access_.send(*node_);
  wait_and_end(lock, operation, answer);
  check_outcome(answer, call);
  if (kind == FrameKind::flush) check_ahead(call);
  return answer.value;
}

void RemoteChannel::flush() { ask(FrameKind::flush, "flush"); }

void RemoteChannel::close() { ask(FrameKind::close, "close"); }

std::uint64_t RemoteChannel::size() { return ask(FrameKind::size, "size"); }

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
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  RemoteOperation answer;
  const std::uint32_t operation = node_->begin(answer);
  say(FrameKind::join, operation);
  access_.send(*node_);
  if (!access_.wait(
          lock, [&] { return answer.is_over() || node_->lost(); }, limit)) {
    say(FrameKind::cancel, operation);
    access_.send(*node_);
    node_->leave(operation);
    return std::nullopt;
  }
  wait_and_end(lock, operation, answer);
  return answer.value;
}

}  // namespace wyvern
