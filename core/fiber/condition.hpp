#pragma once

#include <concepts>

namespace wyvern::detail {

/// What somebody waits for, as a reference to a function object that says whether it is so. That one outlives
/// it.
class Condition {
 public:
  template <class Ready>
    requires(!std::same_as<Ready, Condition>)
  explicit Condition(Ready& ready)
      : ready_(const_cast<void*>(static_cast<const void*>(&ready))),
        ask_([](void* object) { return static_cast<bool>((*static_cast<Ready*>(object))()); }) {}

  bool operator()() const { return ask_(ready_); }

 private:
  void* ready_;
  bool (*ask_)(void*);
};

}  // namespace wyvern::detail
