#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/duration.hpp>
#include <wyvern/runtime/launcher/program_words.hpp>
#include <wyvern/runtime/launcher/run_command.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {
namespace {

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
  program_ = launcher::take_program(parser_, /*before=*/0, arguments);
}

RunOptions RunCommand::options() const {
  if (program_.empty()) throw InvalidArgument("there is no PROGRAM to run");
  RunOptions options;
  if (parser_.count("--nodes") > 0) options.nodes = parse_node_number("--nodes", nodes_);
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
