#include <utility>

#include <wyvern/runtime/launcher/jobs/job_sample.hpp>

namespace wyvern::launcher {
namespace {

/// A look may see less than the one before: a hint that lags is put right as far as the ring tells.
double per_second(std::uint64_t before, std::uint64_t now, double seconds) {
  return now > before ? static_cast<double>(now - before) / seconds : 0;
}

}  // namespace

JobSample JobSampler::next(observation::JobFigures figures, Clock::time_point now) {
  JobSample sample{.figures = std::move(figures), .seconds = {}, .rates = {}};
  if (last_ && now > *last_) sample.seconds = std::chrono::duration<double>(now - *last_).count();
  std::unordered_map<std::uint64_t, Counts> counts;
  for (const observation::NodeFigures& node : sample.figures.nodes) {
    std::vector<QueueRates>* const rates = sample.seconds ? &sample.rates.emplace_back() : nullptr;
    for (const ChannelFigures& queue : node.queues) {
      const Counts current{.puts = queue.puts, .gets = queue.gets};
      counts.emplace(queue.id.value(), current);
      if (rates == nullptr) continue;
      const auto before = counts_.find(queue.id.value());
      const Counts past = before != counts_.end() ? before->second : current;
      rates->push_back({.puts = per_second(past.puts, current.puts, *sample.seconds),
                        .gets = per_second(past.gets, current.gets, *sample.seconds)});
    }
  }
  counts_ = std::move(counts);
  last_ = now;
  return sample;
}

}  // namespace wyvern::launcher
