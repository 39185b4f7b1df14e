#include <CLI/CLI.hpp>

#include <wyvern/runtime/launcher/inspect_command.hpp>

namespace wyvern::launcher {

InspectCommand::InspectCommand(CLI::App& app, const std::string& name, const std::string& description)
    : parser_(*app.add_subcommand(name, name + " [OPTIONS]\n" + description)) {
  parser_
      .add_option("--provider", provider_,
                  "As `wyvern run` is given it (default: " + std::string(default_provider) + ")")
      ->type_name("NAME");
  parser_.add_option("--memory", memory_, "As `wyvern run` is given it")->type_name("SIZE");
  parser_.add_flag("--json", json_, "Print JSON");
}

Settings InspectCommand::settings() const {
  const bool named = parser_.count("--provider") > 0;
  if (named) check_provider(provider_);
  return {.provider = named ? provider_ : default_provider,
          .provider_origin = named ? from_command_line : from_default,
          .memory = decide_memory(memory_)};
}

}  // namespace wyvern::launcher
