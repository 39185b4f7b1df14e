#pragma once

#include <utility>

#include <wyvern/channels/queue.hpp>

namespace wyvern {

/// A handle to a queue that can only put. Otherwise like Queue.
template <class T>
class Producer : public PutForms<Producer<T>, T, Loan<T>>, public PutManyForms<Producer<T>> {
 public:
  Producer() = default;
  explicit Producer(Queue<T> queue) : queue_(std::move(queue)) {}

  Loan<T> loan() const
    requires LiesInPlace<T>
  {
    return queue_.loan();
  }
  std::optional<Loan<T>> loan(const std::stop_token& stop) const
    requires LiesInPlace<T>
  {
    return queue_.loan(stop);
  }
  std::optional<Loan<T>> try_loan() const
    requires LiesInPlace<T>
  {
    return queue_.try_loan();
  }
  void flush() const { queue_.flush(); }
  bool flush(const std::stop_token& stop) const { return queue_.flush(stop); }
  void close() const { queue_.close(); }
  bool full_approx() const { return queue_.full_approx(); }
  ObjectId id() const { return queue_.id(); }
  explicit operator bool() const { return static_cast<bool>(queue_); }
  friend bool operator==(const Producer& a, const Producer& b) { return a.queue_ == b.queue_; }

  /// What the forms call; see there.
  bool put_within(const T& value, const WaitLimit& limit) const { return queue_.put_within(value, limit); }
  bool put_within(Loan<T>& loan, const WaitLimit& limit) const { return queue_.put_within(loan, limit); }
  template <class Range>
  std::size_t put_many_within(Range&& range, const WaitLimit& limit) const {
    return queue_.put_many_within(std::forward<Range>(range), limit);
  }

 private:
  friend struct Codec<Producer>;
  Queue<T> queue_;
};

namespace detail {
struct SelectFrom;
}

/// A handle to a queue that can only get. Otherwise like Queue.
template <class T>
class Consumer : public TakeForms<Consumer<T>, T, Message<T>, Lease<T>>, public GetManyForms<Consumer<T>, T> {
 public:
  Consumer() = default;
  explicit Consumer(Queue<T> queue) : queue_(std::move(queue)) {}

  void task_done() const { queue_.task_done(); }
  std::uint64_t size_approx() const { return queue_.size_approx(); }
  bool empty_approx() const { return queue_.empty_approx(); }
  ObjectId id() const { return queue_.id(); }
  explicit operator bool() const { return static_cast<bool>(queue_); }
  friend bool operator==(const Consumer& a, const Consumer& b) { return a.queue_ == b.queue_; }
  auto begin() const { return queue_.begin(); }
  std::default_sentinel_t end() const { return {}; }

  /// What the forms call; see there.
  T get_value() const { return queue_.get_value(); }
  std::optional<T> get_within(const WaitLimit& limit) const { return queue_.get_within(limit); }
  std::optional<Message<T>> take_within(const WaitLimit& limit) const { return queue_.take_within(limit); }
  std::optional<Lease<T>> lease_within(const WaitLimit& limit) const { return queue_.lease_within(limit); }
  std::vector<T> get_many_within(std::size_t most, const WaitLimit& limit) const {
    return queue_.get_many_within(most, limit);
  }

 private:
  friend struct Codec<Consumer>;
  friend struct detail::SelectFrom;
  Queue<T> queue_;
};

template <class T>
Producer<T> Queue<T>::producer() const {
  return Producer<T>(*this);
}
template <class T>
Consumer<T> Queue<T>::consumer() const {
  return Consumer<T>(*this);
}

template <class T>
struct Codec<Producer<T>> {
  static void encode(Encoder& encoder, const Producer<T>& end) {
    Codec<Queue<T>>::encode(encoder, end.queue_);
  }
  static Producer<T> decode(Decoder& decoder) { return Producer<T>(Codec<Queue<T>>::decode(decoder)); }
};
template <class T>
struct Codec<Consumer<T>> {
  static void encode(Encoder& encoder, const Consumer<T>& end) {
    Codec<Queue<T>>::encode(encoder, end.queue_);
  }
  static Consumer<T> decode(Decoder& decoder) { return Consumer<T>(Codec<Queue<T>>::decode(decoder)); }
};

}  // namespace wyvern
