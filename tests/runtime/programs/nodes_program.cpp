// Runs a job of several nodes as `wyvern run --label` does, but with a network that only starts processes:
// nodes_program COMMAND... -- PROGRAM [ARGUMENTS...]. Node 2 starts the first command in a shell before
// PROGRAM starts on node 1, node 3 the second one, and so on; there are as many nodes. Commands that are
// none: "nothing", and "fail", "die", "hang" for what a network does when it is opened.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/complain.hpp>
#include <wyvern/runtime/launcher/launch.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::test {
namespace {

class StartingNetwork final : public agent::Network {
 public:
  StartingNetwork(const agent::NetworkSurroundings& surroundings, std::string command)
      : surroundings_(surroundings), command_(std::move(command)), address_(surroundings.node, std::byte{1}) {
    if (command_ == "fail") throw NotFound("there is no such network");
    if (command_ == "die") ::_exit(0);
    while (command_ == "hang") ::pause();
  }

  std::span<const std::byte> address() const override { return address_; }

  int plan() const override { return -1; }
  void answer_waiting() override {}
  void process_ended(Puid, std::uint64_t) override {}
  void set_nodes(std::vector<std::vector<std::byte>> addresses) override {
    if (addresses.size() != surroundings_.options.nodes)
      throw InvalidArgument("not all nodes have an address");
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if (addresses[i].size() != i + 1) throw InvalidArgument("a node has another's address");
    }
    if (command_ == "nothing") return;
    const FileDescriptor shell(::open("/bin/sh", O_PATH | O_CLOEXEC));
    surroundings_.processes.start(
        Puid::make(0, head_node, 0),
        control::write_start_payload(control::encode_start_payload({.arguments = {"sh", "-c", command_},
                                                                    .environment = program_environment(),
                                                                    .entry = {},
                                                                    .references = {}})),
        shell, open_working_directory());
  }

 private:
  agent::NetworkSurroundings surroundings_;
  std::string command_;
  std::vector<std::byte> address_;
};

}  // namespace
}  // namespace wyvern::test

int main(int argc, char** argv) {
  using namespace wyvern;
  open_missing_streams();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto separator = std::ranges::find(arguments, "--");
  std::vector<std::string> commands(arguments.begin(), separator);
  commands.insert(commands.begin(), "nothing");
  launcher::RunOptions options;
  options.nodes = static_cast<std::uint32_t>(commands.size());
  options.memory_ceiling = std::uint64_t{256} << 20;
  options.label = true;
  options.program.assign(std::next(separator), arguments.end());
  try {
    return launcher::launch(options, [&](const agent::NetworkSurroundings& surroundings) {
      return std::make_unique<test::StartingNetwork>(surroundings, commands.at(surroundings.node - 1));
    });
  } catch (const std::exception& error) {
    return launcher::complain(error.what());
  }
}
