#include "bench/common/table.hpp"

#include <algorithm>
#include <functional>
#include <iomanip>
#include <map>
#include <string>
#include <tuple>

#include "bench/common/statistics.hpp"

namespace wyvern::bench {
namespace {

constexpr int name_width = 24;
constexpr int figure_width = 12;

std::string case_of(const Row& row) {
  std::string text = row.benchmark + ", " + std::to_string(row.bytes) + " bytes, " +
                     std::to_string(row.producers) + "x" + std::to_string(row.consumers);
  if (row.batch != 1) text += ", batches of " + std::to_string(row.batch);
  if (row.fibers != 0) text += ", " + std::to_string(row.fibers) + (row.fibers == 1 ? " fiber" : " fibers");
  text += ", " + row.path;
  if (!row.wait.empty()) text += ", " + row.wait;
  return text;
}

/// The rows of one system in one case: its repetitions.
struct Group {
  std::string title;
  std::string system;
  std::vector<const Row*> rows;
};

std::vector<Group> group(const std::vector<Row>& rows) {
  std::vector<Group> groups;
  for (const Row& row : rows) {
    const std::string title = case_of(row);
    auto found = std::find_if(groups.begin(), groups.end(), [&](const Group& known) {
      return known.title == title && known.system == row.system;
    });
    if (found == groups.end()) found = groups.insert(groups.end(), {title, row.system, {}});
    found->rows.push_back(&row);
  }
  // The systems of one case stand together, in the order in which they came.
  std::vector<std::string> titles;
  for (const Group& each : groups) {
    if (std::find(titles.begin(), titles.end(), each.title) == titles.end()) titles.push_back(each.title);
  }
  std::stable_sort(groups.begin(), groups.end(), [&](const Group& left, const Group& right) {
    return std::find(titles.begin(), titles.end(), left.title) <
           std::find(titles.begin(), titles.end(), right.title);
  });
  return groups;
}

Spread over(const Group& group, const std::function<double(const Row&)>& value) {
  std::vector<double> values;
  values.reserve(group.rows.size());
  for (const Row* row : group.rows) values.push_back(value(*row));
  return spread(values);
}

void print_figures(std::ostream& out, const Group& group) {
  const auto cell = [&](double value, const char* unit, int digits) {
    out << std::right << std::fixed << std::setprecision(digits) << std::setw(figure_width) << value << ' '
        << unit;
  };
  const Row& first = *group.rows.front();
  out << "  " << std::left << std::setw(name_width) << group.system;
  if (first.latency) {
    const auto nanoseconds = [&](double Percentiles::*which) {
      cell(over(group, [which](const Row& row) { return (*row.latency).*which; }).median, "ns", 0);
    };
    nanoseconds(&Percentiles::p50);
    nanoseconds(&Percentiles::p90);
    nanoseconds(&Percentiles::p99);
    nanoseconds(&Percentiles::p999);
    nanoseconds(&Percentiles::max);
  } else if (first.mean_ns) {
    cell(over(group, [](const Row& row) { return *row.mean_ns; }).median, "ns on average", 0);
  } else if (first.messages_per_s) {
    cell(over(group, [](const Row& row) { return *row.messages_per_s / 1e6; }).median, "M/s ", 3);
    cell(over(group, [](const Row& row) { return *row.bytes_per_s() / 1e6; }).median, "MB/s", 1);
  }
  if (first.cpu_percent) {
    const Spread percent = over(group, [](const Row& row) { return row.cpu_percent.value_or(0); });
    cell(percent.median, "% of a core", 4);
    out << " (" << percent.min << " to " << percent.max << ')';
  }
  out << '\n';
}

void print_ratios(std::ostream& out, const Group& group) {
  for (const auto& [name, first] : group.rows.front()->ratios) {
    const Spread ratio = over(group, [&name = name](const Row& row) { return row.ratios.at(name); });
    out << "    / " << std::left << std::setw(name_width - 4) << name << std::right << std::fixed
        << std::setprecision(3) << std::setw(figure_width) << ratio.median << "  (" << ratio.min << " to "
        << ratio.max << ")\n";
  }
}

}  // namespace

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  std::string title;
  for (const Group& each : group(rows)) {
    if (each.title != title) {
      title = each.title;
      out << '\n' << title << "; medians of " << each.rows.size() << " repetitions";
      if (each.rows.front()->latency) out << ": p50, p90, p99, p99.9, maximum";
      out << '\n';
    }
    print_figures(out, each);
    print_ratios(out, each);
  }
  out << std::flush;
}

}  // namespace wyvern::bench
