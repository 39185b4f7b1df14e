#include <cstring>
#include <string>
#include <utility>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

namespace {

void check_type(std::uint64_t held, const std::string& held_name, std::uint64_t type_hash,
                std::string_view type_name, const std::string& channel) {
  if (held == type_hash) return;
  throw TypeMismatch(channel + " holds messages of type " + held_name + ", not " + std::string(type_name) +
                     "; open it with the type it was made with");
}

[[noreturn]] void throw_foreign_loan(const std::string& channel) {
  throw InvalidArgument("put: this loan has been put already, or is one of another queue than " + channel +
                        "; a loan is put once, into the queue that gave it");
}

}  // namespace

Channel Channel::open(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                      std::uint64_t type_hash, std::string_view type_name) {
  const std::uint32_t node = reference.id.node();
  if (node == member->segment().header().node) {
    Channel channel(LocalChannel::open(member, reference));
    const ChannelHeader& header = channel.local_->view().header();
    check_type(header.type_hash, header.type_name, type_hash, type_name, channel.local_->description());
    return channel;
  }
  Channel channel(RemoteChannel::open(remote_access(member, node), reference));
  const wire::QueueTerms& terms = channel.remote_->terms();
  check_type(terms.type_hash, terms.type_name, type_hash, type_name, channel.remote_->description());
  return channel;
}

Channel Channel::open_carried(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                              std::uint64_t type_hash, std::string_view type_name) {
  try {
    return open(member, reference, type_hash, type_name);
  } catch (const NodeLost&) {
    const std::uint32_t node = reference.id.node();
    if (node == member->segment().header().node) throw;
    return Channel(RemoteChannel::open_lost(remote_access(member, node), reference));
  }
}

bool Channel::exists(const std::shared_ptr<Member>& member, const ObjectReference& reference) {
  const std::uint32_t node = reference.id.node();
  try {
    if (node == member->segment().header().node) {
      LocalChannel::open(member, reference);
    } else {
      RemoteChannel::open(remote_access(member, node), reference);
    }
    return true;
  } catch (const QueueLost&) {
    return false;
  }
}

Channel Channel::create(const std::shared_ptr<Member>& member, const QueueOptions& options,
                        std::uint64_t type_hash, std::string_view type_name) {
  Member::check_not_forked();
  const std::uint32_t own = member->segment().header().node;
  const std::uint32_t home = options.node != 0 ? options.node : own;
  if (options.name.size() >= channel_name_bytes) {
    throw InvalidArgument("make_queue: a name is at most " + std::to_string(channel_name_bytes - 1) +
                          " bytes, not " + std::to_string(options.name.size()));
  }
  ChannelSpec spec;
  spec.capacity = options.capacity;
  spec.inline_size = options.inline_size;
  spec.max_bytes = options.max_bytes;
  spec.name = options.name;
  spec.max_deliveries = options.max_deliveries;
  spec.window = options.window;
  spec.prefetch = options.prefetch;
  if (options.dead_letters) spec.dead_letters = options.dead_letters.reference();
  if (options.dead_letters && options.dead_letters.id().node() != home) {
    throw InvalidArgument("make_queue: dead_letters is queue " + to_string(options.dead_letters.id()) +
                          " of node " + std::to_string(options.dead_letters.id().node()) +
                          ", and the new queue is to be on node " + std::to_string(home) +
                          "; both must be on the same node");
  }
  spec.type_hash = type_hash;
  spec.type_name = type_name.substr(0, channel_name_bytes - 1);
  if (home == own) return Channel(LocalChannel::open(member, member->agent().create_channel(spec)));
  return Channel(RemoteChannel::create(remote_access(member, home), home, spec));
}

std::optional<std::vector<std::byte>> Channel::get_within(const WaitLimit& limit) const {
  return get_read(limit, [](std::span<const std::byte> bytes) {
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  });
}

std::optional<ChannelMessage> Channel::take_within(const WaitLimit& limit) const {
  if (local_ != nullptr) [[likely]] {
    auto message = local_->take(IntentKind::get, limit);
    if (!message) return std::nullopt;
    return std::optional<ChannelMessage>(std::in_place, local_, std::move(*message));
  }
  auto message = take_remotely(IntentKind::get, limit);
  if (!message) return std::nullopt;
  return std::optional<ChannelMessage>(std::in_place, std::move(*message));
}

std::optional<ChannelLease> Channel::lease_within(const WaitLimit& limit) const {
  if (local_ != nullptr) [[likely]] {
    auto message = local_->take(IntentKind::lease, limit);
    if (!message) return std::nullopt;
    return std::optional<ChannelLease>(std::in_place, local_, std::move(*message));
  }
  auto message = take_remotely(IntentKind::lease, limit);
  if (!message) return std::nullopt;
  return std::optional<ChannelLease>(std::in_place, std::move(*message));
}

std::optional<ChannelLoan> Channel::loan_within(std::size_t bytes, const WaitLimit& limit) const {
  if (local_ == nullptr) [[unlikely]]
    return ChannelLoan(remote().loan(bytes));
  auto held = local_->loan(bytes, limit);
  if (!held) return std::nullopt;
  return std::optional<ChannelLoan>(std::in_place, local_, std::move(*held));
}

bool Channel::put_within(ChannelLoan& loan, const WaitLimit& limit) const {
  if (local_ != nullptr) [[likely]] {
    HeldLoan* const held = loan.held().local();
    if (held == nullptr || !held->belongs_to(*local_)) throw_foreign_loan(local_->description());
    return local_->put(*held, limit);
  }
  RemoteLoan* const held = loan.held().remote();
  if (held == nullptr || !held->belongs_to(remote())) throw_foreign_loan(remote().description());
  return remote_->put(*held, limit);
}

std::vector<std::vector<std::byte>> Channel::get_many_within(std::size_t most, const WaitLimit& limit) const {
  std::vector<std::vector<std::byte>> messages;
  const auto expect = [&](std::size_t count) { messages.reserve(count); };
  get_batch(most, limit, expect,
            [&](std::span<const std::byte> bytes) { messages.emplace_back(bytes.begin(), bytes.end()); });
  return messages;
}

std::optional<std::uint64_t> Channel::join_within(const WaitLimit& limit) const {
  if (local_ == nullptr) return remote().join(limit);
  if (!local_->join(limit)) return std::nullopt;
  return lost_count(local_->view());
}

bool Channel::flush_within(const WaitLimit& limit) const {
  if (local_ == nullptr) return remote().flush(limit);
  Member::check_not_forked();
  return true;
}

void Channel::close() const { local_ != nullptr ? local_->close() : remote().close(); }

void Channel::task_done() const { local_ != nullptr ? local_->task_done() : remote().task_done(); }

std::uint64_t Channel::size_approx() const {
  if (local_ == nullptr) return remote().size();
  return ring::size_approx(local_->view()) + given_back_count(local_->view());
}

bool Channel::full_approx() const {
  if (local_ == nullptr) return remote().size() >= capacity();
  return ring::size_approx(local_->view()) == capacity();
}

std::uint64_t Channel::capacity() const {
  return local_ != nullptr ? local_->view().capacity() : remote().terms().capacity;
}

const ObjectReference& Channel::reference() const {
  return local_ != nullptr ? local_->reference() : remote().reference();
}

bool Channel::put_remotely(std::span<const std::byte> bytes, std::span<const ObjectReference> handles,
                           const WaitLimit& limit) const {
  return remote().put(bytes, handles, limit);
}

std::optional<RemoteMessage> Channel::take_remotely(IntentKind kind, const WaitLimit& limit) const {
  return remote().take(kind, limit);
}

std::vector<RemoteMessage> Channel::take_many_remotely(std::size_t most, const WaitLimit& limit) const {
  return remote().take_many(most, limit);
}

Received Channel::get_into_remotely(std::span<std::byte> buffer, std::vector<std::byte>& other,
                                    const WaitLimit& limit) const {
  const auto message = take_remotely(IntentKind::get, limit);
  if (!message) return Received::nothing;
  const std::span<const std::byte> bytes = message->bytes();
  if (bytes.size() != buffer.size()) {
    other.assign(bytes.begin(), bytes.end());
    return Received::in_other;
  }
  std::memcpy(buffer.data(), bytes.data(), bytes.size());
  return Received::in_buffer;
}

void Channel::throw_not_local() const {
  if (remote_ == nullptr) throw_no_channel();
  throw InvalidArgument(remote_->description() +
                        " is used for what needs a queue of this node; do this in a process of that node");
}

void Channel::throw_no_channel() {
  throw InvalidArgument(
      "this queue handle was default-constructed and refers to no queue; get one from make_queue or "
      "open_queue");
}

}  // namespace wyvern
