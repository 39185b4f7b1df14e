#pragma once

namespace wyvern::detail {

/// What some fibers of a thread wait for, where nobody wakes a parker for it by himself: somebody has to look
/// whether it has come. The thread does while it is awake and none of its fibers can go on; else others are
/// to.
class Completions {
 public:
  /// Looks once, unless somebody else does, and posts the fibers that it concerns. More looks follow, until
  /// `rest` or `hand_over`.
  virtual void poll() noexcept = 0;
  /// This thread looks no more for now: its fibers go on.
  virtual void rest() noexcept = 0;
  /// This thread will sleep: somebody else is to look, until `take_back`.
  virtual void hand_over() noexcept = 0;
  virtual void take_back() noexcept = 0;

 protected:
  ~Completions() = default;
};

}  // namespace wyvern::detail
