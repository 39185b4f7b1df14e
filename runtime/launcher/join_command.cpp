#include <CLI/CLI.hpp>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/join_command.hpp>
#include <wyvern/runtime/launcher/program_words.hpp>
#include <wyvern/runtime/launcher/shared_options.hpp>

namespace wyvern::launcher {

JoinCommand::JoinCommand(CLI::App& app)
    : parser_(*app.add_subcommand(name,
                                  "join [OPTIONS] JOB [--] PROGRAM [ARGUMENTS...]\n"
                                  "Run PROGRAM as a process of a job of this user that runs already.")) {
  parser_.add_option("JOB", job_, "The number of a job, or the name of its program; see `wyvern ps`")
      ->type_name("")
      ->required();
  parser_.add_option("--node", node_, "The node of the job that it joins (default: 1)")->type_name("N");
  parser_.footer("The exit status is that of PROGRAM, or 128 plus the signal that killed it.");
}

void JoinCommand::take_program(std::vector<std::string>& arguments) {
  program_ = launcher::take_program(parser_, /*before=*/1, arguments);
}

JoinOptions JoinCommand::options() const {
  check_job_name(job_);
  if (program_.empty()) throw InvalidArgument("there is no PROGRAM to run");
  JoinOptions options{.job = job_, .program = program_};
  if (parser_.count("--node") > 0) options.node = parse_node_number("--node", node_);
  return options;
}

}  // namespace wyvern::launcher
