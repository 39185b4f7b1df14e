#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <wyvern/channels/remote/remote_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/active.hpp>

// What a process asks the agents of other nodes for, besides their queues, and how it leaves.
namespace wyvern {
namespace {

constexpr std::chrono::seconds kept_limit{10};

}  // namespace

std::uint32_t RemoteAccess::say_request(RemoteNode& node, std::span<const std::byte> request,
                                        RemoteOperation& answer) {
  if (request.size() > wire::most_request_bytes) {
    throw TooLarge("the arguments of a process, or what else is asked of another node, take " +
                   std::to_string(request.size()) + " bytes, at most " +
                   std::to_string(wire::most_request_bytes) +
                   " are possible; send large data through a queue");
  }
  const std::uint32_t operation = node.begin(answer);
  const std::size_t most = endpoint_->largest_message() - sizeof(wire::FrameHeader);
  std::span<const std::byte> rest = request;
  do {
    const auto part = rest.first(std::min(most, rest.size()));
    rest = rest.subspan(part.size());
    const auto flags = rest.empty() ? wire::FrameFlags{} : wire::flag(wire::FrameFlag::more);
    node.outbox().room_for(part.size()).add(wire::FrameKind::request, flags, 0, operation, part);
  } while (!rest.empty());
  send(node);
  return operation;
}

void RemoteAccess::keep_until_answered(std::uint32_t number, std::span<const std::byte> request,
                                       std::shared_ptr<void> what) {
  Member::check_not_forked();
  Lock lock(mutex_);
  std::shared_ptr<RemoteNode> home = node(lock, number);
  Kept& kept = kept_.emplace_back();
  kept.node = std::move(home);
  kept.what = std::move(what);
  kept.operation = say_request(*kept.node, request, kept.answer);
}

void RemoteAccess::tell_ended(std::uint32_t number, std::span<const Puid> processes) {
  Lock lock(mutex_);
  const std::shared_ptr<RemoteNode> home = node(lock, number);
  for (const Puid process : processes)
    home->outbox().room_for(wire::FrameBuffer::ended_bytes).add_ended(process);
  send(*home);
}

void RemoteAccess::keep_while_read(std::shared_ptr<RemoteChannel> channel) {
  if (std::ranges::find(read_, channel) == read_.end()) read_.push_back(std::move(channel));
}

void RemoteAccess::end_keeping(const RemoteChannel& channel) {
  std::erase_if(read_, [&](const auto& kept) { return kept.get() == &channel; });
}

bool RemoteAccess::is_any_read() const {
  return std::ranges::any_of(read_, [](const auto& channel) { return channel->is_read(); });
}

bool RemoteAccess::may_let_go() const {
  return std::ranges::any_of(kept_, &Kept::is_over) ||
         std::ranges::any_of(read_, [](const auto& channel) { return !channel->is_read(); });
}

/// What ends here may need the lock.
void RemoteAccess::let_go(Lock& lock) {
  if (!may_let_go()) return;
  std::list<Kept> ended;
  for (auto kept = kept_.begin(); kept != kept_.end();) {
    const auto current = kept++;
    if (!current->is_over()) continue;
    current->node->end(current->operation);
    ended.splice(ended.end(), kept_, current);
  }
  const auto still_read =
      std::ranges::partition(read_, [](const auto& channel) { return channel->is_read(); });
  std::vector<std::shared_ptr<RemoteChannel>> no_longer_read(std::move_iterator(still_read.begin()),
                                                             std::move_iterator(still_read.end()));
  read_.erase(still_read.begin(), still_read.end());
  ++letting_go_;
  lock.unlock();
  ended.clear();
  no_longer_read.clear();
  lock.lock();
  --letting_go_;
  let_gone_.notify_all();
}

std::optional<std::vector<std::byte>> RemoteAccess::ask_agent(std::uint32_t number,
                                                              std::span<const std::byte> request,
                                                              const WaitLimit& limit) {
  Member::check_not_forked();
  Lock lock(mutex_);
  const std::shared_ptr<RemoteNode> home = node(lock, number, limit);
  if (home == nullptr) return std::nullopt;
  RemoteOperation answer;
  const std::uint32_t operation = say_request(*home, request, answer);
  if (!wait(
          lock, [&] { return answer.is_over() || home->lost(); }, limit)) {
    home->outbox().room_for(0).add(wire::FrameKind::cancel, 0, 0, operation);
    send(*home);
    home->leave(operation);
    detail::throw_if_fiber_ended();
    return std::nullopt;
  }
  home->end(operation);
  if (!answer.is_over()) throw_lost(*home);
  if (answer.refusal) throw_error(answer.refusal->code, answer.refusal->text);
  const auto bytes = answer.bytes.bytes();
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

void RemoteAccess::leave(std::chrono::milliseconds farewell) noexcept {
  try {
    std::vector<std::shared_ptr<RemoteChannel>> open;  // outlive the lock, which their end takes
    Lock lock(mutex_);
    // As long as a put of them would have waited.
    wait_through(lock, [this] { return !is_any_read(); });
    const auto nothing_is_kept = [this] { return std::ranges::all_of(kept_, &Kept::is_over); };
    wait(lock, nothing_is_kept, Deadline::after(kept_limit));
    let_go(lock);
    open.reserve(channels_.size());
    for (const auto& [id, channel] : channels_) open.push_back(channel.lock());
    std::erase(open, nullptr);
    for (const auto& channel : open) channel->end_prefetch(lock);
    say_farewell(lock, Deadline::after(farewell));
    for (const auto& [number, node] : nodes_) lose(*node, "this process has left the job");
    let_go(lock);
    let_gone_.wait(lock, [this] { return letting_go_ == 0; });
  } catch (const std::exception&) {
    // Out of memory: the homes find out by silence.
  }
}

/// The homes answer once they have dealt with all that was said before.
void RemoteAccess::say_farewell(Lock& lock, Deadline deadline) {
  std::list<Kept> farewells;
  for (const auto& [number, node] : nodes_) {
    if (node->lost()) continue;
    Kept& farewell = farewells.emplace_back();
    farewell.node = node;
    farewell.operation = node->begin(farewell.answer);
    node->outbox().room_for(0).add(wire::FrameKind::leave, 0, 0, farewell.operation);
    send(*node);
  }
  const auto all_have_answered = [&] { return std::ranges::all_of(farewells, &Kept::is_over); };
  wait(lock, all_have_answered, deadline);
  std::uint64_t answered = 0;
  std::uint64_t missing = 0;  // several nodes share a bit
  for (const Kept& farewell : farewells) {
    (farewell.answer.is_over() ? answered : missing) |= node_bit(farewell.node->number());
    farewell.node->leave(farewell.operation);
  }
  for (const auto& [number, node] : nodes_) {
    if (node->lost()) missing |= node_bit(number);
  }
  homes().fetch_and(~answered | missing, std::memory_order_relaxed);
}

}  // namespace wyvern
