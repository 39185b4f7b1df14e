#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/colours.hpp>

namespace wyvern::launcher {
namespace {

TEST(Colours, are_shown_on_a_terminal_that_knows_them) {
  EXPECT_TRUE(shows_colours(true, nullptr, "xterm"));
  EXPECT_FALSE(shows_colours(false, nullptr, "xterm"));
  EXPECT_FALSE(shows_colours(true, nullptr, "dumb"));
  EXPECT_FALSE(shows_colours(true, nullptr, nullptr));
}

TEST(Colours, are_off_if_NO_COLOR_is_set_and_not_empty) {
  EXPECT_FALSE(shows_colours(true, "1", "xterm"));
  EXPECT_TRUE(shows_colours(true, "", "xterm"));
}

}  // namespace
}  // namespace wyvern::launcher
