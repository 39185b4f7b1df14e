#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>
#include <wyvern/runtime/protocol/node_requests.hpp>
#include <wyvern/runtime/queue_names.hpp>

namespace wyvern::queue_names {
namespace {

using node_request::NamedObject;

const SegmentHeader& node_of(const std::shared_ptr<Member>& member) { return member->segment().header(); }

bool is_kept_here(const std::shared_ptr<Member>& member) {
  return node_of(member).node == node_request::names_node;
}

std::optional<ObjectReference> find_here(const std::shared_ptr<Member>& member, const std::string& name,
                                         Deadline deadline) {
  while (true) {
    const std::uint32_t seen = name_changes(*member);  // before the search: a name that comes is not missed
    if (const auto found = member->agent().find_object(name)) return found;
    if (!wait_for_name_change(member, seen, deadline)) return std::nullopt;
  }
}

std::optional<NamedObject> ask(const std::shared_ptr<Member>& member, const node_request::Any& request,
                               Deadline deadline) {
  const auto answer = remote_access(member, node_request::names_node)
                          .ask_agent(node_request::names_node, node_request::encode(request), deadline);
  if (!answer) return std::nullopt;
  return decode_from<NamedObject>(*answer);
}

/// Its home does not have it any more, or has gone itself.
bool has_gone(const std::shared_ptr<Member>& member, const ObjectReference& reference) {
  try {
    return !Channel::exists(member, reference);
  } catch (const NodeLost&) {
    if (reference.id.node() == node_of(member).node) throw;
    return true;
  }
}

}  // namespace

std::optional<ObjectReference> find(const std::shared_ptr<Member>& member, const std::string& name,
                                    Deadline deadline) {
  if (is_kept_here(member)) return find_here(member, name, deadline);
  const auto found = ask(member, node_request::FindName{.name = name, .is_now = deadline.is_now()},
                         deadline.is_now() ? Deadline::never() : deadline);
  if (!found || found->id == 0) return std::nullopt;
  return found->reference();
}

void forget(const std::shared_ptr<Member>& member, const std::string& name,
            const ObjectReference& reference) {
  if (reference.id.node() == node_request::names_node) return;  // it does that by itself
  ask(member, node_request::BindName{.name = name, .id = 0, .index = 0, .instead_of = reference.id.value()},
      Deadline::never());
}

void prepare(const std::shared_ptr<Member>& member, const std::string& name, std::uint32_t node) {
  if (name.empty() || node_of(member).nodes == 1 || node != node_request::names_node) return;
  const auto holder = find(member, name, Deadline::now());
  if (holder && has_gone(member, *holder)) forget(member, name, *holder);
}

void claim(const std::shared_ptr<Member>& member, const std::string& name, const ObjectReference& reference) {
  if (name.empty() || reference.id.node() == node_request::names_node) return;
  node_request::BindName bind{
      .name = name, .id = reference.id.value(), .index = reference.index, .instead_of = 0};
  while (true) {
    const auto holder = ask(member, bind, Deadline::never());
    if (holder->id == reference.id.value()) return;
    if (!has_gone(member, holder->reference())) {
      throw InvalidArgument("make_queue: there is a queue with the name '" + name + "' on node " +
                            std::to_string(ObjectId(holder->id).node()) + "; open_queue opens it");
    }
    bind.instead_of = holder->id;
  }
}

}  // namespace wyvern::queue_names
