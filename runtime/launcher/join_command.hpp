#pragma once

#include <string>
#include <vector>

#include <CLI/App.hpp>

#include <wyvern/runtime/launcher/join/join_options.hpp>

namespace wyvern::launcher {

/// The command line of `wyvern join`.
class JoinCommand {
 public:
  static constexpr const char* name = "join";

  /// Adds itself to the command, which must not outlive it.
  explicit JoinCommand(CLI::App& app);
  JoinCommand(const JoinCommand&) = delete;
  JoinCommand& operator=(const JoinCommand&) = delete;

  /// Cuts PROGRAM and all behind it off. The first argument is the command's name.
  void take_program(std::vector<std::string>& arguments);
  bool is_asked_for() const { return parser_.parsed(); }
  /// What was parsed. Throws InvalidArgument, which says which option cannot be.
  JoinOptions options() const;

 private:
  CLI::App& parser_;
  std::string job_;
  std::string node_;
  std::vector<std::string> program_;
};

}  // namespace wyvern::launcher
