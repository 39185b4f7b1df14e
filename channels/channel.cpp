#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

Channel Channel::open(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                      std::uint64_t type_hash, std::string_view type_name) {
  Channel channel(LocalChannel::open(member, reference));
  const ChannelHeader& header = channel.local_->view().header();
  if (header.type_hash != type_hash) {
    throw TypeMismatch(channel.local_->description() + " holds messages of type " + header.type_name +
                       ", not " + std::string(type_name) + "; open it with the type it was made with");
  }
  return channel;
}

Channel Channel::create(const std::shared_ptr<Member>& member, const QueueOptions& options,
                        std::uint64_t type_hash, std::string_view type_name) {
  Member::check_not_forked();
  if (options.max_deliveries > max_deliveries_counted) {
    throw InvalidArgument("make_queue: max_deliveries is at most " + std::to_string(max_deliveries_counted) +
                          ", not " + std::to_string(options.max_deliveries));
  }
  ChannelSpec spec;
  spec.capacity = options.capacity;
  spec.inline_size = options.inline_size;
  spec.max_bytes = options.max_bytes;
  spec.name = options.name;
  spec.max_deliveries = options.max_deliveries;
  if (options.dead_letters) spec.dead_letters = options.dead_letters.reference();
  spec.type_hash = type_hash;
  spec.type_name = type_name.substr(0, channel_name_bytes - 1);
  return Channel(LocalChannel::open(member, member->agent().create_channel(spec)));
}

std::optional<std::vector<std::byte>> Channel::get_within(const WaitLimit& limit) const {
  const auto message = local().take(IntentKind::get, limit);
  if (!message) return std::nullopt;
  return std::vector<std::byte>(message->bytes().begin(), message->bytes().end());
}

std::optional<ChannelMessage> Channel::take_within(const WaitLimit& limit) const {
  auto message = local().take(IntentKind::get, limit);
  if (!message) return std::nullopt;
  return ChannelMessage(local_, std::move(*message));
}

std::optional<ChannelLease> Channel::lease_within(const WaitLimit& limit) const {
  auto message = local().take(IntentKind::lease, limit);
  if (!message) return std::nullopt;
  return ChannelLease(local_, std::move(*message));
}

std::optional<ChannelLoan> Channel::loan_within(std::size_t bytes, const WaitLimit& limit) const {
  auto held = local().loan(bytes, limit);
  if (!held) return std::nullopt;
  return ChannelLoan(local_, std::move(*held));
}

bool Channel::put_held(HeldLoan& loan, const WaitLimit& limit) const {
  if (!loan.belongs_to(local())) {
    throw InvalidArgument("put: this loan has been put already, or is one of another queue than " +
                          local().description() + "; a loan is put once, into the queue that gave it");
  }
  return local().put(loan, limit);
}

std::vector<std::vector<std::byte>> Channel::get_many_within(std::size_t most, const WaitLimit& limit) const {
  std::vector<std::vector<std::byte>> messages;
  TakeBatch batch(local(), most, limit);
  TakeBatch::Run run(batch);
  for (auto bytes = run.next(); bytes.data() != nullptr; bytes = run.next())
    messages.emplace_back(bytes.begin(), bytes.end());
  return messages;
}

std::optional<std::uint64_t> Channel::join_within(const WaitLimit& limit) const {
  if (!local().join(limit)) return std::nullopt;
  return lost_count(local().view());
}

std::uint64_t Channel::size_approx() const {
  return ring::size_approx(local().view()) + given_back_count(local().view());
}

void Channel::throw_no_channel() {
  throw InvalidArgument(
      "this queue handle was default-constructed and refers to no queue; get one from make_queue or "
      "open_queue");
}

}  // namespace wyvern
