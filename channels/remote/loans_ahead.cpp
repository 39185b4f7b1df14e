#include <utility>

#include <wyvern/channels/remote/loans_ahead.hpp>

namespace wyvern {

void LoansAhead::begun(std::list<Loan>& one) {
  bytes_ += one.front().size;
  under_way_.splice(under_way_.end(), one);
}

bool LoansAhead::settle(PutsAhead& ahead, LoanPool& pool) {
  const auto ended = under_way_.remove_if([&](Loan& loan) {
    if (!loan.answer.is_over()) return false;
    if (loan.answer.outcome == wire::FrameKind::closed) ++turned_back_;
    if (loan.answer.refusal) ahead.refusal = loan.answer.refusal;
    bytes_ -= loan.size;
    pool.give_back(std::move(loan.memory));
    return true;
  });
  return ended != 0;
}

void LoansAhead::clear() {
  under_way_.clear();
  bytes_ = 0;
}

}  // namespace wyvern
