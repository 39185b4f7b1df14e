#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/info/configuration.hpp>
#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {
namespace {

TEST(Report, text_has_a_line_for_each_value_with_amounts_and_remarks) {
  const Report report{
      {"name", "x"},
      {"inside", {{"memory_bytes", 1536}, {"cores", 2}, {"nothing", Report()}}},
      {"size_bytes", {{"value", 1024}, {"origin", "default"}}},
  };
  std::ostringstream text;
  print_as_text(text, report);
  EXPECT_EQ(text.str(),
            "name: x\ninside:\n  memory: 1.5 KiB\n  cores: 2\n  nothing: none\nsize: 1.0 KiB (default)\n");
}

TEST(Report, json_says_the_same_also_of_bytes_that_are_no_text) {
  const Report report{{"host", "\xff"}, {"memory_bytes", 1536}};
  std::ostringstream text;
  print_as_json(text, report);
  EXPECT_EQ(Report::parse(text.str())["memory_bytes"], 1536);
}

TEST(Report, amounts_have_the_largest_unit_that_leaves_something_before_the_point) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(std::uint64_t{3} << 29), "1.5 GiB");
  EXPECT_EQ(bytes_text(~std::uint64_t{0}), "16.0 EiB");
}

TEST(Configuration, says_of_each_value_where_it_comes_from) {
  ::setenv("FI_UNIVERSE_SIZE", "17", 1);
  ::setenv("FI_SOMETHING_ELSE", "a=b", 1);
  ::unsetenv("FI_OFI_RXM_USE_SRX");
  ::setenv("WYVERN_CGROUP", "off", 1);
  const Report report = report_configuration(
      {.provider = "tcp", .provider_origin = "default", .memory = {.bytes = 5, .origin = "WYVERN_MEMORY"}});
  ::unsetenv("FI_UNIVERSE_SIZE");
  ::unsetenv("FI_SOMETHING_ELSE");
  ::unsetenv("WYVERN_CGROUP");
  EXPECT_EQ(report["provider"], (Report{{"value", "tcp"}, {"origin", "default"}}));
  EXPECT_EQ(report["memory_bytes"], (Report{{"value", 5}, {"origin", "WYVERN_MEMORY"}}));
  EXPECT_EQ(report["cgroup"], (Report{{"value", "off"}, {"origin", "WYVERN_CGROUP"}}));
  EXPECT_EQ(report["FI_UNIVERSE_SIZE"], (Report{{"value", "17"}, {"origin", "environment"}}));
  EXPECT_EQ(report["FI_SOMETHING_ELSE"], (Report{{"value", "a=b"}, {"origin", "environment"}}));
  EXPECT_EQ(report["FI_OFI_RXM_USE_SRX"]["value"], "1");
  EXPECT_TRUE(report["FI_OFI_RXM_USE_SRX"]["origin"].get<std::string>().starts_with("default: "));
}

}  // namespace
}  // namespace wyvern::launcher
