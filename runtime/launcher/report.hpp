#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include <nlohmann/json.hpp>

namespace wyvern::launcher {

/// What a command prints, with its fields in the order in which they were entered.
using Report = nlohmann::ordered_json;

/// As people read it: a line for each value, what is inside of something behind two more spaces. What has a
/// name that ends in "_bytes" is shown as an amount; an object of a "value" and one text more is one line.
void print_as_text(std::ostream& out, const Report& report);
/// As one JSON document.
void print_as_json(std::ostream& out, const Report& report);

/// "3.8 GiB"
std::string bytes_text(std::uint64_t bytes);

}  // namespace wyvern::launcher
