#include "bench/common/histogram.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

/// Too large for a stack.
std::unique_ptr<Histogram> histogram_of(const std::vector<std::uint64_t>& values) {
  auto histogram = std::make_unique<Histogram>();
  for (const std::uint64_t value : values) histogram->record(value);
  return histogram;
}

TEST(HistogramTest, empty_has_zero_for_every_quantile) {
  const auto histogram = histogram_of({});
  EXPECT_EQ(histogram->quantile(0.5), 0);
  EXPECT_EQ(histogram->quantile(1), 0);
}

TEST(HistogramTest, buckets_join_without_gap_or_overlap) {
  for (std::size_t bucket = 0; bucket + 1 < Histogram::buckets; ++bucket) {
    const std::uint64_t start = Histogram::bucket_start(bucket);
    const std::uint64_t next = Histogram::bucket_start(bucket + 1);
    ASSERT_LT(start, next);
    ASSERT_EQ(Histogram::bucket_of(start), bucket);
    ASSERT_EQ(Histogram::bucket_of(next - 1), bucket);
  }
}

TEST(HistogramTest, buckets_are_at_most_a_128th_of_their_value_wide) {
  for (std::size_t bucket = 256; bucket + 1 < Histogram::buckets; ++bucket) {
    const std::uint64_t start = Histogram::bucket_start(bucket);
    ASSERT_LE((Histogram::bucket_start(bucket + 1) - start) * 128, start);
  }
}

TEST(HistogramTest, small_values_are_exact) {
  const auto histogram = histogram_of({10, 20, 30, 40, 255});
  EXPECT_EQ(histogram->quantile(0.2), 10);
  EXPECT_EQ(histogram->quantile(0.5), 30);
  EXPECT_EQ(histogram->quantile(0.8), 40);
  EXPECT_EQ(histogram->quantile(1), 255);
}

TEST(HistogramTest, one_value_is_every_quantile) {
  const auto histogram = histogram_of({1'000'003});
  EXPECT_NEAR(histogram->quantile(0), 1'000'003, 1'000'003.0 / 128);
  EXPECT_EQ(histogram->maximum, 1'000'003U);
  EXPECT_LE(histogram->quantile(1), 1'000'003);
}

TEST(HistogramTest, quantiles_agree_with_sorting) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> distribution(6, 2);
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 100'000; ++i) values.push_back(static_cast<std::uint64_t>(distribution(random)));
  const auto histogram = histogram_of(values);
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact =
        static_cast<double>(values[static_cast<std::size_t>(share * static_cast<double>(values.size())) - 1]);
    EXPECT_NEAR(histogram->quantile(share), exact, exact / 128 + 1) << share;
  }
}

TEST(HistogramTest, value_beyond_the_range_keeps_its_maximum) {
  const std::uint64_t huge = std::uint64_t{1} << 50;
  const auto histogram = histogram_of({huge});
  EXPECT_EQ(histogram->maximum, huge);
  EXPECT_EQ(histogram->count, 1U);
  EXPECT_GE(histogram->quantile(0.5),
            static_cast<double>((std::uint64_t{1} << 40) - (std::uint64_t{1} << 33)));
}

TEST(HistogramTest, sum_of_two_is_that_of_all_values) {
  auto first = histogram_of({1, 2, 3});
  const auto second = histogram_of({400, 500});
  first->add(*second);
  EXPECT_EQ(first->count, 5U);
  EXPECT_EQ(first->sum, 906U);
  EXPECT_EQ(first->maximum, 500U);
  EXPECT_EQ(first->quantile(0.5), 3);
}

TEST(HistogramTest, clear_makes_it_empty) {
  auto histogram = histogram_of({5, 500});
  histogram->clear();
  EXPECT_EQ(histogram->count, 0U);
  EXPECT_EQ(histogram->maximum, 0U);
  EXPECT_EQ(histogram->quantile(0.5), 0);
}

}  // namespace
}  // namespace wyvern::bench
