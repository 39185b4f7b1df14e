#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include <wyvern/runtime/launcher/options.hpp>

namespace wyvern::launcher {

/// The command line of `wyvern run`.
class RunCommand {
 public:
  static constexpr const char* name = "run";

  /// Adds itself to the command, which must not outlive it.
  explicit RunCommand(CLI::App& app);
  RunCommand(const RunCommand&) = delete;
  RunCommand& operator=(const RunCommand&) = delete;

  /// Cuts PROGRAM and all behind it off: they are not looked at. The first argument is the command's name.
  void take_program(std::vector<std::string>& arguments);
  /// What was parsed. Throws InvalidArgument, which says which option cannot be.
  RunOptions options() const;

 private:
  CLI::App& parser_;
  std::string nodes_;
  std::string provider_;
  std::string memory_;
  std::string timeout_;
  bool label_ = false;
  std::vector<std::string> program_;
};

}  // namespace wyvern::launcher
