#include "bench/common/table.hpp"

#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

std::string table(const std::vector<Row>& rows) {
  std::ostringstream out;
  print_table(out, rows);
  return out.str();
}

Row throughput_row(const std::string& system, double rate, double ratio) {
  Row row;
  row.benchmark = "throughput";
  row.system = system;
  row.bytes = 64;
  row.messages_per_s = rate;
  if (ratio > 0) row.ratios["boost"] = ratio;
  return row;
}

TEST(TableTest, shows_medians_and_the_spread_of_the_paired_ratios) {
  const std::string text = table({throughput_row("wyvern", 10e6, 1.5), throughput_row("boost", 5e6, 0),
                                  throughput_row("wyvern", 30e6, 4), throughput_row("boost", 6e6, 0),
                                  throughput_row("wyvern", 20e6, 2), throughput_row("boost", 7e6, 0)});
  EXPECT_NE(text.find("throughput, 64 bytes, 1x1, local; medians of 3 repetitions"), std::string::npos)
      << text;
  EXPECT_NE(text.find("20.000 M/s"), std::string::npos) << text;
  EXPECT_NE(text.find("6.000 M/s"), std::string::npos) << text;
  EXPECT_NE(text.find("2.000  (1.500 to 4.000)"), std::string::npos) << text;
}

TEST(TableTest, cases_are_kept_apart) {
  Row large = throughput_row("wyvern", 1e6, 0);
  large.bytes = 4096;
  const std::string text = table({throughput_row("wyvern", 10e6, 0), large});
  EXPECT_NE(text.find("throughput, 64 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("throughput, 4096 bytes"), std::string::npos) << text;
}

TEST(TableTest, nothing_measured_is_an_empty_table) { EXPECT_EQ(table({}), ""); }

}  // namespace
}  // namespace wyvern::bench
