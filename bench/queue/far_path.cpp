#include "bench/queue/far_path.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include <wyvern/core/member.hpp>
#include <wyvern/runtime/protocol/ticket.hpp>

#include "bench/common/command_line.hpp"

namespace wyvern::bench {

void run_on_nodes(std::uint32_t nodes, const std::string& provider, char** argv) {
  if (std::getenv(control::agent_variable) != nullptr) return;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string command = std::filesystem::path(self).parent_path() / "wyvern";
  std::vector<std::string> words{command,      "run",    "--nodes", std::to_string(nodes),
                                 "--provider", provider, "--",      self};
  for (char** argument = argv + 1; *argument != nullptr; ++argument) words.emplace_back(*argument);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(command.c_str(), pointers.data());
  throw BadOption("--path " + provider + " needs " + command +
                  ", which cannot be executed: " + std::generic_category().message(errno));
}

void check_nodes(const Runtime& runtime, std::uint32_t nodes, const std::string& provider) {
  const auto plan = runtime.nodes() < nodes ? std::nullopt : Member::current()->agent().network();
  if (plan && plan->provider == provider) return;
  throw BadOption("--path " + provider + " needs a job of so many nodes: wyvern run --nodes " +
                  std::to_string(nodes) + " --provider " + provider);
}

}  // namespace wyvern::bench
