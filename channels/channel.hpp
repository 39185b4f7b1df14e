#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

/// How a queue or channel is made. The defaults take about 0.3 MiB.
struct QueueOptions {
  /// Messages that it holds; 1 to 131,072.
  std::uint64_t capacity = 1024;
  /// Bytes of all payloads outside the ring's blocks together; 0: half of what the node may use, so that one
  /// queue that nobody reads cannot take everything.
  std::uint64_t max_bytes = 0;
  /// Bytes of a payload that the ring's own blocks hold, at most 1 MiB: larger payloads cost a look for free
  /// memory, larger blocks cost memory for every message.
  std::uint64_t inline_size = 256;
  /// Unique in the job, at most 119 bytes; empty: the queue can only be reached through its handles.
  std::string name = {};
};

/// A queue of byte strings that any number of processes put into and get from. A small value: copies are
/// handles to the same channel, which lives while any process holds one. A process that dies or stops at any
/// instruction holds up nobody else; what it had put stays, what it had got is gone.
///
/// Thread-safe, and so is every copy. Each call ends by success, by "not in time" (false, nothing), or by an
/// exception: QueueClosed, TooLarge (a message that can never fit), OutOfMemory (the node's ceiling),
/// NodeLost, NotAMember (in a plain fork). Puts that happen one after another in one process arrive in that
/// order.
class Channel {
 public:
  /// A handle that refers to nothing; every call on it throws InvalidArgument.
  Channel() = default;
  /// For the runtime. QueueLost if the channel has gone; TypeMismatch if it was made for other messages.
  static Channel open(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                      std::uint64_t type_hash, std::string_view type_name);
  static Channel create(const std::shared_ptr<Member>& member, const QueueOptions& options,
                        std::uint64_t type_hash, std::string_view type_name);

  /// Blocks while the channel is full.
  void put(std::span<const std::byte> bytes) { local().put(bytes, Deadline::never()); }
  /// False if the channel is full (now, for that long, until then).
  bool try_put(std::span<const std::byte> bytes) { return local().put(bytes, Deadline::now()); }
  template <class Rep, class Period>
  bool try_put_for(std::chrono::duration<Rep, Period> duration, std::span<const std::byte> bytes) {
    return local().put(bytes, Deadline::after(duration));
  }
  template <class Clock, class Duration>
  bool try_put_until(std::chrono::time_point<Clock, Duration> time, std::span<const std::byte> bytes) {
    return local().put(bytes, Deadline::until(time));
  }

  /// Blocks while the channel is empty. QueueClosed once it is closed and drained.
  std::vector<std::byte> get() { return *get_until(Deadline::never()); }
  /// Nothing if the channel is empty (now, for that long, until then). QueueClosed once it is closed and
  /// drained.
  std::optional<std::vector<std::byte>> try_get() { return get_until(Deadline::now()); }
  template <class Rep, class Period>
  std::optional<std::vector<std::byte>> try_get_for(std::chrono::duration<Rep, Period> duration) {
    return get_until(Deadline::after(duration));
  }
  template <class Clock, class Duration>
  std::optional<std::vector<std::byte>> try_get_until(std::chrono::time_point<Clock, Duration> time) {
    return get_until(Deadline::until(time));
  }

  /// Producers get QueueClosed from now on, consumers after they have drained what was accepted; whoever is
  /// blocked wakes. Closing again does nothing.
  void close() { local().close(); }

  /// Messages in it: exact when nobody else is at work.
  std::uint64_t size_approx() const { return ring::size_approx(local().view()); }
  bool empty_approx() const { return size_approx() == 0; }
  bool full_approx() const { return size_approx() == capacity(); }
  std::uint64_t capacity() const { return local().view().capacity(); }
  ObjectId id() const { return local().reference().id; }
  /// How messages name it.
  const ObjectReference& reference() const { return local().reference(); }

  /// False for a default-constructed handle.
  explicit operator bool() const { return local_ != nullptr; }
  friend bool operator==(const Channel&, const Channel&) = default;

  /// What handles are made of; throws InvalidArgument for one that refers to nothing.
  LocalChannel& local() const {
    if (local_ == nullptr) throw_no_channel();
    return *local_;
  }

 private:
  explicit Channel(std::shared_ptr<LocalChannel> local) : local_(std::move(local)) {}
  std::optional<std::vector<std::byte>> get_until(Deadline deadline);
  [[noreturn]] static void throw_no_channel();

  std::shared_ptr<LocalChannel> local_;
};

/// What a Channel's messages are called where types are compared.
inline constexpr std::string_view raw_bytes_type_name = "bytes";
inline constexpr std::uint64_t raw_bytes_type_hash = hash_text(raw_bytes_type_name);

template <>
struct Codec<Channel> {
  static void encode(Encoder& encoder, const Channel& channel) { encoder.carry(channel.reference()); }
  static Channel decode(Decoder& decoder) {
    return Channel::open(Member::current(), decoder.take_reference(), raw_bytes_type_hash,
                         raw_bytes_type_name);
  }
};

}  // namespace wyvern
