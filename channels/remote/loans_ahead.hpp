#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include <wyvern/channels/remote/loan_pool.hpp>
#include <wyvern/channels/remote/remote_node.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// Large messages of an opening that were put ahead of their answers: the home reads them where they lie, and
/// their memory stays until it has said what became of them. Under the lock of RemoteAccess.
class LoansAhead {
 public:
  struct Loan {
    std::uint32_t operation = 0;
    RemoteOperation answer = {};
    LoanMemory memory = {};
    std::size_t size = 0;
  };

  /// Whether another of so many bytes may go ahead.
  bool may_begin(std::size_t bytes) const {
    return under_way_.size() < least || (under_way_.size() < most && bytes_ + bytes <= most_bytes);
  }
  /// Whether there is one that has not ended.
  bool any_under_way() const {
    return std::ranges::any_of(under_way_, [](const Loan& loan) { return !loan.answer.is_over(); });
  }

  /// How many met the close.
  std::uint32_t turned_back() const { return turned_back_; }

  /// Its operation has begun.
  void begun(std::list<Loan>& one);
  /// Forgets those that have ended, and gives back their memory; a refusal of one goes to `ahead`. Whether
  /// there were any.
  bool settle(PutsAhead& ahead, LoanPool& pool);
  /// Forgets all.
  void clear();

 private:
  /// Enough that the network is not idle between two, and little enough that the pool has it for the next
  /// ones.
  static constexpr std::size_t most_bytes = std::size_t{4} << 20;
  static constexpr std::size_t least = 2;
  static constexpr std::size_t most = 64;

  std::list<Loan> under_way_;  // in order; one that is refused may end before those in front of it
  std::size_t bytes_ = 0;
  std::uint32_t turned_back_ = 0;
};

}  // namespace wyvern
