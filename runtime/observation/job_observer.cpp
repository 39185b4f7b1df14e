#include <algorithm>
#include <map>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/observation/find_agents.hpp>
#include <wyvern/runtime/observation/job_observer.hpp>

namespace wyvern::observation {

JobObserver::JobObserver(std::vector<std::unique_ptr<NodeObserver>> nodes) : nodes_(std::move(nodes)) {
  std::ranges::sort(nodes_, {}, [](const auto& node) { return node->segment().node(); });
}

std::string JobObserver::program() const { return nodes_.front()->head_name(); }

bool JobObserver::is_same(const JobObserver& other) const {
  return job() == other.job() && nodes_.front()->pid_namespace() == other.nodes_.front()->pid_namespace();
}

void JobObserver::add_nodes(JobObserver&& other) {
  for (auto& node : other.nodes_) {
    const std::uint32_t number = node->segment().node();
    const auto place = std::ranges::lower_bound(nodes_, number, {},
                                                [](const auto& known) { return known->segment().node(); });
    // A node that is lost does not come again.
    if (place == nodes_.end() || (*place)->segment().node() != number) nodes_.insert(place, std::move(node));
  }
}

bool JobObserver::has_ended() const {
  return std::ranges::all_of(nodes_, [](const auto& node) { return node->has_ended(); });
}

JobFigures JobObserver::observe() const {
  JobFigures figures{
      .job = job(), .program = {}, .nodes_of_job = nodes_.front()->segment().nodes(), .nodes = {}};
  for (const auto& node : nodes_) {
    if (!node->has_ended()) figures.nodes.push_back(node->observe());
  }
  for (const NodeFigures& node : figures.nodes) {
    for (const ProcessFigures& process : node.processes) {
      if (node.node == head_node && process.puid.sequence() == 0) figures.program = process.name;
    }
  }
  return figures;
}

FoundJobs find_jobs() {
  FoundJobs found;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<std::unique_ptr<NodeObserver>>> nodes;
  for (const AgentSeen& agent : find_agents()) {
    try {
      if (auto node = NodeObserver::of_agent(agent.pid))
        nodes[{node->segment().job(), node->pid_namespace()}].push_back(std::move(node));
    } catch (const Error& error) {
      found.problems.emplace_back(error.what());
    }
  }
  for (auto& [job, of_job] : nodes) found.jobs.emplace_back(std::move(of_job));
  return found;
}

}  // namespace wyvern::observation
