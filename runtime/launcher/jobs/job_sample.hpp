#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include <wyvern/runtime/observation/job_observer.hpp>

namespace wyvern::launcher {

/// What a queue did between two looks.
struct QueueRates {
  double puts = 0;  ///< a second
  double gets = 0;
};

/// A job at a moment, and what its queues have done since the look before.
struct JobSample {
  observation::JobFigures figures;
  std::optional<double> seconds;  ///< since then; none: this is the first look
  /// For each node and queue of `figures`, in their order; a queue that is new since then has zeros. Empty:
  /// this is the first look.
  std::vector<std::vector<QueueRates>> rates;
};

/// Takes samples of one job. The ring counts nothing for it: rates are differences of the places in the ring
/// that puts and gets have come to.
class JobSampler {
 public:
  using Clock = std::chrono::steady_clock;

  JobSample next(observation::JobFigures figures, Clock::time_point now);

 private:
  struct Counts {
    std::uint64_t puts = 0;
    std::uint64_t gets = 0;
  };
  std::optional<Clock::time_point> last_;
  std::unordered_map<std::uint64_t, Counts> counts_;  // by the id of the queue
};

}  // namespace wyvern::launcher
