#include "bench/queue/options.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

Options parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "bench_queue");
  return parse_options(static_cast<int>(arguments.size()), arguments.data()).value();
}

/// What is said about a command line that is wrong.
std::string complaint(const std::vector<const char*>& arguments) {
  try {
    parse(arguments);
  } catch (const BadOption& error) {
    return error.what();
  }
  return "nothing";
}

bool says(const std::vector<const char*>& arguments, const std::string& part) {
  const std::string said = complaint(arguments);
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  EXPECT_NE(said.find(part), std::string::npos) << said;
  return said.find(part) != std::string::npos;
}

TEST(OptionsTest, each_benchmark_has_defaults_that_pass) {
  for (const BenchmarkName& known : benchmark_names()) {
    const bool is_far = known.name.ends_with("roundtrip");
    const Options options = is_far ? parse({known.name.data(), "--path", "tcp"}) : parse({known.name.data()});
    EXPECT_EQ(options.benchmark, known.benchmark);
    EXPECT_FALSE(options.sizes.empty());
    EXPECT_GE(options.repetitions, 7U);
    EXPECT_GT(options.seconds, 0);
  }
}

TEST(OptionsTest, everything_can_be_said) {
  const Options options = parse({"throughput", "--sizes", "8,4K", "--producers", "8", "--consumers", "4",
                                 "--batch", "32", "--path", "local", "--baselines", "unix,boost", "--seconds",
                                 "0.5", "--repetitions", "9", "--json", "f"});
  EXPECT_EQ(options.sizes, (std::vector<std::uint64_t>{8, 4096}));
  EXPECT_EQ(options.producers, 8U);
  EXPECT_EQ(options.consumers, 4U);
  EXPECT_EQ(options.batch, 32U);
  ASSERT_EQ(options.baselines.size(), 2U);
  EXPECT_EQ(options.baselines[0]->name, "unix");
  EXPECT_EQ(options.baselines[1]->name, "boost");
  EXPECT_EQ(options.seconds, 0.5);
  EXPECT_EQ(options.repetitions, 9U);
  EXPECT_EQ(options.json, "f");
}

TEST(OptionsTest, baselines_can_be_left_out) {
  EXPECT_TRUE(parse({"latency", "--baselines", "none"}).baselines.empty());
}

TEST(OptionsTest, benchmark_must_be_known_and_first) {
  EXPECT_TRUE(says({}, "say what to measure: latency, "));
  EXPECT_TRUE(says({"speed"}, "there is no benchmark 'speed'"));
  EXPECT_TRUE(says({"--sizes", "8"}, "the benchmark comes first"));
}

TEST(OptionsTest, sizes_must_have_room_for_the_stamp) {
  EXPECT_TRUE(says({"latency", "--sizes", "4"}, "--sizes: "));
  EXPECT_TRUE(says({"latency", "--sizes", "2G"}, "--sizes: "));
  EXPECT_TRUE(says({"latency", "--sizes", "big"}, "--sizes: "));
}

TEST(OptionsTest, baselines_must_serve_the_benchmark) {
  EXPECT_TRUE(says({"latency", "--baselines", "ucx"}, "'ucx' is no baseline of latency"));
  EXPECT_TRUE(says({"throughput", "--baselines", "flag"}, "'flag' is no baseline of throughput"));
  EXPECT_TRUE(says({"handoff", "--baselines", "boost"}, "it has none"));
  EXPECT_TRUE(says({"latency", "--baselines", "flag,flag"}, "twice"));
}

TEST(OptionsTest, numbers_must_be_in_range) {
  EXPECT_TRUE(says({"throughput", "--producers", "0"}, "--producers: from 1 to 64"));
  EXPECT_TRUE(says({"throughput", "--consumers", "65"}, "--consumers: from 1 to 64"));
  EXPECT_TRUE(says({"throughput", "--batch", "1025"}, "--batch: "));
  EXPECT_TRUE(says({"get-roundtrip", "--path", "tcp", "--fibers", "0"}, "--fibers: "));
  EXPECT_TRUE(says({"get-roundtrip", "--path", "tcp", "--fibers", "8,1001"}, "--fibers: from 1 to 1000"));
  EXPECT_TRUE(says({"latency", "--repetitions", "0"}, "--repetitions: "));
  EXPECT_TRUE(says({"latency", "--seconds", "0"}, "--seconds: "));
  EXPECT_TRUE(says({"latency", "--seconds", "nan"}, "--seconds: "));
  EXPECT_TRUE(says({"latency", "--repetitions", "many"}, "--repetitions"));
}

TEST(OptionsTest, options_of_other_benchmarks_are_refused) {
  EXPECT_TRUE(says({"latency", "--batch", "2"}, "--batch means nothing to latency"));
  EXPECT_TRUE(says({"latency", "--fibers", "2"}, "--fibers means nothing to latency"));
  EXPECT_TRUE(says({"idle", "--producers", "2"}, "--producers means nothing to idle"));
}

TEST(OptionsTest, unknown_options_and_paths_are_refused) {
  EXPECT_TRUE(says({"latency", "--fast"}, "--fast"));
  EXPECT_TRUE(says({"latency", "--path", "carrier-pigeon"}, "--path: local, or a provider"));
  EXPECT_TRUE(says({"wakeup", "--path", "tcp"}, "wakeup is measured on the path local only"));
  EXPECT_TRUE(says({"put-roundtrip"}, "put-roundtrip is between nodes"));
}

TEST(OptionsTest, paths_have_baselines_of_their_own) {
  const Options far = parse({"throughput", "--path", "tcp"});
  EXPECT_EQ(far.path, "tcp");
  ASSERT_EQ(far.baselines.size(), 2U);
  EXPECT_EQ(far.baselines[1]->name, "zmq");
  EXPECT_EQ(parse({"put-roundtrip", "--path", "shm"}).baselines.at(0)->name, "libfabric-shm");
  EXPECT_TRUE(
      says({"latency", "--path", "tcp", "--baselines", "flag"}, "no baseline of latency on the path tcp"));
  EXPECT_TRUE(says({"latency", "--path", "tcp", "--baselines", "libfabric-shm"}, "on the path tcp"));
  EXPECT_TRUE(says({"latency", "--baselines", "zmq"}, "on the path local"));
  EXPECT_TRUE(says({"throughput", "--path", "tcp", "--producers", "2", "--baselines", "zmq"},
                   "one producer and one consumer only"));
}

}  // namespace
}  // namespace wyvern::bench
