#include "bench/common/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace wyvern::bench {

void Histogram::add(const Histogram& other) {
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) counts[bucket] += other.counts[bucket];
  count += other.count;
  sum += other.sum;
  maximum = std::max(maximum, other.maximum);
}

double Histogram::quantile(double share) const {
  if (count == 0) return 0;
  const auto total = static_cast<double>(count);
  const double rank = std::clamp(std::ceil(share * total), 1.0, total);
  double below = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    const auto here = static_cast<double>(counts[bucket]);
    if (below + here >= rank) {
      const auto start = static_cast<double>(bucket_start(bucket));
      const auto width = static_cast<double>(bucket_start(bucket + 1)) - start;
      // The values of a bucket are taken to lie evenly in it.
      return std::min(start + (width - 1) * (rank - below) / here, static_cast<double>(maximum));
    }
    below += here;
  }
  return static_cast<double>(maximum);
}

}  // namespace wyvern::bench
