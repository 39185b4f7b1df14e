#include <wyvern/core/exit_wait.hpp>
#include <wyvern/runtime/runtime.hpp>

namespace wyvern {

Channel Runtime::make_channel(const QueueOptions& options) const {
  return Channel::create(member_, options, raw_bytes_type_hash, raw_bytes_type_name);
}

std::optional<ObjectReference> Runtime::find_object(const std::string& name, Deadline deadline) const {
  Member::check_not_forked();
  while (true) {
    const std::uint32_t seen =
        name_changes(*member_);  // before the search: a name that comes during it is not missed
    if (const auto found = member_->agent().find_object(name)) return found;
    if (!wait_for_name_change(member_, seen, deadline)) return std::nullopt;
  }
}

}  // namespace wyvern
