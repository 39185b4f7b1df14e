#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <wyvern/runtime/launcher/colours.hpp>
#include <wyvern/runtime/launcher/jobs/job_table.hpp>
#include <wyvern/runtime/launcher/report.hpp>

namespace wyvern::launcher {
namespace {

/// Of a queue's name where lines are of limited length; the rest of the line is more important.
constexpr std::size_t shown_of_names = 32;
/// Lines that a node has at least, for as long as there is room: two of it, and of queues a title and one.
constexpr std::size_t fewest_lines_of_node = 4;

bool continues(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/// The bytes of the character that the text begins with; 0 if it is not UTF-8, or controls a terminal.
std::size_t size_of_character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= ' ' && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues(byte(i))) return 0;
  }
  // U+0080 to U+009F are controls; the others are longer than they must be, surrogates, or no characters.
  const unsigned second = byte(1);
  const bool is_wrong = (first == 0xc2 && second < 0xa0) || (first == 0xe0 && second < 0xa0) ||
                        (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
                        (first == 0xf4 && second > 0x8f);
  return is_wrong ? 0 : size;
}

std::string printable(std::string_view name) {
  std::string text;
  while (!name.empty()) {
    const std::size_t size = size_of_character(name);
    text += size == 0 ? "?" : name.substr(0, size);
    name.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

std::string label_of(const ChannelFigures& queue, std::size_t most) {
  std::string label = queue.name.empty() ? to_string(queue.id) : printable(queue.name);
  if (label.size() <= most) return label;
  label.resize(most - 1);
  label += '~';
  return label;
}

/// "1234", "56.7k", "8.9M": of a rate nobody wants more digits.
std::string rate_text(double rate) {
  constexpr double thousand = 1e3;
  if (rate < 10 * thousand) return fmt::format("{:.{}f}", rate, rate > 0 && rate < 10 ? 1 : 0);
  if (rate < thousand * thousand) return fmt::format("{:.1f}k", rate / thousand);
  return fmt::format("{:.1f}M", rate / (thousand * thousand));
}

/// Writes lines as long as there is room.
class Lines {
 public:
  explicit Lines(const TableStyle& style) : style_(style) {}

  void add(std::string line, bool red = false) {
    if (line.size() > style_.columns) line.resize(style_.columns);
    lines_.push_back(red && style_.coloured ? painted(line, Colour::red) : std::move(line));
  }
  std::size_t room() const { return style_.lines > lines_.size() ? style_.lines - lines_.size() : 0; }
  std::vector<std::string> take() {
    if (lines_.size() > style_.lines) lines_.resize(style_.lines);
    return std::move(lines_);
  }

 private:
  const TableStyle& style_;
  std::vector<std::string> lines_;
};

/// How many of `count` rows are shown where there is room for so many lines: all, or one fewer than that, and
/// a line that counts the others.
std::size_t shown_of(std::size_t count, std::size_t room) {
  if (count <= room) return count;
  return room > 0 ? room - 1 : 0;
}

void add_rest(Lines& lines, std::size_t count, std::size_t shown, std::string_view what) {
  if (shown < count) lines.add(fmt::format("    and {} more {}", count - shown, what));
}

void add_processes(Lines& lines, const std::vector<observation::ProcessFigures>& processes,
                   std::size_t room) {
  if (processes.empty() || room < 2) return;
  lines.add(fmt::format("    {:<19} {:>8}  {:<13}  {}", "PUID", "PID", "STATE", "NAME"));
  const std::size_t shown = shown_of(processes.size(), room - 1);
  for (const observation::ProcessFigures& process : std::span(processes).first(shown)) {
    lines.add(fmt::format("    {:<19} {:>8}  {:<13}  {}", process.puid.value(), process.pid, process.state,
                          printable(process.name)));
  }
  add_rest(lines, processes.size(), shown, "processes");
}

/// The places of the queues that are shown, in their order.
std::vector<std::size_t> places_of(const observation::NodeFigures& node, const std::vector<QueueRates>* rates,
                                   std::size_t shown) {
  std::vector<std::size_t> places(node.queues.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (rates == nullptr) {
    places.resize(shown);
    return places;
  }
  const auto busier = [&](std::size_t a, std::size_t b) {
    const auto weight = [&](std::size_t i) {
      return std::pair((*rates)[i].puts + (*rates)[i].gets, node.queues[i].depth);
    };
    return weight(a) != weight(b) ? weight(a) > weight(b) : a < b;
  };
  std::ranges::partial_sort(places, places.begin() + static_cast<std::ptrdiff_t>(shown), busier);
  places.resize(shown);
  return places;
}

constexpr std::string_view queue_row =
    "    {:<{}} {:>7} {:>8} {:>12} {:>12} {:>9} {:>9} {:>6} {:>6} {:>6}  {}";

/// What has been done on one side of a queue: a rate, which the first look has not, or a count.
std::string work_text(bool rated, const double* rate, std::uint64_t count) {
  if (!rated) return std::to_string(count);
  return rate != nullptr ? rate_text(*rate) : "-";
}

std::string row_of(const ChannelFigures& queue, bool rated, const QueueRates* rates, std::size_t width) {
  return fmt::format(queue_row, label_of(queue, width), width, queue.depth, queue.capacity,
                     work_text(rated, rates != nullptr ? &rates->puts : nullptr, queue.puts),
                     work_text(rated, rates != nullptr ? &rates->gets : nullptr, queue.gets),
                     queue.waiting_putters, queue.waiting_getters, queue.given_back, queue.leased, queue.lost,
                     queue.closed ? "closed" : "");
}

void add_queues(Lines& lines, const observation::NodeFigures& node, const std::vector<QueueRates>* rates,
                std::size_t room, const TableStyle& style) {
  if (node.queues.empty() || room < 2) return;
  const std::size_t shown = shown_of(node.queues.size(), room - 1);
  const std::vector<std::size_t> places = places_of(node, rates, shown);
  std::size_t width = std::string_view("QUEUE").size();
  const std::size_t most = style.columns == TableStyle().columns ? std::string::npos : shown_of_names;
  for (const std::size_t i : places) width = std::max(width, label_of(node.queues[i], most).size());
  lines.add(fmt::format(queue_row, "QUEUE", width, "DEPTH", "CAPACITY", style.rates ? "PUTS/s" : "PUTS",
                        style.rates ? "GETS/s" : "GETS", "PRODUCERS", "CONSUMERS", "AGAIN", "LEASED", "LOST",
                        ""));
  for (const std::size_t i : places) {
    const ChannelFigures& queue = node.queues[i];
    lines.add(row_of(queue, style.rates, rates != nullptr ? &(*rates)[i] : nullptr, width),
              queue.waiting_putters != 0 || queue.lost != 0);
  }
  add_rest(lines, node.queues.size(), shown, "queues");
}

void add_node(Lines& lines, const observation::NodeFigures& node, const std::vector<QueueRates>* rates,
              std::size_t room, const TableStyle& style) {
  lines.add(fmt::format("  node {}: agent {}, processes {}, queues {}, memory {} of {}", node.node,
                        node.agent, node.processes.size(), node.queues.size(), bytes_text(node.memory),
                        bytes_text(node.memory_ceiling)));
  // Of little room the queues get three quarters, or what the processes leave.
  const std::size_t for_rows = room > 1 ? room - 1 : 0;
  const std::size_t for_queues =
      for_rows - std::min(for_rows, std::min(for_rows / 4, node.processes.size() + 1));
  const std::size_t taken = std::min(for_queues, node.queues.empty() ? 0 : node.queues.size() + 1);
  add_processes(lines, node.processes, for_rows - taken);
  add_queues(lines, node, rates, for_queues, style);
}

}  // namespace

std::vector<std::string> job_table(const std::vector<JobSample>& jobs, const TableStyle& style) {
  Lines lines(style);
  if (jobs.empty()) lines.add("no job of this user runs on this machine");
  std::size_t nodes_left = 0;
  for (const JobSample& job : jobs) nodes_left += job.figures.nodes.size();
  for (const JobSample& job : jobs) {
    const observation::JobFigures& figures = job.figures;
    lines.add(fmt::format("job {}: {}{}", figures.job,
                          figures.program.empty() ? "?" : printable(figures.program),
                          figures.nodes_of_job > 1 ? fmt::format(", {} nodes", figures.nodes_of_job) : ""));
    for (std::size_t i = 0; i < figures.nodes.size(); ++i, --nodes_left) {
      const std::size_t room =
          std::max(lines.room() / nodes_left, std::min(lines.room(), fewest_lines_of_node));
      add_node(lines, figures.nodes[i], style.rates && job.seconds ? &job.rates[i] : nullptr, room, style);
    }
  }
  return lines.take();
}

}  // namespace wyvern::launcher
