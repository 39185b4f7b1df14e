#pragma once

#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "child.hpp"

namespace wyvern::test {

/// The part of a child's work that is to be gone through instruction by instruction. The child calls both,
/// from one thread.
class SteppedPart {
 public:
  /// Stops the child until the test lets it go on. From here on, an allocation takes the same way in each
  /// child.
  void begin();
  void end() { ended_ = true; }

 private:
  friend class SteppedChild;
  std::atomic<int> trace_error_ = 0;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> ended_ = false;
};

/// Which places of a path are tried: all that are wanted, or, where making and tracing processes is so slow
/// (some virtual machines take ten times as long) that a test would not end, so few that it does, evenly.
class SteppedPlaces {
 public:
  /// `share`: of the time that a test has, the part that this path gets.
  SteppedPlaces(std::size_t places, std::size_t stride, double share = 1)
      : places_(places), stride_(stride), budget_(usual_time * share) {}
  std::size_t current() const { return current_; }
  bool has_ended() const { return current_ >= places_; }
  void advance();

 private:
  using Seconds = std::chrono::duration<double>;
  static constexpr Seconds usual_time{20};

  std::size_t places_;
  std::size_t stride_;
  Seconds budget_;
  std::size_t current_ = 0;
  std::size_t tried_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Where a child was before each instruction of its part: place 0 is before the first one.
class SteppedPath {
 public:
  void add(std::uint64_t address);
  std::size_t size() const { return places_.size(); }
  std::uint64_t address(std::size_t place) const { return places_[place].address; }
  /// The last place, up to this one, whose address occurs there for the first time.
  std::size_t first_passage(std::size_t place) const { return places_[place].first_passage; }

 private:
  struct Place {
    std::uint64_t address;
    std::size_t first_passage;
  };
  std::vector<Place> places_;
  std::set<std::uint64_t> passed_;
};

/// A child that the test lets go on instruction by instruction (ptrace). A system call is one instruction.
/// All calls from the thread that made it.
class SteppedChild {
 public:
  /// Returns when the child stands before its part. Throws std::runtime_error where the system does not
  /// permit ptrace.
  explicit SteppedChild(const std::function<int(SteppedPart&)>& work);

  /// One instruction; false if the part is over.
  bool step();
  /// Goes through the part, or so many of its first instructions; `look` is called at each place.
  SteppedPath walk(
      std::size_t most, const std::function<void()>& look = [] {});
  /// Lets it go to that place on the path that a child with the same work has walked; false if it has taken
  /// another way. From the beginning of the part only.
  bool go_to(const SteppedPath& path, std::size_t place);
  /// Ends it where it is.
  void kill();
  /// It runs on by itself. Does nothing if it has ended.
  void let_go();
  /// As Child::wait, once it was killed or let go.
  int wait() { return child_.wait(); }

 private:
  void enter_part();
  std::uint64_t address() const;
  bool resume_until_trap(int request);
  bool run_to(std::uint64_t place);

  struct Unmap {
    void operator()(SteppedPart* part) const;
  };
  std::unique_ptr<SteppedPart, Unmap> part_;
  Child child_;
};

/// While it lives, this thread and the children that it makes run on one core: taking turns there is several
/// times quicker than between two.
class OneCore {
 public:
  OneCore();
  ~OneCore();
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  ::cpu_set_t before_;
};

}  // namespace wyvern::test
