#pragma once

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>
#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

/// A Channel whose messages are values of type T, encoded by Codec<T>: what is said there holds here. A
/// message that is no T throws DecodeError, which carries its bytes; it has left the queue then. A handle can
/// be copied, and be an argument of a process.
template <class T>
class Queue {
 public:
  using value_type = T;

  /// A handle that refers to nothing; every call on it throws InvalidArgument.
  Queue() = default;
  /// For the runtime: a new queue, and a further handle to one that exists.
  Queue(const std::shared_ptr<Member>& member, const QueueOptions& options)
      : channel_(Channel::create(member, options, type_hash<T>(), type_name<T>())) {}
  Queue(const std::shared_ptr<Member>& member, const ObjectReference& reference)
      : channel_(Channel::open(member, reference, type_hash<T>(), type_name<T>())) {}

  /// Blocks while the queue is full. If encoding throws, nothing was enqueued.
  void put(const T& value) { put_until(value, Deadline::never()); }
  /// False if the queue is full (now, for that long, until then).
  bool try_put(const T& value) { return put_until(value, Deadline::now()); }
  template <class Rep, class Period>
  bool try_put_for(std::chrono::duration<Rep, Period> duration, const T& value) {
    return put_until(value, Deadline::after(duration));
  }
  template <class Clock, class Duration>
  bool try_put_until(std::chrono::time_point<Clock, Duration> time, const T& value) {
    return put_until(value, Deadline::until(time));
  }

  /// Blocks while the queue is empty. QueueClosed once it is closed and drained.
  T get() { return *get_until(Deadline::never()); }
  /// Nothing if the queue is empty (now, for that long, until then). QueueClosed once it is closed and
  /// drained, so that empty and ended are never confused.
  std::optional<T> try_get() { return get_until(Deadline::now()); }
  template <class Rep, class Period>
  std::optional<T> try_get_for(std::chrono::duration<Rep, Period> duration) {
    return get_until(Deadline::after(duration));
  }
  template <class Clock, class Duration>
  std::optional<T> try_get_until(std::chrono::time_point<Clock, Duration> time) {
    return get_until(Deadline::until(time));
  }

  /// See Channel.
  void close() { channel_.close(); }
  std::uint64_t size_approx() const { return channel_.size_approx(); }
  bool empty_approx() const { return channel_.empty_approx(); }
  bool full_approx() const { return channel_.full_approx(); }
  std::uint64_t capacity() const { return channel_.capacity(); }
  ObjectId id() const { return channel_.id(); }
  /// The same queue seen as encoded bytes.
  const Channel& channel() const { return channel_; }
  explicit operator bool() const { return static_cast<bool>(channel_); }
  friend bool operator==(const Queue&, const Queue&) = default;

  /// Gets one message after another until the queue is closed and drained: `for (auto& item : queue)`.
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Queue& queue) : queue_(&queue) { advance(); }
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
    Queue* queue_;
    mutable std::optional<T> item_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() { return {}; }

 private:
  /// Kept by a thread between calls; what a large message made it grow to is given back.
  static constexpr std::size_t longest_kept_buffer = std::size_t{1} << 20;

  bool put_until(const T& value, Deadline deadline) {
    if constexpr (detail::is_raw<T>()) {
      return channel_.local().put(std::as_bytes(std::span(&value, 1)), deadline);
    } else {
      thread_local std::vector<std::byte> kept;
      std::vector<std::byte> buffer = std::exchange(kept, {});  // a codec may put into a queue itself
      buffer.clear();
      encode_to(buffer, value);
      const bool done = channel_.local().put(buffer, deadline);
      if (buffer.capacity() <= longest_kept_buffer) kept = std::move(buffer);
      return done;
    }
  }

  std::optional<T> get_until(Deadline deadline) {
    const auto message = channel_.local().get(deadline);
    if (!message) return std::nullopt;
    return decode_from<T>(message->bytes());
  }

  Channel channel_;
};

template <class T>
struct Codec<Queue<T>> {
  static void encode(Encoder& encoder, const Queue<T>& queue) { encoder.carry(queue.channel().reference()); }
  static Queue<T> decode(Decoder& decoder) { return Queue<T>(Member::current(), decoder.take_reference()); }
};

}  // namespace wyvern
