// What people are shown of jobs, and how rates come about.
#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/jobs/job_sample.hpp>
#include <wyvern/runtime/launcher/jobs/job_table.hpp>

namespace wyvern::launcher {
namespace {

using namespace std::chrono_literals;
using observation::JobFigures;

ChannelFigures queue(std::uint64_t id, std::uint64_t puts, std::uint64_t gets, const std::string& name = {}) {
  ChannelFigures figures;
  figures.id = ObjectId(id);
  figures.name = name;
  figures.capacity = 100;
  figures.puts = puts;
  figures.gets = gets;
  figures.depth = puts - gets;
  return figures;
}

JobFigures job(std::vector<ChannelFigures> queues, std::size_t processes = 0) {
  observation::NodeFigures node;
  node.node = 1;
  node.queues = std::move(queues);
  for (std::size_t i = 0; i < processes; ++i)
    node.processes.push_back({.puid = Puid::make(0, 1, static_cast<std::uint32_t>(i)),
                              .pid = 1000,
                              .name = "process",
                              .state = "sleeping"});
  JobFigures figures;
  figures.job = 4711;
  figures.program = "program";
  figures.nodes.push_back(node);
  return figures;
}

std::size_t line_with(const std::vector<std::string>& lines, const std::string& text) {
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find(text) != std::string::npos) return i;
  }
  return lines.size();
}

TEST(JobSampler, first_look_has_no_rates_and_later_ones_those_since_the_one_before) {
  JobSampler sampler;
  const auto start = JobSampler::Clock::time_point(1000s);
  EXPECT_FALSE(sampler.next(job({queue(1, 10, 5)}), start).seconds);
  const JobSample second = sampler.next(job({queue(1, 30, 6), queue(2, 1000, 0)}), start + 2s);
  EXPECT_EQ(second.seconds, 2.0);
  EXPECT_EQ(second.rates.at(0).at(0).puts, 10.0);
  EXPECT_EQ(second.rates.at(0).at(0).gets, 0.5);
  EXPECT_EQ(second.rates.at(0).at(1).puts, 0.0) << "it was not there before";
  const JobSample third = sampler.next(job({queue(2, 1100, 0), queue(1, 29, 6)}), start + 3s);
  EXPECT_EQ(third.rates.at(0).at(0).puts, 100.0) << "queues are told apart by their ids, not their places";
  EXPECT_EQ(third.rates.at(0).at(1).puts, 0.0) << "a look that sees less is no negative rate";
}

TEST(JobTable, without_jobs_it_says_so) {
  EXPECT_EQ(job_table({}, {}), std::vector<std::string>{"no job of this user runs on this machine"});
}

TEST(JobTable, rates_put_busy_queues_first_and_counts_keep_their_order) {
  JobSampler sampler;
  const auto start = JobSampler::Clock::time_point(1000s);
  sampler.next(job({queue(1, 0, 0, "idle"), queue(2, 0, 0, "busy")}), start);
  const JobSample sample =
      sampler.next(job({queue(1, 0, 0, "idle"), queue(2, 5'000'000, 4'999'950, "busy")}), start + 1s);
  const auto rated = job_table({sample}, {.rates = true});
  EXPECT_LT(line_with(rated, " busy "), line_with(rated, " idle "));
  EXPECT_NE(rated.at(line_with(rated, " busy ")).find("5.0M"), std::string::npos);
  const auto counted = job_table({sample}, {});
  EXPECT_LT(line_with(counted, " idle "), line_with(counted, " busy "));
  EXPECT_NE(counted.at(line_with(counted, " busy ")).find("4999950"), std::string::npos);
}

TEST(JobTable, what_does_not_fit_is_left_out_and_counted) {
  std::vector<ChannelFigures> queues;
  for (std::uint64_t i = 1; i <= 50; ++i) queues.push_back(queue(i, i, 0));
  const JobSample sample{.figures = job(queues, 30), .seconds = {}, .rates = {}};
  for (const std::size_t room : {1U, 2U, 3U, 5U, 10U, 24U, 60U}) {
    const auto lines = job_table({sample}, {.rates = true, .lines = room, .columns = 40});
    EXPECT_LE(lines.size(), room);
    for (const std::string& line : lines) EXPECT_LE(line.size(), 40U);
  }
  const auto lines = job_table({sample}, {.lines = 24});
  EXPECT_EQ(lines.size(), 24U);
  EXPECT_LT(line_with(lines, "more processes"), line_with(lines, "QUEUE"));
  EXPECT_LT(line_with(lines, "more queues"), lines.size());
  EXPECT_EQ(job_table({sample}, {}).size(), 2U + 31U + 51U) << "no limit: all of it";
}

TEST(JobTable, every_node_of_several_has_its_part_of_the_room) {
  JobFigures figures = job({queue(1, 0, 0)}, 40);
  figures.nodes.resize(3, figures.nodes.front());
  for (std::uint32_t i = 0; i < 3; ++i) figures.nodes[i].node = i + 1;
  const auto lines = job_table({{.figures = figures, .seconds = {}, .rates = {}}}, {.lines = 40});
  for (const char* node : {"node 1:", "node 2:", "node 3:"})
    EXPECT_LT(line_with(lines, node), lines.size()) << node;
}

TEST(JobTable, names_cannot_work_on_a_terminal) {
  const JobSample sample{.figures = job({queue(1, 0, 0, "bad\033[2Jname")}), .seconds = {}, .rates = {}};
  const auto lines = job_table({sample}, {});
  EXPECT_LT(line_with(lines, "bad?[2Jname"), lines.size());
}

TEST(JobTable, names_that_are_no_text_or_have_controls_of_eight_bits_are_harmless_and_others_are_shown) {
  const std::string name =
      "\xc2\x9b"
      "2J \x9b"
      "2J \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x89 \xe2\x82";
  const JobSample sample{.figures = job({queue(1, 0, 0, name)}), .seconds = {}, .rates = {}};
  const auto lines = job_table({sample}, {});
  const std::string shown = "    ??2J ?2J ?? ??? ???? \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x89 ?? ";
  EXPECT_LT(line_with(lines, shown), lines.size()) << lines.back();
}

TEST(JobTable, queue_that_producers_wait_at_or_that_lost_something_is_red) {
  ChannelFigures jammed = queue(1, 100, 0, "jammed");
  jammed.waiting_putters = 1;
  ChannelFigures lossy = queue(2, 1, 1, "lossy");
  lossy.lost = 1;
  const JobSample sample{.figures = job({jammed, lossy, queue(3, 0, 0, "well")}), .seconds = {}, .rates = {}};
  const auto lines = job_table({sample}, {.coloured = true});
  EXPECT_TRUE(lines.at(line_with(lines, "jammed")).starts_with("\033[1;31m"));
  EXPECT_TRUE(lines.at(line_with(lines, "lossy")).starts_with("\033[1;31m"));
  EXPECT_TRUE(lines.at(line_with(lines, "well")).starts_with("    well"));
}

}  // namespace
}  // namespace wyvern::launcher
