#include <string>
#include <utility>

#include <wyvern/channels/remote/put_run.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

// What a process puts into a queue of another node.
namespace wyvern {

using wire::flag;
using wire::FrameFlag;
using wire::FrameKind;

namespace {

/// How long the home should take to read so many bytes of this process. Each part that is sent would wake who
/// sleeps.
std::uint64_t read_ns(std::uint64_t bytes) {
  constexpr std::uint64_t until_it_begins_ns = 100'000;  // if there is room
  constexpr std::uint64_t bytes_per_ns = 1;              // of a network that is worth waiting for awake
  return bytes == 0 ? 0 : until_it_begins_ns + bytes / bytes_per_ns;
}

}  // namespace

void RemoteChannel::check_size(std::uint64_t bytes) const {
  if (bytes <= terms_.inline_size || bytes <= terms_.max_bytes) return;
  throw TooLarge("a message of " + std::to_string(bytes) + " bytes can never fit into " + description() +
                 ", whose payloads may take " + std::to_string(terms_.max_bytes) +
                 " bytes together (max_bytes)");
}

void RemoteChannel::check_message(std::uint64_t bytes, std::span<const ObjectReference> handles) const {
  check_size(bytes);
  // Of a large one the handles are sent and the payload is read.
  const wire::Cargo announced{.handles = handles, .memory = {.size = 1}};
  if (handles.empty() || is_small(announced)) return;
  throw TooLarge("a message with " + std::to_string(handles.size()) + " queue handles cannot be sent to " +
                 description() + ": they do not fit into one message of the network");
}

bool RemoteChannel::is_small(const wire::Cargo& cargo) const {
  // Also when it is put ahead, which takes a little more.
  return sizeof(wire::FrameHeader) + wire::PutRun::bytes_of(wire::FrameBuffer::cargo_bytes(cargo, false)) <=
         node_->outbox().largest_message();
}

/// Those that the home has answered.
void RemoteChannel::settle_loans() {
  if (loans_.settle(ahead_, access_.loan_pool()) && !loans_.any_under_way()) access_.end_keeping(*this);
}

/// What became of puts whose answers nobody waited for.
void RemoteChannel::check_ahead(const char* call) {
  if (node_->lost()) RemoteAccess::throw_lost(*node_);
  settle_loans();
  if (ahead_.refusal) {
    const auto refusal = std::exchange(ahead_.refusal, std::nullopt);
    throw_error(refusal->code, std::string(call) + ": of an earlier put: " + refusal->text);
  }
  if (turned_back() != 0) {
    throw QueueClosed(std::string(call) + ": " + description() + " was closed; " +
                      std::to_string(turned_back()) +
                      " messages that had been put ahead of its answer were turned back");
  }
}

bool RemoteChannel::put(std::span<const std::byte> payload, std::span<const ObjectReference> handles,
                        const WaitLimit& limit) {
  Member::check_not_forked();
  check_message(payload.size(), handles);
  RemoteAccess::Lock lock = access_.lock();
  check_ahead("put");
  if (is_closed_) throw_closed("put");
  const wire::Cargo cargo{.handles = handles, .payload = payload};
  if (!is_small(cargo)) return put_large(lock, cargo, limit);
  if (!handles.empty() || !may_run_ahead(limit)) return put_answered(lock, cargo, limit);
  put_ahead(lock, payload);
  // Who puts only now and then sends at once; who puts one after another packs them while others are under
  // way.
  ahead_.not_ended() == 1 ? access_.send(*node_) : access_.send_soon(*node_);
  return true;
}

bool RemoteChannel::may_run_ahead(const WaitLimit& limit) const {
  return ahead_.is_allowed() && limit.deadline().is_never() && limit.stop() == nullptr;
}

/// Until `may_go`, or what was put ahead before could not be done.
template <class MayGo>
void RemoteChannel::wait_to_run_ahead(RemoteAccess::Lock& lock, MayGo may_go, std::uint64_t awake_ns) {
  if (!may_go()) {
    const auto is_over = [&] {
      return may_go() || turned_back() != 0 || ahead_.refusal || node_->lost() || is_closed_;
    };
    if (!access_.wait(lock, is_over, WaitLimit::never(), awake_ns)) detail::throw_if_fiber_ended();
  }
  check_ahead("put");
  if (is_closed_) throw_closed("put");
}

void RemoteChannel::put_ahead(RemoteAccess::Lock& lock, std::span<const std::byte> payload) {
  // Who puts one after another looks how far those are that are under way before each packed message.
  const std::size_t bytes = wire::held_bytes(payload.size());
  if (ahead_.not_ended() != 0 && node_->outbox().unsent() != 1) access_.poll_aside();
  wait_to_run_ahead(
      lock, [&] { return ahead_.may_send(bytes); }, 0);
  ahead_.sent(bytes);
  node_->outbox().room_for(wire::PutRun::bytes_of(payload.size())).add_put_ahead(opening_, payload);
}

/// One that is answered.
void RemoteChannel::say_put(const wire::Cargo& cargo, std::uint32_t operation, wire::FrameFlags how) {
  const auto flags = static_cast<wire::FrameFlags>(flag(FrameFlag::answer) | how);
  node_->outbox()
      .room_for(wire::FrameBuffer::cargo_bytes(cargo, false))
      .add_cargo(FrameKind::put, flags, opening_, operation, cargo);
}

bool RemoteChannel::put_answered(RemoteAccess::Lock& lock, const wire::Cargo& cargo, const WaitLimit& limit) {
  RemoteOperation answer;
  const std::uint32_t operation = node_->begin(answer);
  say_put(cargo, operation, limit.is_now() ? flag(FrameFlag::now) : wire::FrameFlags{});
  access_.send_before_wait(*node_);
  const auto is_over = [&] { return answer.is_over() || node_->lost(); };
  // One that does not wait for room does for its answer.
  const WaitLimit until = limit.is_now() ? WaitLimit::never() : limit;
  if (!access_.wait(lock, is_over, until, read_ns(cargo.memory.size))) {
    say(FrameKind::cancel, operation);  // whether it is in the queue by now only its home knows
    access_.send_before_wait(*node_);
    access_.wait_through(lock, is_over);
  }
  wait_and_end(lock, operation, answer);
  check_outcome(answer, "put");
  const bool is_accepted = answer.outcome == FrameKind::accepted;
  if (!is_accepted) detail::throw_if_fiber_ended();
  return is_accepted;
}

bool RemoteChannel::put_large(RemoteAccess::Lock& lock, const wire::Cargo& cargo, const WaitLimit& limit) {
  // Only read by the home.
  const std::span<std::byte> bytes(const_cast<std::byte*>(cargo.payload.data()), cargo.payload.size());
  const auto region = access_.endpoint().register_memory(bytes);
  return put_answered(lock, {.handles = cargo.handles, .memory = region->remote()}, limit);
}

RemoteLoan::RemoteLoan(std::shared_ptr<RemoteChannel> channel, LoanMemory memory, std::size_t size)
    : channel_(std::move(channel)), memory_(std::move(memory)), size_(size) {}

RemoteLoan::RemoteLoan(RemoteLoan&& other) noexcept
    : channel_(std::exchange(other.channel_, nullptr)),
      memory_(std::move(other.memory_)),
      size_(std::exchange(other.size_, 0)) {}

RemoteLoan& RemoteLoan::operator=(RemoteLoan&& other) noexcept {
  RemoteLoan taken(std::move(other));  // ends what was held here before
  std::swap(channel_, taken.channel_);
  std::swap(memory_, taken.memory_);
  std::swap(size_, taken.size_);
  return *this;
}

/// One that was not put, with memory that is registered: that is the endpoint's, under the lock.
RemoteLoan::~RemoteLoan() {
  if (memory_.region == nullptr) return;
  if (Member::forked()) {
    static_cast<void>(memory_.region.release());
    return;
  }
  const RemoteAccess::Lock lock = channel_->access_.lock();
  // A node that was given up may still read it.
  if (channel_->node_->lost()) {
    memory_.region = nullptr;
  } else {
    channel_->access_.loan_pool().give_back(std::move(memory_));
  }
}

LoanMemory RemoteLoan::published() noexcept {
  channel_ = nullptr;
  size_ = 0;
  return std::move(memory_);
}

RemoteLoan RemoteChannel::loan(std::uint64_t bytes) {
  Member::check_not_forked();
  check_size(bytes);
  LoanMemory memory;
  if (bytes < LoanPool::least_bytes) {
    memory.bytes = AlignedBytes(bytes);
  } else {
    const RemoteAccess::Lock lock = access_.lock();
    settle_loans();
    memory = access_.loan_pool().take(bytes);
  }
  return {shared_from_this(), std::move(memory), bytes};
}

bool RemoteChannel::put(RemoteLoan& loan, const WaitLimit& limit) {
  if (is_small({.payload = loan.bytes()})) {
    if (!put(loan.bytes(), {}, limit)) return false;
    const RemoteLoan ended = std::move(loan);  // it was copied
    return true;
  }
  Member::check_not_forked();
  RemoteAccess::Lock lock = access_.lock();
  if (may_run_ahead(limit)) {
    put_ahead(lock, loan);
    return true;
  }
  check_ahead("put");
  if (is_closed_) throw_closed("put");
  if (!put_answered(lock, {.memory = registered(loan)}, limit)) return false;
  access_.loan_pool().give_back(loan.published());
  return true;
}

/// Where its home reads it. Its memory stays registered: it may be used again.
RemoteMemory RemoteChannel::registered(RemoteLoan& loan) {
  LoanMemory& memory = loan.memory_;
  if (memory.region == nullptr) memory.region = access_.endpoint().register_memory(memory.bytes.bytes());
  return memory.region->remote().part(0, loan.bytes().size());
}

/// Its memory is kept until the home has read it.
void RemoteChannel::put_ahead(RemoteAccess::Lock& lock, RemoteLoan& loan) {
  const std::size_t bytes = loan.bytes().size();
  const auto may_begin = [&] {
    loans_.settle(ahead_, access_.loan_pool());
    return loans_.may_begin(bytes);
  };
  wait_to_run_ahead(lock, may_begin, read_ns(bytes));
  std::list<LoansAhead::Loan> ahead(1);
  LoansAhead::Loan& one = ahead.front();
  const RemoteMemory source = registered(loan);
  access_.keep_while_read(shared_from_this());
  one.operation = node_->begin(one.answer);
  say_put({.memory = source}, one.operation, flag(FrameFlag::ahead));
  one.size = bytes;
  one.memory = loan.published();
  loans_.begun(ahead);
  access_.send(*node_);
}

}  // namespace wyvern
