#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <wyvern/channels/call_forms.hpp>
#include <wyvern/channels/local_batch.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/message.hpp>
#include <wyvern/channels/remote/remote_batch.hpp>
#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

struct QueueOptions;
namespace detail {
class Selection;
}

/// How many elements a range has, if it can tell without being used up; otherwise 1.
template <class Range>
std::size_t size_of(const Range& range) {
  if constexpr (std::ranges::sized_range<const Range>) {
    return static_cast<std::size_t>(std::ranges::size(range));
  } else {
    return 1;
  }
}

/// A queue of byte strings that any number of processes put into and get from. A small value: copies are
/// handles to the same channel, which lives while any process holds one or a message that is not read yet
/// carries one. A process that dies or stops at any instruction holds up nobody else; what it had put stays,
/// what it had got is gone, what it had leased comes back.
///
/// It works alike on a channel of this node, which is memory that all its processes share, and on one of
/// another, whose home is asked. There a put may return before the message is in the channel: what became of
/// it, if it could not go in, is told by a later put, or by flush. Large messages go there fastest in loans,
/// which the home reads where they lie; a process that ends waits until it has. Each call then ends with
/// NodeLost also when that node is.
///
/// Thread-safe, and so is every copy. Each call ends by success, by "not in time" (false, nothing), or by an
/// exception: QueueClosed, TooLarge (a message that can never fit), OutOfMemory (the node's ceiling),
/// NodeLost, NotAMember (in a plain fork). Puts that happen one after another in one process arrive in that
/// order.
class Channel : public PutForms<Channel, std::span<const std::byte>, ChannelLoan>,
                public TakeForms<Channel, std::vector<std::byte>, ChannelMessage, ChannelLease>,
                public PutManyForms<Channel>,
                public GetManyForms<Channel, std::vector<std::byte>> {
 public:
  /// A handle that refers to nothing; every call on it throws InvalidArgument.
  Channel() = default;
  /// For the runtime. QueueLost if the channel has gone; TypeMismatch if it was made for other messages;
  /// NodeLost, Unreachable for one of another node.
  static Channel open(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                      std::uint64_t type_hash, std::string_view type_name);
  /// The same for a handle in a message: one of a node that is lost says so when it is used, so that the
  /// message can be read.
  static Channel open_carried(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                              std::uint64_t type_hash, std::string_view type_name);
  /// Whether there still is such a channel. Throws NodeLost, Unreachable.
  static bool exists(const std::shared_ptr<Member>& member, const ObjectReference& reference);
  static Channel create(const std::shared_ptr<Member>& member, const QueueOptions& options,
                        std::uint64_t type_hash, std::string_view type_name);

  /// Memory for a message of so many bytes, to be filled and put. Blocks while the messages that are not read
  /// yet take all of max_bytes; for a channel of another node it is memory of this process, and never blocks.
  ChannelLoan loan(std::size_t bytes) const { return *loan_within(bytes, WaitLimit::never()); }
  /// Nothing: a stop was requested before.
  std::optional<ChannelLoan> loan(std::size_t bytes, const std::stop_token& stop) const {
    return loan_within(bytes, WaitLimit(stop));
  }
  std::optional<ChannelLoan> try_loan(std::size_t bytes) const {
    return loan_within(bytes, WaitLimit::now());
  }
  std::optional<ChannelLoan> loan_within(std::size_t bytes, const WaitLimit& limit) const;

  /// Everything that this process has put is in the channel at its home when this returns.
  void flush() const { flush_within(WaitLimit::never()); }
  /// False: a stop was requested, and not all of it may be there yet.
  bool flush(const std::stop_token& stop) const { return flush_within(WaitLimit(stop)); }
  bool flush_within(const WaitLimit& limit) const;
  /// Producers get QueueClosed from now on, consumers after they have drained what was accepted; whoever is
  /// blocked wakes. Closing again does nothing.
  void close() const;

  /// Reports one message done that this process has got (a lease's done() reports by itself). InvalidArgument
  /// if it has reported as many as it got. What a process got and has not reported when it lets the channel
  /// go, or dies, counts as lost.
  void task_done() const;
  /// Blocks until every message that was put was reported done or is lost; how many were lost since the
  /// channel was made.
  std::uint64_t join() const { return *join_within(WaitLimit::never()); }
  /// Nothing: a stop was requested, or it was not so in time.
  std::optional<std::uint64_t> join(const std::stop_token& stop) const {
    return join_within(WaitLimit(stop));
  }
  template <class Rep, class Period>
  std::optional<std::uint64_t> try_join_for(std::chrono::duration<Rep, Period> duration) const {
    return join_within(Deadline::after(duration));
  }

  /// Messages in it, given back ones included: exact when nobody else is at work. The home of a channel of
  /// another node is asked for this and the next two.
  std::uint64_t size_approx() const;
  bool empty_approx() const { return size_approx() == 0; }
  bool full_approx() const;
  std::uint64_t capacity() const;
  ObjectId id() const { return reference().id; }
  /// How messages name it.
  const ObjectReference& reference() const;

  /// False for a default-constructed handle.
  explicit operator bool() const { return local_ != nullptr || remote_ != nullptr; }
  friend bool operator==(const Channel& a, const Channel& b) {
    return a.local_ == b.local_ && a.remote_ == b.remote_;
  }

  /// What handles to a channel of this node are made of; throws InvalidArgument for another.
  LocalChannel& local() const {
    if (local_ == nullptr) [[unlikely]]
      throw_not_local();
    return *local_;
  }

  /// What the forms call; see there.
  bool put_within(std::span<const std::byte> bytes, const WaitLimit& limit) const {
    return put_message(bytes, {}, limit);
  }
  /// InvalidArgument if the loan is another channel's, or was put.
  bool put_within(ChannelLoan& loan, const WaitLimit& limit) const;
  std::optional<std::vector<std::byte>> get_within(const WaitLimit& limit) const;
  std::vector<std::byte> get_value() const { return *get_within(WaitLimit::never()); }
  std::optional<ChannelMessage> take_within(const WaitLimit& limit) const;
  std::optional<ChannelLease> lease_within(const WaitLimit& limit) const;
  std::optional<std::uint64_t> join_within(const WaitLimit& limit) const;
  template <class Range>
  std::size_t put_many_within(Range&& range, const WaitLimit& limit) const {
    return put_batch(
        size_of(range), limit, [&](auto& batch) __attribute__((always_inline)) {
          for (auto&& bytes : range) {
            if (!batch.put(std::span<const std::byte>(bytes), {})) break;
          }
        });
  }
  std::vector<std::vector<std::byte>> get_many_within(std::size_t most, const WaitLimit& limit) const;

  /// For typed handles. The caller holds the objects whose handles the message carries.
  bool put_message(std::span<const std::byte> bytes, std::span<const ObjectReference> handles,
                   const WaitLimit& limit) const {
    if (local_ != nullptr) [[likely]]
      return local_->put(bytes, handles, limit);
    return put_remotely(bytes, handles, limit);
  }
  /// What `read` makes of the next message, which is there until it returns; nothing in time.
  template <class Read>
  auto get_read(const WaitLimit& limit, Read read) const
      -> std::optional<std::invoke_result_t<Read, std::span<const std::byte>>> {
    if (local_ != nullptr) [[likely]] {
      const auto message = local_->take(IntentKind::get, limit);
      if (!message) return std::nullopt;
      return read(message->bytes());
    }
    const auto message = take_remotely(IntentKind::get, limit);
    if (!message) return std::nullopt;
    return read(message->bytes());
  }
  /// See LocalChannel.
  Received get_into(std::span<std::byte> buffer, std::vector<std::byte>& other,
                    const WaitLimit& limit) const {
    if (local_ != nullptr) [[likely]]
      return local_->get_into(buffer, other, limit);
    return get_into_remotely(buffer, other, limit);
  }
  /// `fill(batch)` puts messages by `batch.put(bytes, handles)` until that is false. How many went in;
  /// QueueClosed as put_many.
  template <class Fill>
  std::size_t put_batch(std::size_t expected, const WaitLimit& limit, Fill fill) const {
    if (local_ != nullptr) [[likely]] {
      PutBatch batch(*local_, expected, limit);
      {
        PutBatch::Run run(batch);
        fill(run);
      }
      if (batch.closed() && batch.count() == 0) batch.throw_closed();
      return batch.count();
    }
    RemotePutBatch batch(remote(), limit);
    fill(batch);
    return batch.finish();
  }
  /// `add(bytes)` gets each message of a batch; before, `expect(count)` gets how many there may be.
  template <class Expect, class Add>
  void get_batch(std::size_t most, const WaitLimit& limit, Expect expect, Add add) const {
    if (local_ != nullptr) [[likely]] {
      TakeBatch batch(*local_, most, limit);
      expect(batch.expected());
      TakeBatch::Run run(batch);
      for (auto bytes = run.next(); bytes.data() != nullptr; bytes = run.next()) add(bytes);
      return;
    }
    const std::vector<RemoteMessage> messages = take_many_remotely(most, limit);
    expect(messages.size());
    for (const RemoteMessage& message : messages) add(message.bytes());
  }

 private:
  friend class detail::Selection;
  explicit Channel(std::shared_ptr<LocalChannel> local) : local_(std::move(local)) {}
  explicit Channel(std::shared_ptr<RemoteChannel> remote) : remote_(std::move(remote)) {}
  RemoteChannel& remote() const {
    if (remote_ == nullptr) throw_no_channel();
    return *remote_;
  }
  bool put_remotely(std::span<const std::byte> bytes, std::span<const ObjectReference> handles,
                    const WaitLimit& limit) const;
  std::optional<RemoteMessage> take_remotely(IntentKind kind, const WaitLimit& limit) const;
  Received get_into_remotely(std::span<std::byte> buffer, std::vector<std::byte>& other,
                             const WaitLimit& limit) const;
  std::vector<RemoteMessage> take_many_remotely(std::size_t most, const WaitLimit& limit) const;
  [[noreturn]] static void throw_no_channel();
  [[noreturn]] void throw_not_local() const;

  // One of them, or none.
  std::shared_ptr<LocalChannel> local_;
  std::shared_ptr<RemoteChannel> remote_;
};

/// How a queue or channel is made. The defaults take about 0.35 MiB.
struct QueueOptions {
  /// Messages that it holds; 1 to 131,072.
  std::uint64_t capacity = 1024;
  /// Bytes of all payloads outside the ring's blocks together; 0: half of what the node may use, so that one
  /// queue that nobody reads cannot take everything.
  std::uint64_t max_bytes = 0;
  /// Bytes of a payload that the ring's own blocks hold, at most 1 MiB: larger payloads cost a look for free
  /// memory, larger blocks cost memory for every message.
  std::uint64_t inline_size = 256;
  /// Its home, the node where it is kept, from 1 on; 0: that of the process that makes it.
  std::uint32_t node = 0;
  /// Unique in the job, at most 119 bytes; empty: the queue can only be reached through its handles.
  std::string name = {};
  /// How often a message is leased before it counts as one that kills who handles it, at most 4095; 0: no
  /// limit.
  std::uint32_t max_deliveries = 0;
  /// Messages that a process of another node may put ahead of the home's answers, up to 65,536. Such a put
  /// returns before the message is in the queue; what became of it is told by a later one, or by flush. 0:
  /// each put waits for its answer.
  std::uint32_t window = default_window;
  /// Messages that a process of another node gets before it asks for them, up to 1024: gets one after another
  /// take as long as the network needs for a message, not for a round trip. Its first get asks for so many,
  /// and then they are that process's: others do not get them, a `try_get` finds them first; those that it
  /// has not asked for when it lets the queue go, or asks for a lease, go back to the front. If it is killed
  /// they are lost with it, and `join` counts them. 0: none.
  std::uint32_t prefetch = 0;
  /// Where such a message goes then: a queue of the same type and the same node, needed with max_deliveries.
  /// It lives as long as this one. While it is full they wait in this one; if it is closed they are lost.
  Channel dead_letters = {};
};

/// What a Channel's messages are called where types are compared.
inline constexpr std::string_view raw_bytes_type_name = "bytes";
inline constexpr std::uint64_t raw_bytes_type_hash = hash_text(raw_bytes_type_name);

template <>
struct Codec<Channel> {
  static void encode(Encoder& encoder, const Channel& channel) { encoder.carry(channel.reference()); }
  static Channel decode(Decoder& decoder) {
    return Channel::open_carried(Member::current(), decoder.take_reference(), raw_bytes_type_hash,
                                 raw_bytes_type_name);
  }
};

}  // namespace wyvern
