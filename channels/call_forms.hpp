#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <ranges>
#include <stop_token>
#include <utility>
#include <vector>

#include <wyvern/core/wait_limit.hpp>

/// The forms in which every call that may wait is there: as long as it takes, until a stop is requested, not
/// at all, for a while, until a moment. A class derives from these and has the one function with a WaitLimit
/// that they call.
namespace wyvern {

/// `Self::put_within(const Value&, const WaitLimit&)` and `Self::put_within(Loan&, const WaitLimit&)`.
template <class Self, class Value, class Loan>
class PutForms {
 public:
  /// Blocks while the queue is full. QueueClosed once it is closed. When encoding throws, nothing was
  /// enqueued.
  void put(const Value& value) const { self().put_within(value, WaitLimit::never()); }
  /// False: a stop was requested before there was room.
  bool put(const Value& value, const std::stop_token& stop) const {
    return self().put_within(value, WaitLimit(stop));
  }
  /// False: the queue is full (now, for that long, until then).
  bool try_put(const Value& value) const { return self().put_within(value, WaitLimit::now()); }
  template <class Rep, class Period>
  bool try_put_for(std::chrono::duration<Rep, Period> duration, const Value& value) const {
    return self().put_within(value, Deadline::after(duration));
  }
  template <class Clock, class Duration>
  bool try_put_until(std::chrono::time_point<Clock, Duration> time, const Value& value) const {
    return self().put_within(value, Deadline::until(time));
  }

  /// The same with a message that was built in place. Whenever it is not put, by false or by an exception,
  /// the loan stays with its owner as it is.
  void put(Loan&& loan) const { self().put_within(loan, WaitLimit::never()); }
  bool put(Loan&& loan, const std::stop_token& stop) const {
    return self().put_within(loan, WaitLimit(stop));
  }
  bool try_put(Loan&& loan) const { return self().put_within(loan, WaitLimit::now()); }
  template <class Rep, class Period>
  bool try_put_for(std::chrono::duration<Rep, Period> duration, Loan&& loan) const {
    return self().put_within(loan, Deadline::after(duration));
  }
  template <class Clock, class Duration>
  bool try_put_until(std::chrono::time_point<Clock, Duration> time, Loan&& loan) const {
    return self().put_within(loan, Deadline::until(time));
  }

 private:
  friend Self;
  PutForms() = default;
  const Self& self() const { return static_cast<const Self&>(*this); }
};

/// `Self::get_within(const WaitLimit&)`, `take_within` and `lease_within`, which return optionals, and
/// `Self::get_value()`, which waits as long as it takes.
template <class Self, class Value, class Message, class Lease>
class TakeForms {
 public:
  /// The next message as a value. Blocks while the queue is empty; QueueClosed once it is closed and drained,
  /// so that empty and ended are never confused.
  Value get() const { return self().get_value(); }
  /// Nothing: a stop was requested before a message came.
  std::optional<Value> get(const std::stop_token& stop) const { return self().get_within(WaitLimit(stop)); }
  /// Nothing: the queue is empty (now, for that long, until then).
  std::optional<Value> try_get() const { return self().get_within(WaitLimit::now()); }
  template <class Rep, class Period>
  std::optional<Value> try_get_for(std::chrono::duration<Rep, Period> duration) const {
    return self().get_within(Deadline::after(duration));
  }
  template <class Clock, class Duration>
  std::optional<Value> try_get_until(std::chrono::time_point<Clock, Duration> time) const {
    return self().get_within(Deadline::until(time));
  }

  /// The next message, to be read where it lies. As get otherwise.
  Message take() const { return *self().take_within(WaitLimit::never()); }
  std::optional<Message> take(const std::stop_token& stop) const {
    return self().take_within(WaitLimit(stop));
  }
  std::optional<Message> try_take() const { return self().take_within(WaitLimit::now()); }
  template <class Rep, class Period>
  std::optional<Message> try_take_for(std::chrono::duration<Rep, Period> duration) const {
    return self().take_within(Deadline::after(duration));
  }
  template <class Clock, class Duration>
  std::optional<Message> try_take_until(std::chrono::time_point<Clock, Duration> time) const {
    return self().take_within(Deadline::until(time));
  }

  /// The next message until it is reported done: see Lease. On a closed queue it ends with QueueClosed only
  /// when nothing is left and no lease is outstanding that could put a message back.
  Lease lease() const { return *self().lease_within(WaitLimit::never()); }
  std::optional<Lease> lease(const std::stop_token& stop) const {
    return self().lease_within(WaitLimit(stop));
  }
  std::optional<Lease> try_lease() const { return self().lease_within(WaitLimit::now()); }
  template <class Rep, class Period>
  std::optional<Lease> try_lease_for(std::chrono::duration<Rep, Period> duration) const {
    return self().lease_within(Deadline::after(duration));
  }
  template <class Clock, class Duration>
  std::optional<Lease> try_lease_until(std::chrono::time_point<Clock, Duration> time) const {
    return self().lease_within(Deadline::until(time));
  }

 private:
  friend Self;
  TakeForms() = default;
  const Self& self() const { return static_cast<const Self&>(*this); }
};

/// `Self::put_many_within(range, const WaitLimit&)`.
template <class Self>
class PutManyForms {
 public:
  /// Puts the elements of a range one after another; blocks while the queue is full. How many went in before
  /// it was closed, all if it was not; QueueClosed if none did. When encoding throws, those before are in the
  /// queue.
  template <std::ranges::input_range Range>
  std::size_t put_many(Range&& range) const {
    return self().put_many_within(std::forward<Range>(range), WaitLimit::never());
  }
  /// Those that went in before a stop was requested.
  template <std::ranges::input_range Range>
  std::size_t put_many(Range&& range, const std::stop_token& stop) const {
    return self().put_many_within(std::forward<Range>(range), WaitLimit(stop));
  }
  /// Those for which there is room (now, in that time).
  template <std::ranges::input_range Range>
  std::size_t try_put_many(Range&& range) const {
    return self().put_many_within(std::forward<Range>(range), WaitLimit::now());
  }
  template <class Rep, class Period, std::ranges::input_range Range>
  std::size_t try_put_many_for(std::chrono::duration<Rep, Period> duration, Range&& range) const {
    return self().put_many_within(std::forward<Range>(range), Deadline::after(duration));
  }

 private:
  friend Self;
  PutManyForms() = default;
  const Self& self() const { return static_cast<const Self&>(*this); }
};

/// `Self::get_many_within(std::size_t, const WaitLimit&)`.
template <class Self, class Value>
class GetManyForms {
 public:
  /// Between one and `most` messages: blocks for the first, and takes what is there then. A message that is
  /// no Value throws DecodeError; those got before it are gone with it.
  std::vector<Value> get_many(std::size_t most) const {
    return self().get_many_within(most, WaitLimit::never());
  }
  /// Perhaps none, if a stop was requested before a message came.
  std::vector<Value> get_many(std::size_t most, const std::stop_token& stop) const {
    return self().get_many_within(most, WaitLimit(stop));
  }
  /// What is there (now, as soon as something is in that time); perhaps none.
  std::vector<Value> try_get_many(std::size_t most) const {
    return self().get_many_within(most, WaitLimit::now());
  }
  template <class Rep, class Period>
  std::vector<Value> try_get_many_for(std::chrono::duration<Rep, Period> duration, std::size_t most) const {
    return self().get_many_within(most, Deadline::after(duration));
  }

 private:
  friend Self;
  GetManyForms() = default;
  const Self& self() const { return static_cast<const Self&>(*this); }
};

}  // namespace wyvern
