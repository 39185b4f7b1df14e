#include <utility>

#include <wyvern/runtime/launcher/jobs/job_report.hpp>

namespace wyvern::launcher {
namespace {

Report report_process(const observation::ProcessFigures& process) {
  return {
      {"puid", process.puid.value()}, {"pid", process.pid}, {"name", process.name}, {"state", process.state}};
}

/// There may be thousands of them, several times a second: fields are put in their places without a copy.
Report report_queue(const ChannelFigures& queue, const QueueRates* rates) {
  constexpr std::size_t most_fields = 16;
  Report report = Report::object();
  auto& fields = report.get_ref<Report::object_t&>();
  fields.reserve(most_fields);
  fields.emplace_back("id", queue.id.value());
  fields.emplace_back("name", queue.name);
  fields.emplace_back("type", queue.type_name);
  fields.emplace_back("capacity", queue.capacity);
  fields.emplace_back("depth", queue.depth);
  fields.emplace_back("puts", queue.puts);
  fields.emplace_back("gets", queue.gets);
  fields.emplace_back("waiting_producers", queue.waiting_putters);
  fields.emplace_back("waiting_consumers", queue.waiting_getters);
  fields.emplace_back("to_deliver_again", queue.given_back);
  fields.emplace_back("leased", queue.leased);
  fields.emplace_back("lost", queue.lost);
  fields.emplace_back("closed", queue.closed);
  fields.emplace_back("dead_letters", queue.dead_letters ? Report(queue.dead_letters.value()) : Report());
  if (rates != nullptr) {
    fields.emplace_back("puts_per_second", rates->puts);
    fields.emplace_back("gets_per_second", rates->gets);
  }
  return report;
}

Report report_node(const observation::NodeFigures& node, const std::vector<QueueRates>* rates) {
  Report processes = Report::array();
  for (const observation::ProcessFigures& process : node.processes)
    processes.push_back(report_process(process));
  Report queues = Report::array();
  for (std::size_t i = 0; i < node.queues.size(); ++i)
    queues.push_back(report_queue(node.queues[i], rates != nullptr ? &(*rates)[i] : nullptr));
  Report report{{"node", node.node},
                {"agent", node.agent},
                {"memory_bytes", node.memory},
                {"memory_ceiling_bytes", node.memory_ceiling}};
  report["processes"] = std::move(processes);
  report["queues"] = std::move(queues);
  return report;
}

Report report_job(const JobSample& job) {
  Report nodes = Report::array();
  for (std::size_t i = 0; i < job.figures.nodes.size(); ++i)
    nodes.push_back(report_node(job.figures.nodes[i], job.seconds ? &job.rates[i] : nullptr));
  Report report{
      {"job", job.figures.job}, {"program", job.figures.program}, {"nodes_of_job", job.figures.nodes_of_job}};
  if (job.seconds) report["seconds"] = *job.seconds;
  report["nodes"] = std::move(nodes);
  return report;
}

}  // namespace

Report report_jobs(const std::vector<JobSample>& jobs) {
  Report listed = Report::array();
  for (const JobSample& job : jobs) listed.push_back(report_job(job));
  Report report = Report::object();
  report["jobs"] = std::move(listed);
  return report;
}

}  // namespace wyvern::launcher
