#include <exception>
#include <iostream>

#include <wyvern/runtime/agent/node_network.hpp>
#include <wyvern/runtime/launcher/launch.hpp>
#include <wyvern/runtime/launcher/options.hpp>
#include <wyvern/runtime/program.hpp>

// The `wyvern` command.
int main(int argc, char** argv) {
  wyvern::open_missing_streams();
  try {
    const wyvern::launcher::Parsed parsed = wyvern::launcher::parse_command_line(argc, argv);
    return parsed.run ? wyvern::launcher::launch(*parsed.run, wyvern::agent::open_node_network)
                      : parsed.status;
  } catch (const std::exception& error) {
    std::cerr << "wyvern: " << error.what() << '\n';
    return wyvern::launcher::usage_status;
  }
}
