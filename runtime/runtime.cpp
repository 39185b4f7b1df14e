#include <wyvern/runtime/queue_names.hpp>
#include <wyvern/runtime/runtime.hpp>
#include <wyvern/runtime/start_options.hpp>

namespace wyvern {

Channel Runtime::make_channel(const QueueOptions& options) const {
  prepare_name(options);
  Channel channel = Channel::create(member_, options, raw_bytes_type_hash, raw_bytes_type_name);
  claim_name(options, channel.reference());
  return channel;
}

std::optional<ObjectReference> Runtime::find_object(const std::string& name, Deadline deadline) const {
  Member::check_not_forked();
  return queue_names::find(member_, name, deadline);
}

void Runtime::forget_name(const std::string& name, const ObjectReference& reference) const {
  queue_names::forget(member_, name, reference);
}

void Runtime::prepare_name(const QueueOptions& options) const {
  Member::check_not_forked();
  queue_names::prepare(member_, options.name, options.node != 0 ? options.node : node());
}

void Runtime::claim_name(const QueueOptions& options, const ObjectReference& reference) const {
  queue_names::claim(member_, options.name, reference);
}

void Runtime::check_options(const ProcessOptions& options) const {
  Member::check_not_forked();
  start_options::check(*member_, options);
}

Process Runtime::start_of_program(const ProcessOptions& options, std::vector<std::string> arguments) const {
  check_options(options);
  start_options::check_program(arguments);
  return Process(member_, options, std::move(arguments));
}

}  // namespace wyvern
