#include <algorithm>
#include <charconv>
#include <iostream>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/options.hpp>
#include <wyvern/runtime/memory_size.hpp>
#include <wyvern/transport/provider_table.hpp>

namespace wyvern::launcher {
namespace {

/// Where PROGRAM stands after `run`: everything from there on is the program's and not looked at.
std::size_t find_program(const CLI::App& run, const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") return i + 1;
    if (!argument.starts_with('-')) return i;
    const CLI::Option* option = run.get_option_no_throw(argument);
    if (option != nullptr && option->get_items_expected_min() > 0) ++i;  // its value is the next one
  }
  return arguments.size();
}

/// Digits only: CLI11 takes "1e1" and "0x10" for numbers, too.
std::uint32_t parse_nodes(const std::string& text) {
  std::uint32_t nodes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nodes);
  if (error != std::errc() || end != text.data() + text.size() || nodes < 1 || nodes > max_nodes) {
    throw InvalidArgument("--nodes is a number from 1 to " + std::to_string(max_nodes) + ", not '" + text +
                          "'");
  }
  return nodes;
}

std::uint64_t memory_ceiling(const std::string& text) {
  if (text.empty()) return memory_ceiling_from_environment();
  try {
    return parse_memory_size(text);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument("--memory: " + std::string(error.what()));
  }
}

/// Whether it can be asked for is known without loading libfabric; whether this machine has it is not.
void check_provider(const std::string& provider) {
  std::string known;
  for (const ProviderTraits& traits : provider_table()) {
    if (traits.use == ProviderUse::never) continue;
    if (provider == traits.name || provider == traits.request) return;
    if (known.find(traits.request) == std::string::npos) known += " " + std::string(traits.request);
  }
  throw InvalidArgument("--provider: there is none of the name '" + provider + "', known are" + known);
}

/// One sentence, without the hints of several lines that CLI11 adds.
int complain(const std::string& problem) {
  std::cerr << "wyvern: " << problem.substr(0, problem.find('\n')) << "; see wyvern --help\n";
  return usage_status;
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
  RunOptions options;
  std::string memory;
  std::string nodes;
  std::string provider;
  CLI::App app("Runs programs whose processes share queues.", "wyvern");
  app.set_version_flag("--version", "wyvern " WYVERN_VERSION);
  app.require_subcommand(1);

  CLI::App* run = app.add_subcommand(
      "run",
      "run [OPTIONS] [--] PROGRAM [ARGUMENTS...]\nRun PROGRAM as the head process of a job on this machine.");
  run->add_option(
      "--nodes", nodes,
      "Nodes on this machine, which share no memory (default: 1; at most " + std::to_string(max_nodes) + ")");
  run->add_option(
      "--provider", provider,
      "The libfabric provider by which nodes reach each other (default: " + options.provider + ")");
  run->add_option(
      "--memory", memory,
      "Shared memory that the job may use, for example 512M or 4G (default: half of the machine's)");
  run->add_flag("--label", options.label, "Put \"[puid] \" before every line of output");
  run->footer(
      "The program's standard input is the command's. The last line on standard output is\n"
      "\"+++ head proc exited, code C\", and C, or 128 plus the signal that killed it, the exit status.");

  std::vector<std::string> own(argv + 1, argv + argc);
  if (!own.empty() && own.front() == "run") {
    const std::vector<std::string> behind(own.begin() + 1, own.end());
    const auto program = static_cast<std::ptrdiff_t>(find_program(*run, behind));
    options.program.assign(behind.begin() + program, behind.end());
    own.resize(static_cast<std::size_t>(program) + 1);
    if (own.back() == "--") own.pop_back();
  }
  try {
    std::reverse(own.begin(), own.end());  // as CLI11 wants it
    app.parse(own);
    if (options.program.empty()) return {.run = {}, .status = complain("there is no PROGRAM to run")};
    if (run->count("--nodes") > 0) options.nodes = parse_nodes(nodes);
    if (run->count("--provider") > 0) {
      if (options.nodes == 1)
        throw InvalidArgument("--provider is for more than one node: give --nodes, too");
      check_provider(provider);
      options.provider = provider;
    }
    options.memory_ceiling = memory_ceiling(memory);
  } catch (const CLI::Success& asked) {
    return {.run = {}, .status = app.exit(asked)};  // for help, or for the version
  } catch (const CLI::ParseError& error) {
    return {.run = {}, .status = complain(error.what())};
  } catch (const InvalidArgument& error) {
    return {.run = {}, .status = complain(error.what())};
  }
  return {.run = std::move(options), .status = 0};
}

}  // namespace wyvern::launcher
