#include <unistd.h>

#include <iostream>

#include <wyvern/runtime/launcher/colours.hpp>
#include <wyvern/runtime/launcher/complain.hpp>

namespace wyvern::launcher {

int complain(std::string_view sentence) {
  constexpr std::string_view who = "wyvern:";
  std::cerr << (shows_colours(STDERR_FILENO) ? painted(who, Colour::red) : std::string(who)) << ' '
            << sentence.substr(0, sentence.find('\n')) << std::endl;
  return usage_status;
}

}  // namespace wyvern::launcher
