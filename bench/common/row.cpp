#include "bench/common/row.hpp"

#include <stdexcept>

namespace wyvern::bench {

Percentiles percentiles(const Histogram& histogram, double ns_per_unit) {
  const auto at = [&](double share) { return histogram.quantile(share) * ns_per_unit; };
  return {.p50 = at(0.5),
          .p90 = at(0.9),
          .p99 = at(0.99),
          .p999 = at(0.999),
          .max = static_cast<double>(histogram.maximum) * ns_per_unit};
}

std::optional<double> Row::bytes_per_s() const {
  if (!messages_per_s) return std::nullopt;
  return *messages_per_s * static_cast<double>(bytes);
}

double figure(const Row& row) {
  if (row.latency) return row.latency->p50;
  return row.messages_per_s.value_or(0);
}

void compare(Row& ours, const Row& theirs, const std::string& name) {
  const bool by_means = !theirs.latency && theirs.mean_ns && ours.mean_ns;
  const bool is_same_kind = by_means || ours.latency.has_value() == theirs.latency.has_value();
  if (!is_same_kind || ours.repetition != theirs.repetition) {
    throw std::logic_error("rows of different kinds or repetitions cannot be compared");
  }
  const double own = by_means ? *ours.mean_ns : figure(ours);
  const double other = by_means ? *theirs.mean_ns : figure(theirs);
  if (other <= 0) throw std::runtime_error(name + ": nothing was measured");
  ours.ratios[name] = own / other;
}

}  // namespace wyvern::bench
