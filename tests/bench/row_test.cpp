#include "bench/common/row.hpp"

#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

Row latency_row(double p50, std::uint32_t repetition = 0) {
  Row row;
  row.repetition = repetition;
  row.latency = Percentiles{.p50 = p50};
  return row;
}

Row throughput_row(double messages_per_s) {
  Row row;
  row.bytes = 64;
  row.messages_per_s = messages_per_s;
  return row;
}

TEST(RowTest, latencies_are_compared_by_their_median) {
  Row ours = latency_row(130);
  compare(ours, latency_row(65), "flag");
  EXPECT_DOUBLE_EQ(ours.ratios.at("flag"), 2);
}

TEST(RowTest, latency_counts_also_when_the_rate_is_known) {
  Row ours = latency_row(100);
  ours.messages_per_s = 1;
  EXPECT_EQ(figure(ours), 100);
}

TEST(RowTest, throughputs_are_compared_by_their_rate) {
  Row ours = throughput_row(12e6);
  compare(ours, throughput_row(8e6), "boost");
  EXPECT_DOUBLE_EQ(ours.ratios.at("boost"), 1.5);
}

TEST(RowTest, ratios_to_several_stand_side_by_side) {
  Row ours = latency_row(100);
  compare(ours, latency_row(50), "flag");
  compare(ours, latency_row(400), "libfabric-shm");
  EXPECT_EQ(ours.ratios.size(), 2U);
  EXPECT_DOUBLE_EQ(ours.ratios.at("libfabric-shm"), 0.25);
}

TEST(RowTest, rows_of_different_kinds_are_not_compared) {
  Row ours = latency_row(100);
  EXPECT_THROW(compare(ours, throughput_row(1e6), "boost"), std::logic_error);
}

TEST(RowTest, rows_of_different_repetitions_are_not_compared) {
  Row ours = latency_row(100, 1);
  EXPECT_THROW(compare(ours, latency_row(100, 2), "flag"), std::logic_error);
}

TEST(RowTest, a_baseline_without_a_figure_is_an_error) {
  Row ours = latency_row(100);
  EXPECT_THROW(compare(ours, latency_row(0), "flag"), std::runtime_error);
}

TEST(RowTest, bytes_per_second_follow_from_the_rate) {
  EXPECT_EQ(throughput_row(1e6).bytes_per_s(), 64e6);
  EXPECT_EQ(latency_row(1).bytes_per_s(), std::nullopt);
}

TEST(RowTest, percentiles_are_in_nanoseconds) {
  const auto histogram = std::make_unique<Histogram>();
  for (std::uint64_t value = 1; value <= 100; ++value) histogram->record(value);
  const Percentiles half = percentiles(*histogram, 0.5);
  EXPECT_DOUBLE_EQ(half.p50, 25);
  EXPECT_DOUBLE_EQ(half.p90, 45);
  EXPECT_DOUBLE_EQ(half.p99, 49.5);
  EXPECT_DOUBLE_EQ(half.max, 50);
}

}  // namespace
}  // namespace wyvern::bench
