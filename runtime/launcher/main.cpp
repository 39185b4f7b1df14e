#include <exception>
#include <iostream>

#include <wyvern/runtime/launcher/launch.hpp>
#include <wyvern/runtime/launcher/options.hpp>

// The `wyvern` command.
int main(int argc, char** argv) {
  try {
    const wyvern::launcher::Parsed parsed = wyvern::launcher::parse_command_line(argc, argv);
    return parsed.run ? wyvern::launcher::launch(*parsed.run) : parsed.status;
  } catch (const std::exception& error) {
    std::cerr << "wyvern: " << error.what() << '\n';
    return wyvern::launcher::usage_status;
  }
}
