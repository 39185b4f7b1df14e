#pragma once

#include <stop_token>

#include <wyvern/core/deadline.hpp>

namespace wyvern {

/// Until when a call may wait: its deadline, and who may ask it to stop before. The stop token must outlive
/// the call.
class WaitLimit {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): most calls have a deadline and nothing else
  WaitLimit(Deadline deadline) : deadline_(deadline) {}
  explicit WaitLimit(const std::stop_token& stop) : deadline_(Deadline::never()), stop_(&stop) {}

  static WaitLimit never() { return Deadline::never(); }
  static WaitLimit now() { return Deadline::now(); }

  /// The same, and no longer than that.
  WaitLimit until(Deadline deadline) const {
    WaitLimit limit = *this;
    limit.deadline_ = earliest(deadline_, deadline);
    return limit;
  }

  Deadline deadline() const { return deadline_; }
  /// Null if nobody can ask.
  const std::stop_token* stop() const { return stop_; }
  bool stop_requested() const { return stop_ != nullptr && stop_->stop_requested(); }
  bool passed() const { return stop_requested() || deadline_.passed(); }
  bool is_now() const { return deadline_.is_now(); }

 private:
  Deadline deadline_;
  const std::stop_token* stop_ = nullptr;
};

}  // namespace wyvern
