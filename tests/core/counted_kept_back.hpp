#pragma once

#include <wyvern/core/member.hpp>

namespace wyvern::test {

/// What a member keeps back for other nodes: counts how often it is sent.
class CountedKeptBack : public KeptBack {
 public:
  explicit CountedKeptBack(Member& member) : member_(member) {}
  void keep_back() { member_.network_access().kept_back = this; }
  void send() noexcept override {
    member_.network_access().kept_back = nullptr;
    ++sent;
  }

  int sent = 0;

 private:
  Member& member_;
};

}  // namespace wyvern::test
