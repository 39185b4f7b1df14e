#include <charconv>

#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/duration.hpp>
#include <wyvern/runtime/launcher/run_command.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {
namespace {

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

std::chrono::milliseconds parse_timeout(const std::string& text) {
  try {
    return parse_duration(text);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument("--timeout: " + std::string(error.what()));
  }
}

}  // namespace

RunCommand::RunCommand(CLI::App& app)
    : parser_(*app.add_subcommand(name,
                                  "run [OPTIONS] [--] PROGRAM [ARGUMENTS...]\n"
                                  "Run PROGRAM as the head process of a job on this machine.")) {
  const auto option = [this](const char* option_name, std::string& value, const char* kind,
                             const std::string& description) {
    parser_.add_option(option_name, value, description)->type_name(kind);
  };
  option(
      "--nodes", nodes_, "N",
      "Nodes on this machine, which share no memory (default: 1; at most " + std::to_string(max_nodes) + ")");
  option("--provider", provider_, "NAME",
         "The libfabric provider by which nodes reach each other (default: " + std::string(default_provider) +
             ")");
  option("--memory", memory_, "SIZE",
         "Shared memory that the job may use, for example 512M or 4G (default: WYVERN_MEMORY, else half of\n"
         "the machine's or of its control group's)");
  option("--timeout", timeout_, "TIME",
         "End the job if it has not ended after that time, for example 90, 1.5s, 10m or 2h (default: never)");
  parser_.add_flag("--label", label_, "Put \"[puid] \" before every line of output");
  parser_.footer(
      "The program's standard input is the command's. The last line on standard output is\n"
      "\"+++ head proc exited, code C\", and C, or 128 plus the signal that killed it, the exit status.");
}

void RunCommand::take_program(std::vector<std::string>& arguments) {
  const auto program = arguments.begin() + static_cast<std::ptrdiff_t>(find_program(arguments));
  program_.assign(program, arguments.end());
  arguments.erase(program, arguments.end());
  if (arguments.back() == "--") arguments.pop_back();
}

/// Where PROGRAM stands: behind "--", or the first that is neither an option nor the value of one.
std::size_t RunCommand::find_program(const std::vector<std::string>& arguments) const {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") return i + 1;
    if (!argument.starts_with('-')) return i;
    const CLI::Option* option = parser_.get_option_no_throw(argument);
    if (option != nullptr && option->get_items_expected_min() > 0) ++i;  // its value is the next one
  }
  return arguments.size();
}

RunOptions RunCommand::options() const {
  if (program_.empty()) throw InvalidArgument("there is no PROGRAM to run");
  RunOptions options;
  if (parser_.count("--nodes") > 0) options.nodes = parse_nodes(nodes_);
  if (parser_.count("--provider") > 0) {
    if (options.nodes == 1) throw InvalidArgument("--provider is for more than one node: give --nodes, too");
    check_provider(provider_);
    options.provider = provider_;
  }
  if (parser_.count("--timeout") > 0) options.timeout = parse_timeout(timeout_);
  options.memory_ceiling = decide_memory(memory_).bytes;
  options.label = label_;
  options.program = program_;
  return options;
}

}  // namespace wyvern::launcher
