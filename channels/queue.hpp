#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/encoded_message.hpp>
#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

template <class T>
class Producer;
template <class T>
class Consumer;

/// A Channel whose messages are values of type T, encoded by Codec<T>: what is said there holds here. A
/// message that is no T throws DecodeError, which carries its bytes; it has left the queue then. A handle can
/// be copied, be an argument of a process, and be in a message.
template <class T>
class Queue : public PutForms<Queue<T>, T, Loan<T>>,
              public TakeForms<Queue<T>, T, Message<T>, Lease<T>>,
              public PutManyForms<Queue<T>>,
              public GetManyForms<Queue<T>, T> {
 public:
  using value_type = T;

  /// A handle that refers to nothing; every call on it throws InvalidArgument.
  Queue() = default;
  /// For the runtime: a new queue, and a further handle to one that exists.
  Queue(const std::shared_ptr<Member>& member, const QueueOptions& options)
      : channel_(Channel::create(member, options, type_hash<T>(), type_name<T>())) {}
  Queue(const std::shared_ptr<Member>& member, const ObjectReference& reference)
      : channel_(Channel::open(member, reference, type_hash<T>(), type_name<T>())) {}

  /// See Channel::open_carried.
  static Queue open_carried(const std::shared_ptr<Member>& member, const ObjectReference& reference) {
    Queue queue;
    queue.channel_ = Channel::open_carried(member, reference, type_hash<T>(), type_name<T>());
    return queue;
  }

  /// A T in the queue's memory, to be filled and put.
  Loan<T> loan() const
    requires LiesInPlace<T>
  {
    return Loan<T>(*channel_.loan_within(sizeof(T), WaitLimit::never()));
  }
  std::optional<Loan<T>> loan(const std::stop_token& stop) const
    requires LiesInPlace<T>
  {
    auto loan = channel_.loan(sizeof(T), stop);
    if (!loan) return std::nullopt;
    return std::optional<Loan<T>>(std::in_place, std::move(*loan));
  }
  std::optional<Loan<T>> try_loan() const
    requires LiesInPlace<T>
  {
    auto loan = channel_.try_loan(sizeof(T));
    if (!loan) return std::nullopt;
    return std::optional<Loan<T>>(std::in_place, std::move(*loan));
  }

  /// See Channel.
  void flush() const { channel_.flush(); }
  bool flush(const std::stop_token& stop) const { return channel_.flush(stop); }
  void close() const { channel_.close(); }
  void task_done() const { channel_.task_done(); }
  std::uint64_t join() const { return channel_.join(); }
  std::optional<std::uint64_t> join(const std::stop_token& stop) const { return channel_.join(stop); }
  template <class Rep, class Period>
  std::optional<std::uint64_t> try_join_for(std::chrono::duration<Rep, Period> duration) const {
    return channel_.try_join_for(duration);
  }
  std::uint64_t size_approx() const { return channel_.size_approx(); }
  bool empty_approx() const { return channel_.empty_approx(); }
  bool full_approx() const { return channel_.full_approx(); }
  std::uint64_t capacity() const { return channel_.capacity(); }
  ObjectId id() const { return channel_.id(); }
  /// The same queue seen as encoded bytes.
  const Channel& channel() const { return channel_; }
  explicit operator bool() const { return static_cast<bool>(channel_); }
  friend bool operator==(const Queue& a, const Queue& b) { return a.channel_ == b.channel_; }

  /// Handles that can only put, or only get.
  Producer<T> producer() const;
  Consumer<T> consumer() const;

  /// Gets one message after another until the queue is closed and drained: `for (auto& item : queue)`.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(const Queue& queue) : queue_(&queue) { advance(); }
    T& operator*() const { return *item_; }
    Iterator& operator++() {
      advance();
      return *this;
    }
    void operator++(int) { advance(); }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return !iterator.item_; }

   private:
    void advance() {
      item_.reset();
      try {
        item_.emplace(queue_->get());
      } catch (const QueueClosed&) {
        // The end: the iterator has no item, which is how it equals the sentinel.
      }
    }
    const Queue* queue_;
    mutable std::optional<T> item_;
  };
  Iterator begin() const { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

  /// What the forms call; see there.
  bool put_within(const T& value, const WaitLimit& limit) const {
    const EncodedMessage<T> message(value);
    return channel_.put_message(message.bytes(), message.handles(), limit);
  }
  bool put_within(Loan<T>& loan, const WaitLimit& limit) const {
    return channel_.put_within(loan.channel_loan(), limit);
  }
  T get_value() const {
    if constexpr (is_copied_out) {
      T value;
      copy_out(value, WaitLimit::never());
      return value;
    } else {
      return *get_within(WaitLimit::never());
    }
  }
  std::optional<T> get_within(const WaitLimit& limit) const {
    if constexpr (is_copied_out) {
      T value;
      if (!copy_out(value, limit)) return std::nullopt;
      return value;
    } else {
      return channel_.get_read(limit, [](std::span<const std::byte> bytes) { return decode_from<T>(bytes); });
    }
  }
  std::optional<Message<T>> take_within(const WaitLimit& limit) const {
    auto message = channel_.take_within(limit);
    if (!message) return std::nullopt;
    return std::optional<Message<T>>(std::in_place, std::move(*message));
  }
  std::optional<Lease<T>> lease_within(const WaitLimit& limit) const {
    auto lease = channel_.lease_within(limit);
    if (!lease) return std::nullopt;
    return std::optional<Lease<T>>(std::in_place, std::move(*lease));
  }
  template <class Range>
  std::size_t put_many_within(Range&& range, const WaitLimit& limit) const {
    return channel_.put_batch(
        size_of(range), limit, [&](auto& batch) __attribute__((always_inline)) {
          for (auto&& element : range) {
            const T& value = element;
            const EncodedMessage<T> message(value);
            if (!batch.put(message.bytes(), message.handles())) break;
          }
        });
  }
  std::vector<T> get_many_within(std::size_t most, const WaitLimit& limit) const {
    std::vector<T> values;
    const auto expect = [&](std::size_t count) { values.reserve(count); };
    channel_.get_batch(most, limit, expect, [&](std::span<const std::byte> bytes) {
      if constexpr (LiesInPlace<T>) {
        values.push_back(MessageValue<T>(bytes).get());
      } else {
        values.push_back(decode_from<T>(bytes));
      }
    });
    return values;
  }

 private:
  /// Whether a value is its own bytes and can be made before they are there.
  static constexpr bool is_copied_out = detail::is_raw<T>() && std::is_trivially_default_constructible_v<T>;
  /// False: nothing in time.
  bool copy_out(T& value, const WaitLimit& limit) const {
    std::vector<std::byte> other;
    const Received received = channel_.get_into(std::as_writable_bytes(std::span(&value, 1)), other, limit);
    if (received == Received::in_other) [[unlikely]]
      decode_from<T>(other);  // which throws
    return received == Received::in_buffer;
  }

  Channel channel_;
};

template <class T>
struct Codec<Queue<T>> {
  static void encode(Encoder& encoder, const Queue<T>& queue) { encoder.carry(queue.channel().reference()); }
  static Queue<T> decode(Decoder& decoder) {
    return Queue<T>::open_carried(Member::current(), decoder.take_reference());
  }
};

}  // namespace wyvern

#include <wyvern/channels/queue_ends.hpp>  // IWYU pragma: export
