#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/core/object_reference.hpp>

namespace wyvern::agent {

/// The names of queues as the agent knows them: of its own node's, and, on the node that keeps names, of the
/// other nodes'. Whether one of these still is there only its home knows. For the agent's thread.
class JobNames {
 public:
  explicit JobNames(Keeper& keeper) : keeper_(keeper) {}

  std::optional<ObjectReference> find(const std::string& name) const;
  std::optional<ObjectReference> find_of_other_nodes(const std::string& name) const;
  /// Throws InvalidArgument if a queue of another node has that name.
  void check_is_free(const std::string& name) const;
  /// Who has the name from now on: `object` (nobody, if it has no id), unless another one than `instead_of`
  /// has it.
  ObjectReference bind(const std::string& name, const ObjectReference& object, ObjectId instead_of);

 private:
  Keeper& keeper_;
  std::unordered_map<std::string, ObjectReference> of_other_nodes_;
};

}  // namespace wyvern::agent
