#include <wyvern/channels/channel.hpp>
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
  ChannelSpec spec;
  spec.capacity = options.capacity;
  spec.inline_size = options.inline_size;
  spec.max_bytes = options.max_bytes;
  spec.name = options.name;
  spec.type_hash = type_hash;
  spec.type_name = type_name.substr(0, channel_name_bytes - 1);
  return Channel(LocalChannel::open(member, member->agent().create_channel(spec)));
}

std::optional<std::vector<std::byte>> Channel::get_until(Deadline deadline) {
  const auto message = local().get(deadline);
  if (!message) return std::nullopt;
  return std::vector<std::byte>(message->bytes().begin(), message->bytes().end());
}

void Channel::throw_no_channel() {
  throw InvalidArgument(
      "this queue handle was default-constructed and refers to no queue; get one from make_queue or "
      "open_queue");
}

}  // namespace wyvern
