#include "bench/common/json.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace wyvern::bench {
namespace {

TEST(JsonTest, has_machine_and_a_result_for_each_row) {
  Row row;
  row.benchmark = "latency";
  row.system = "wyvern";
  row.bytes = 64;
  row.repetition = 3;
  row.messages = 1000;
  row.latency = Percentiles{.p50 = 130, .p90 = 140, .p99 = 150, .p999 = 160, .max = 170};
  row.messages_per_s = 2e6;
  row.ratios["flag"] = 2.5;
  const auto document = nlohmann::json::parse(to_json({{"processor", "a \"fast\" one"}}, {row, row}));

  EXPECT_EQ(document["machine"]["processor"], "a \"fast\" one");
  ASSERT_EQ(document["results"].size(), 2U);
  const auto& result = document["results"][0];
  EXPECT_EQ(result["benchmark"], "latency");
  EXPECT_EQ(result["system"], "wyvern");
  EXPECT_EQ(result["path"], "local");
  EXPECT_EQ(result["bytes"], 64);
  EXPECT_EQ(result["producers"], 1);
  EXPECT_EQ(result["consumers"], 1);
  EXPECT_EQ(result["batch"], 1);
  EXPECT_EQ(result["repetition"], 3);
  EXPECT_EQ(result["messages"], 1000);
  EXPECT_EQ(result["p50_ns"], 130);
  EXPECT_EQ(result["p90_ns"], 140);
  EXPECT_EQ(result["p99_ns"], 150);
  EXPECT_EQ(result["p999_ns"], 160);
  EXPECT_EQ(result["max_ns"], 170);
  EXPECT_EQ(result["messages_per_s"], 2e6);
  EXPECT_EQ(result["bytes_per_s"], 128e6);
  EXPECT_EQ(result["ratios"]["flag"], 2.5);
}

TEST(JsonTest, what_was_not_measured_is_null) {
  const auto document = nlohmann::json::parse(to_json({}, {Row{}}));
  const auto& result = document["results"][0];
  EXPECT_TRUE(result["p50_ns"].is_null());
  EXPECT_TRUE(result["messages_per_s"].is_null());
  EXPECT_TRUE(result["ratios"].is_object());
  EXPECT_TRUE(result["ratios"].empty());
}

}  // namespace
}  // namespace wyvern::bench
