#include "bench/queue/contest.hpp"

#include <utility>

namespace wyvern::bench {

std::vector<Row> compete(const Contestant& ours, const std::vector<Contestant>& others,
                         std::uint32_t repetitions, const Progress& progress, const std::string& title) {
  std::vector<Row> rows;
  for (std::uint32_t repetition = 0; repetition < repetitions; ++repetition) {
    progress.show(title + ": repetition " + std::to_string(repetition + 1) + " of " +
                  std::to_string(repetitions));
    const auto measure = [repetition](const Contestant& contestant) {
      Row row = contestant.measure();
      row.repetition = repetition;
      return row;
    };
    Row own = measure(ours);
    std::vector<Row> theirs;
    for (const Contestant& other : others) {
      theirs.push_back(measure(other));
      compare(own, theirs.back(), other.name);
    }
    rows.push_back(std::move(own));
    rows.insert(rows.end(), theirs.begin(), theirs.end());
  }
  return rows;
}

}  // namespace wyvern::bench
