// What it costs to make bytes of values and values of bytes.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/codec/standard_types.hpp>

namespace {

struct Point {
  double x, y, z;
  std::uint64_t time;
};

struct Track {
  std::string name;
  std::vector<Point> points;
  std::map<std::string, std::int64_t> labels;
};

struct Survey {
  std::uint32_t number;
  std::string author;
  std::vector<Track> tracks;
};

Point make_point() { return {.x = 1, .y = 2, .z = 3, .time = 4}; }
std::string make_string() { return std::string(64, 'x'); }
std::vector<Point> make_vector() { return std::vector<Point>(32, make_point()); }
std::map<std::string, std::int64_t> make_map() {
  std::map<std::string, std::int64_t> map;
  for (int i = 0; i < 16; ++i) map["label " + std::to_string(i)] = i;
  return map;
}
Survey make_survey() {
  const Track track{.name = make_string(), .points = make_vector(), .labels = make_map()};
  return {.number = 1, .author = make_string(), .tracks = std::vector<Track>(4, track)};
}

/// Into a buffer that has the room already, as that of a thread that puts has.
template <class T>
void encode(benchmark::State& state, T (*make)()) {
  const T value = make();
  std::vector<std::byte> buffer;
  for (auto _ : state) {
    buffer.clear();
    wyvern::encode_to(buffer, value);
    benchmark::DoNotOptimize(buffer.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(buffer.size()));
}

template <class T>
void decode(benchmark::State& state, T (*make)()) {
  std::vector<std::byte> buffer;
  wyvern::encode_to(buffer, make());
  for (auto _ : state) {
    T value = wyvern::decode_from<T>(buffer);
    benchmark::DoNotOptimize(value);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(buffer.size()));
}

BENCHMARK_CAPTURE(encode, trivially_copyable, make_point);
BENCHMARK_CAPTURE(decode, trivially_copyable, make_point);
BENCHMARK_CAPTURE(encode, string_of_64, make_string);
BENCHMARK_CAPTURE(decode, string_of_64, make_string);
BENCHMARK_CAPTURE(encode, vector_of_32_structs, make_vector);
BENCHMARK_CAPTURE(decode, vector_of_32_structs, make_vector);
BENCHMARK_CAPTURE(encode, map_of_16_strings, make_map);
BENCHMARK_CAPTURE(decode, map_of_16_strings, make_map);
BENCHMARK_CAPTURE(encode, nested_aggregate, make_survey);
BENCHMARK_CAPTURE(decode, nested_aggregate, make_survey);

}  // namespace
