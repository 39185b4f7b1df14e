#include <array>
#include <cstdio>
#include <ostream>
#include <string_view>

#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {
namespace {

constexpr std::string_view bytes_suffix = "_bytes";

std::string_view without_unit(std::string_view name) {
  if (name.ends_with(bytes_suffix)) name.remove_suffix(bytes_suffix.size());
  return name;
}

std::string value_text(std::string_view name, const Report& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "none";
  if (value.is_number_integer() && name.ends_with(bytes_suffix))
    return bytes_text(value.get<std::uint64_t>());
  return value.dump();
}

/// A value with a remark on it, in one line.
bool has_remark(const Report& entry) {
  return entry.is_object() && entry.contains("value") && entry.size() == 2;
}

void print(std::ostream& out, const Report& report, const std::string& indentation) {
  for (const auto& [name, value] : report.items()) {
    out << indentation << without_unit(name) << ':';
    if (has_remark(value)) {
      out << ' ' << value_text(name, value["value"]) << " (" << value.back().get<std::string>() << ")\n";
    } else if (value.is_object()) {
      out << '\n';
      print(out, value, indentation + "  ");
    } else {
      out << ' ' << value_text(name, value) << '\n';
    }
  }
}

}  // namespace

void print_as_text(std::ostream& out, const Report& report) { print(out, report, ""); }

void print_as_json(std::ostream& out, const Report& report) {
  // A host name or a path may have bytes that are no UTF-8.
  out << report.dump(2, ' ', false, Report::error_handler_t::replace) << '\n';
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 1024 && unit + 1 < units.size(); ++unit) number /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", number, units.at(unit));
  return text.data();
}

}  // namespace wyvern::launcher
