#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/duration.hpp>

namespace wyvern::launcher {
namespace {

using std::chrono::milliseconds;

TEST(Duration, is_a_number_of_seconds_or_of_what_its_unit_says) {
  EXPECT_EQ(parse_duration("90"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("1.5s"), milliseconds(1500));
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  EXPECT_EQ(parse_duration("10m"), milliseconds(600'000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("1d"), milliseconds(86'400'000));
}

TEST(Duration, is_a_millisecond_at_least_and_a_year_at_most) {
  EXPECT_EQ(parse_duration("1ms"), milliseconds(1));
  EXPECT_EQ(parse_duration("365d"), std::chrono::hours(24 * 365));
  for (const char* text : {"0", "0.5ms", "366d", "-1"}) {
    EXPECT_THROW(parse_duration(text), InvalidArgument) << text;
  }
}

TEST(Duration, anything_else_is_refused_with_what_was_expected) {
  for (const char* text : {"", "s", "soon", "5 s", "5w", "1e3", "nan", "inf", "1:30"}) {
    try {
      parse_duration(text);
      ADD_FAILURE() << text;
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find("for example 90, 1.5s, 10m or 2h"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace wyvern::launcher
