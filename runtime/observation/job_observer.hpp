#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <wyvern/runtime/observation/node_observer.hpp>

namespace wyvern::observation {

/// A job at a moment.
struct JobFigures {
  pid_t job = 0;
  std::string program;             ///< the name of its first process; empty: it cannot be seen
  std::uint32_t nodes_of_job = 1;  ///< of which there may be fewer here
  std::vector<NodeFigures> nodes;  ///< those of this machine, by number
};

/// A running job of this user on this machine, for who only looks at it. Used by one thread.
class JobObserver {
 public:
  /// `nodes`: at least one, all of the same job.
  explicit JobObserver(std::vector<std::unique_ptr<NodeObserver>> nodes);

  /// What began it and users call it by: the pid of the launcher, or of a head that was run directly.
  pid_t job() const { return static_cast<pid_t>(nodes_.front()->segment().job()); }
  /// The name of its first process; empty: it cannot be seen.
  std::string program() const;
  /// Whether the other is the same job, of which it may have seen other nodes.
  bool is_same(const JobObserver& other) const;
  /// Takes in nodes of the same job that it does not have.
  void add_nodes(JobObserver&& other);
  const std::vector<std::unique_ptr<NodeObserver>>& nodes() const { return nodes_; }
  /// Whether all its nodes have.
  bool has_ended() const;
  /// Without the nodes that have ended.
  JobFigures observe() const;

 private:
  std::vector<std::unique_ptr<NodeObserver>> nodes_;
};

struct FoundJobs {
  std::vector<JobObserver> jobs;      ///< by the pids that began them
  std::vector<std::string> problems;  ///< why others cannot be looked at, one sentence each
};

/// All jobs of this user that run on this machine now. Looks at every process of the machine.
FoundJobs find_jobs();

}  // namespace wyvern::observation
