#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bench/transport/options.hpp"

namespace wyvern::bench {
namespace {

TransportOptions parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bench_transport");
  return parse_transport_options(static_cast<int>(arguments.size()), arguments.data()).value();
}

/// Whether that is said about a command line that is wrong.
bool says(const std::vector<const char*>& arguments, const std::string& part) {
  std::string said = "nothing";
  try {
    parse(arguments);
  } catch (const BadOption& error) {
    said = error.what();
  }
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  EXPECT_NE(said.find(part), std::string::npos) << said;
  return said.find(part) != std::string::npos;
}

TEST(TransportOptionsTest, each_benchmark_has_defaults_that_pass) {
  for (const char* benchmark : {"pingpong", "stream", "read"}) {
    const TransportOptions options = parse({benchmark});
    EXPECT_EQ(name_of(options.benchmark), benchmark);
    EXPECT_FALSE(options.sizes.empty());
    EXPECT_EQ(options.waits, std::vector<WaitMode>{WaitMode{}});
    EXPECT_EQ(options.baselines.size(), 1U);
    EXPECT_GE(options.repetitions, 15U);
  }
}

TEST(TransportOptionsTest, everything_can_be_said) {
  const TransportOptions options = parse({"read", "--provider", "net,shm", "--sizes", "64K,1M", "--wait",
                                          "poll,spin:20,sleep", "--baselines", "fabric,fabric+16,fi_pingpong",
                                          "--seconds", "0.5", "--repetitions", "9", "--json", "f"});
  EXPECT_EQ(options.benchmark, TransportBenchmark::read);
  EXPECT_EQ(options.providers, (std::vector<std::string>{"net", "shm"}));
  EXPECT_EQ(options.sizes, (std::vector<std::uint64_t>{64 << 10, 1 << 20}));
  const std::vector<WaitMode> waits = {
      {}, {.kind = WaitKind::spin, .spin_us = 20}, {.kind = WaitKind::sleep}};
  EXPECT_EQ(options.waits, waits);
  ASSERT_EQ(options.baselines.size(), 3U);
  EXPECT_EQ(options.baselines[0]->system, TransportSystem::fabric);
  EXPECT_EQ(options.baselines[1]->system, TransportSystem::fabric_same_bytes);
  EXPECT_FALSE(options.baselines[2]->system.has_value());
  EXPECT_EQ(options.seconds, 0.5);
  EXPECT_EQ(options.repetitions, 9U);
  EXPECT_EQ(options.json, "f");
  EXPECT_TRUE(parse({"read", "--baselines", "none"}).baselines.empty());
}

TEST(TransportOptionsTest, ways_of_waiting_are_called_as_they_are_asked_for) {
  for (const char* text : {"poll", "sleep", "spin:1", "spin:1000000"})
    EXPECT_EQ(to_string(parse_wait_mode(text)), text);
}

TEST(TransportOptionsTest, ways_of_waiting_must_be_known) {
  for (const char* text :
       {"", "spin", "spin:", "spin:0", "spin:1000001", "spin:-1", "spin:2us", "Sleep", "99999999999"})
    EXPECT_TRUE(says({"pingpong", "--wait", text}, "--wait")) << text;
}

TEST(TransportOptionsTest, benchmark_must_be_known_and_first) {
  EXPECT_TRUE(says({}, "say what to measure: pingpong, stream, read"));
  EXPECT_TRUE(says({"latency"}, "there is no benchmark 'latency'"));
  EXPECT_TRUE(says({"--sizes", "8"}, "the benchmark comes first"));
}

TEST(TransportOptionsTest, baselines_must_serve_the_benchmark) {
  EXPECT_TRUE(says({"pingpong", "--baselines", "ucx"}, "'ucx' is no baseline of pingpong"));
  EXPECT_TRUE(says({"stream", "--baselines", "fi_pingpong"}, "it has fabric, fabric+16, or none"));
  EXPECT_TRUE(says({"read", "--baselines", "fabric,fabric"}, "twice"));
}

TEST(TransportOptionsTest, numbers_must_be_in_range) {
  EXPECT_TRUE(says({"pingpong", "--sizes", "4"}, "--sizes: "));
  EXPECT_TRUE(says({"pingpong", "--repetitions", "0"}, "--repetitions: "));
  EXPECT_TRUE(says({"pingpong", "--seconds", "0"}, "--seconds: "));
  EXPECT_TRUE(says({"pingpong", "--fast"}, "--fast"));
}

}  // namespace
}  // namespace wyvern::bench
