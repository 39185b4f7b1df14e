#include <unistd.h>

#include <cstdlib>

#include <wyvern/runtime/launcher/colours.hpp>

namespace wyvern::launcher {

bool shows_colours(int descriptor) {
  return shows_colours(::isatty(descriptor) == 1, std::getenv("NO_COLOR"), std::getenv("TERM"));
}

bool shows_colours(bool is_terminal, const char* no_color, const char* terminal) {
  const bool unwanted = no_color != nullptr && *no_color != '\0';
  return is_terminal && !unwanted && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string painted(std::string_view text, Colour colour) {
  return (colour == Colour::red ? "\033[1;31m" : "\033[1;32m") + std::string(text) + "\033[0m";
}

}  // namespace wyvern::launcher
