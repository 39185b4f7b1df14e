#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include <wyvern/core/file_descriptor.hpp>

#include "bench/common/histogram.hpp"
#include "bench/common/stream_check.hpp"
#include "bench/common/work_order.hpp"

namespace wyvern::bench {

inline constexpr std::size_t line = 64;  ///< bytes of a cache line
inline constexpr std::size_t max_workers = max_producers + max_consumers;

/// Where a worker leaves what it has seen in a round. Written by it alone, read when the round is over.
struct alignas(line) WorkerSlot {
  Histogram histogram;
  Histogram before;    ///< of what came before the event whose effect is measured
  double ns_per_unit;  ///< of the values in the histograms
  std::uint64_t begin_ns;
  std::uint64_t end_ns;
  std::array<Tally, max_producers> tallies;
  /// Where the others reach it, for systems with addresses.
  std::array<std::byte, 512> address;
  std::atomic<std::uint32_t> address_length;
};

/// Words on which one side of the systems `flag` and `futex` waits for the other: one for each direction.
struct alignas(line) SharedWord {
  std::atomic<std::uint64_t> stamp;
  std::atomic<std::uint32_t> turns;
};

struct ScratchLayout {
  alignas(line) std::atomic<std::uint32_t> round;  ///< counts up; workers sleep on it between rounds
  std::uint32_t last_round;                        ///< not 0: the workers end instead of a round
  double seconds;
  alignas(line) std::atomic<std::uint32_t> arrivals;  ///< of workers at the end of set-up and of each round
  std::atomic<std::uint32_t> failed;
  std::array<char, 512> failure;
  alignas(line) std::atomic<std::uint32_t> producers_done;
  std::array<SharedWord, 2> words;
  std::array<WorkerSlot, max_workers> slots;
};

/// Memory that the processes of one team share, without a name: the workers reach it through the process that
/// made it, which has to outlive their openings.
class Scratch {
 public:
  /// All zero.
  Scratch();
  /// That of another process.
  explicit Scratch(const std::string& file);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// For the other processes.
  std::string file() const;
  ScratchLayout* operator->() const { return layout_; }

 private:
  void map();

  FileDescriptor fd_;
  ScratchLayout* layout_ = nullptr;
};

}  // namespace wyvern::bench
