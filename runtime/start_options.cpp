#include <algorithm>
#include <string_view>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/node_processes.hpp>
#include <wyvern/runtime/program.hpp>
#include <wyvern/runtime/start_options.hpp>

namespace wyvern::start_options {
namespace {

using Kind = StandardStream::Kind;

void check_text(const std::string& text, const std::string& what) {
  if (text.find('\0') == std::string::npos) return;
  throw InvalidArgument(what + " has a zero in it, behind which the system would not look");
}

void check_stream(const StandardStream& stream, const std::string& what) {
  check_text(stream.path(), "the path of the process's " + what);
  if (stream.is_file() && stream.path().empty())
    throw InvalidArgument("the process's " + what + " is a file without a path");
}

void check_environment(const ProcessOptions& options) {
  for (const auto& [name, value] : options.environment) {
    check_text(name, "the name of a variable");
    check_text(value, "the variable " + name);
    if (name.empty() || name.find('=') != std::string::npos)
      throw InvalidArgument("a variable cannot be called '" + name + "'");
  }
}

std::string absolute(const std::string& path) {
  return path.empty() || path.front() == '/' ? path : working_directory() + "/" + path;
}

StandardStream with_absolute_path(const StandardStream& stream) {
  if (!stream.is_file()) return stream;
  const std::string path = absolute(stream.path());
  return stream.kind() == Kind::file ? StandardStream::file(path) : StandardStream::append(path);
}

std::vector<std::string> environment_with(const ProcessOptions& options) {
  std::vector<std::string> variables = program_environment();
  std::erase_if(variables, [&](const std::string& variable) {
    return options.environment.contains(variable.substr(0, variable.find('=')));
  });
  for (const auto& [name, value] : options.environment) {
    variables.push_back(name);
    (variables.back() += '=') += value;
  }
  return variables;
}

}  // namespace

void check(const Member& member, const ProcessOptions& options) {
  if (options.node != 0) node_processes::check_node(member, options.node);
  check_text(options.name, "the name of a process");
  check_text(options.directory, "the process's working directory");
  check_environment(options);
  check_stream(options.input, "standard input");
  check_stream(options.output, "standard output");
  check_stream(options.error, "standard error");
  if (options.input.kind() == Kind::inherit || options.input.kind() == Kind::append) {
    throw InvalidArgument(
        "the job's standard input is the head's alone: that of a process is null, a file, or piped");
  }
  const std::uint32_t own = member.segment().header().node;
  if (has_pipe(options) && options.node != 0 && options.node != own) {
    throw InvalidArgument("a pipe does not lead from node " + std::to_string(own) + " to node " +
                          std::to_string(options.node) +
                          ": start the process on this node, or let it use a queue or a file");
  }
}

void check_program(const std::vector<std::string>& arguments) {
  if (arguments.front().empty()) throw InvalidArgument("a program has a path, or a name to look for in PATH");
  for (const std::string& argument : arguments) check_text(argument, "an argument of a program");
}

bool has_pipe(const ProcessOptions& options) {
  const auto is_piped = [](const StandardStream& stream) { return stream.kind() == Kind::piped; };
  return is_piped(options.input) || is_piped(options.output) || is_piped(options.error);
}

control::StartContent content(const ProcessOptions& options, const std::vector<std::string>& program) {
  const bool is_path = !program.empty() && program.front().find('/') != std::string::npos;
  return {.arguments = program.empty() ? program_arguments() : program,
          .environment = environment_with(options),
          .program = program.empty() ? ""
                     : is_path       ? absolute(program.front())
                                     : program.front(),
          .directory = absolute(options.directory),
          .name = name(options, program),
          .input = with_absolute_path(options.input),
          .output = with_absolute_path(options.output),
          .error = with_absolute_path(options.error),
          .entry = {},
          .references = {}};
}

std::string name(const ProcessOptions& options, const std::vector<std::string>& program) {
  if (!options.name.empty()) return options.name;
  const std::vector<std::string>& arguments = program.empty() ? program_arguments() : program;
  if (arguments.empty()) return {};
  return arguments.front().substr(arguments.front().rfind('/') + 1);
}

}  // namespace wyvern::start_options
