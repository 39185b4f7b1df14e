#include <CLI/CLI.hpp>

#include <wyvern/runtime/launcher/program_words.hpp>

namespace wyvern::launcher {
namespace {

std::size_t find_program(const CLI::App& parser, std::size_t before,
                         const std::vector<std::string>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") return i + 1;
    if (!argument.starts_with('-')) {
      if (before-- == 0) return i;
      continue;
    }
    const CLI::Option* option = parser.get_option_no_throw(argument);
    if (option != nullptr && option->get_items_expected_min() > 0) ++i;  // its value is the next one
  }
  return arguments.size();
}

}  // namespace

std::vector<std::string> take_program(const CLI::App& parser, std::size_t before,
                                      std::vector<std::string>& arguments) {
  const auto begin = arguments.begin() + static_cast<std::ptrdiff_t>(find_program(parser, before, arguments));
  std::vector<std::string> program(begin, arguments.end());
  arguments.erase(begin, arguments.end());
  if (arguments.back() == "--") arguments.pop_back();
  return program;
}

}  // namespace wyvern::launcher
