#include "bench/common/json.hpp"

#include <nlohmann/json.hpp>

namespace wyvern::bench {
namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json to_object(const Row& row) {
  const auto nanoseconds = [&row](double Percentiles::*which) {
    return row.latency ? Json((*row.latency).*which) : Json(nullptr);
  };
  Json object = {{"benchmark", row.benchmark},
                 {"system", row.system},
                 {"path", row.path},
                 {"bytes", row.bytes},
                 {"producers", row.producers},
                 {"consumers", row.consumers},
                 {"batch", row.batch},
                 {"repetition", row.repetition},
                 {"messages", row.messages},
                 {"p50_ns", nanoseconds(&Percentiles::p50)},
                 {"p90_ns", nanoseconds(&Percentiles::p90)},
                 {"p99_ns", nanoseconds(&Percentiles::p99)},
                 {"p999_ns", nanoseconds(&Percentiles::p999)},
                 {"max_ns", nanoseconds(&Percentiles::max)},
                 {"messages_per_s", number(row.messages_per_s)},
                 {"bytes_per_s", number(row.bytes_per_s())}};
  if (!row.wait.empty()) object["wait"] = row.wait;
  if (row.fibers != 0) object["fibers"] = row.fibers;
  if (row.mean_ns) object["mean_ns"] = *row.mean_ns;
  if (row.cpu_percent) object["cpu_percent"] = *row.cpu_percent;
  object["ratios"] = Json::object();
  for (const auto& [name, ratio] : row.ratios) object["ratios"][name] = ratio;
  return object;
}

}  // namespace

std::string to_json(const std::vector<std::pair<std::string, std::string>>& machine,
                    const std::vector<Row>& rows) {
  Json document = {{"machine", Json::object()}, {"results", Json::array()}};
  for (const auto& [name, value] : machine) document["machine"][name] = value;
  for (const Row& row : rows) document["results"].push_back(to_object(row));
  return document.dump(2) + "\n";
}

}  // namespace wyvern::bench
