#pragma once

#include <string>

#include <CLI/App.hpp>

#include <wyvern/runtime/launcher/options.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {

/// The command line of `wyvern info` and of `wyvern doctor`.
class InspectCommand {
 public:
  /// Adds itself to the command, which must not outlive it.
  InspectCommand(CLI::App& app, const std::string& name, const std::string& description);
  InspectCommand(const InspectCommand&) = delete;
  InspectCommand& operator=(const InspectCommand&) = delete;

  CLI::App& parser() { return parser_; }
  bool is_asked_for() const { return parser_.parsed(); }
  bool json() const { return json_; }
  /// What was parsed. Throws InvalidArgument, which says which option cannot be.
  Settings settings() const;

 private:
  CLI::App& parser_;
  std::string provider_;
  std::string memory_;
  bool json_ = false;
};

}  // namespace wyvern::launcher
