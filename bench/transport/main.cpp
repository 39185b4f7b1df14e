// Measures endpoints between processes: bench_transport BENCHMARK [OPTIONS], see bench/README.md.
#include <iostream>
#include <optional>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/provider_choice.hpp>
#include <wyvern/wyvern.hpp>

#include "bench/common/report.hpp"
#include "bench/transport/benchmarks.hpp"

namespace {

namespace bench = wyvern::bench;

/// As libfabric calls them, in place of what users call them. Throws BadOption if one is not there, or cannot
/// do what was asked for.
void resolve_providers(bench::TransportOptions& options) {
  const wyvern::FabricLibrary& library = wyvern::FabricLibrary::get();
  const auto offers = wyvern::list_offers(library);
  for (std::string& provider : options.providers) {
    const wyvern::ProviderTraits* traits = nullptr;
    try {
      traits = choose_provider(offers, library.version(), provider).traits;
    } catch (const wyvern::NotFound& error) {
      throw bench::BadOption("--provider: " + std::string(error.what()));
    }
    provider = traits->name;
    for (const bench::WaitMode& wait : options.waits) {
      if (wait.sleeps() && traits->sleep == wyvern::ProviderSleep::none)
        throw bench::BadOption("--wait: provider " + provider +
                               " has nothing to sleep on, only poll is possible");
    }
    if (options.benchmark == bench::TransportBenchmark::read) continue;
    for (const std::uint64_t bytes : options.sizes) {
      if (bytes > traits->eager_bytes) {
        throw bench::BadOption("--sizes: messages over provider " + provider + " have at most " +
                               std::to_string(traits->eager_bytes) + " bytes, not " + std::to_string(bytes) +
                               "; more is measured by bench_transport read");
      }
    }
  }
}

int complain(const bench::BadOption& error) {
  std::cerr << "bench_transport: " << error.what() << '\n';
  return 2;
}

int run_benchmark(const wyvern::Runtime& runtime, bench::TransportOptions& options) {
  try {
    resolve_providers(options);
  } catch (const bench::BadOption& error) {
    return complain(error);
  }
  const std::string version = wyvern::fabric_version_text(wyvern::FabricLibrary::get().version());
  const bench::Report report{
      .program = "bench_transport", .json = options.json, .facts = {{"libfabric", version}}};
  return report.run([&](const bench::Progress& progress, double ns_per_tick) {
    return bench::measure_transport(
        {.runtime = runtime, .options = options, .progress = progress, .ns_per_tick = ns_per_tick});
  });
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<bench::TransportOptions> options;
  try {
    options = bench::parse_transport_options(argc, argv);
  } catch (const bench::BadOption& error) {
    return complain(error);
  }
  if (!options) return 0;
  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) { return run_benchmark(runtime, *options); });
}
