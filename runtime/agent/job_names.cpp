#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/job_names.hpp>

namespace wyvern::agent {

std::optional<ObjectReference> JobNames::find(const std::string& name) const {
  const auto own = keeper_.look_up(name);
  return own ? own : find_of_other_nodes(name);
}

std::optional<ObjectReference> JobNames::find_of_other_nodes(const std::string& name) const {
  const auto found = of_other_nodes_.find(name);
  return found == of_other_nodes_.end() ? std::nullopt : std::optional(found->second);
}

void JobNames::check_is_free(const std::string& name) const {
  const auto found = find_of_other_nodes(name);
  if (!found) return;
  throw InvalidArgument("make_queue: there is a queue with the name '" + name + "' on node " +
                        std::to_string(found->id.node()) + "; open_queue opens it");
}

ObjectReference JobNames::bind(const std::string& name, const ObjectReference& object, ObjectId instead_of) {
  const auto holder = find(name);
  if (holder && holder->id != instead_of) return *holder;
  if (!object.id) {
    of_other_nodes_.erase(name);
    return object;
  }
  of_other_nodes_[name] = object;
  keeper_.announce_name();
  return object;
}

}  // namespace wyvern::agent
