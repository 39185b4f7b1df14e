#include "bench/common/contest.hpp"

namespace wyvern::bench {

std::vector<Row> compete(const Contestant& ours, const std::vector<Contestant>& others,
                         const Schedule& schedule, const Progress& progress, const std::string& title) {
  std::vector<Row> rows;
  for (std::uint32_t repetition = 0; repetition < schedule.repetitions; ++repetition) {
    progress.show(title + ": repetition " + std::to_string(repetition + 1) + " of " +
                  std::to_string(schedule.repetitions));
    for (std::uint32_t turn = 0; turn < schedule.turns; ++turn) {
      ours.play();
      for (const Contestant& other : others) other.play();
    }
    const auto result_of = [repetition](const Contestant& contestant) {
      Row row = contestant.result();
      row.repetition = repetition;
      return row;
    };
    const std::size_t own = rows.size();
    rows.push_back(result_of(ours));
    for (const Contestant& other : others) {
      rows.push_back(result_of(other));
      compare(rows[own], rows.back(), other.name);
    }
  }
  return rows;
}

}  // namespace wyvern::bench
