#pragma once

#include <string>
#include <string_view>

namespace wyvern::launcher {

enum class Colour { red, green };

/// Whether text on that descriptor has colours: on a terminal that knows them, unless the user does not want
/// them (NO_COLOR, see https://no-color.org).
bool shows_colours(int descriptor);
/// The same, decided from the values of NO_COLOR and TERM; null: not set.
bool shows_colours(bool is_terminal, const char* no_color, const char* terminal);

std::string painted(std::string_view text, Colour colour);

}  // namespace wyvern::launcher
