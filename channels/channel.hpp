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
#include <vector>

#include <wyvern/channels/call_forms.hpp>
#include <wyvern/channels/local_batch.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/message.hpp>
#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

struct QueueOptions;

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
  /// For the runtime. QueueLost if the channel has gone; TypeMismatch if it was made for other messages.
  static Channel open(const std::shared_ptr<Member>& member, const ObjectReference& reference,
                      std::uint64_t type_hash, std::string_view type_name);
  static Channel create(const std::shared_ptr<Member>& member, const QueueOptions& options,
                        std::uint64_t type_hash, std::string_view type_name);

  /// Memory for a message of so many bytes, to be filled and put. Blocks while the messages that are not read
  /// yet take all of max_bytes.
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
  void flush() const { Member::check_not_forked(); }
  /// Producers get QueueClosed from now on, consumers after they have drained what was accepted; whoever is
  /// blocked wakes. Closing again does nothing.
  void close() const { local().close(); }

  /// Reports one message done that this process has got (a lease's done() reports by itself). InvalidArgument
  /// if it has reported as many as it got. What a process got and has not reported when it lets the channel
  /// go, or dies, counts as lost.
  void task_done() const { local().task_done(); }
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

  /// Messages in it, given back ones included: exact when nobody else is at work.
  std::uint64_t size_approx() const;
  bool empty_approx() const { return size_approx() == 0; }
  bool full_approx() const { return ring::size_approx(local().view()) == capacity(); }
  std::uint64_t capacity() const { return local().view().capacity(); }
  ObjectId id() const { return local().reference().id; }
  /// How messages name it.
  const ObjectReference& reference() const { return local().reference(); }

  /// False for a default-constructed handle.
  explicit operator bool() const { return local_ != nullptr; }
  friend bool operator==(const Channel& a, const Channel& b) { return a.local_ == b.local_; }

  /// What handles are made of; throws InvalidArgument for one that refers to nothing.
  LocalChannel& local() const {
    if (local_ == nullptr) throw_no_channel();
    return *local_;
  }

  /// What the forms call; see there.
  bool put_within(std::span<const std::byte> bytes, const WaitLimit& limit) const {
    return local().put(bytes, {}, limit);
  }
  bool put_within(ChannelLoan& loan, const WaitLimit& limit) const { return put_held(loan.held(), limit); }
  std::optional<std::vector<std::byte>> get_within(const WaitLimit& limit) const;
  std::vector<std::byte> get_value() const { return *get_within(WaitLimit::never()); }
  std::optional<ChannelMessage> take_within(const WaitLimit& limit) const;
  std::optional<ChannelLease> lease_within(const WaitLimit& limit) const;
  std::optional<std::uint64_t> join_within(const WaitLimit& limit) const;
  template <class Range>
  std::size_t put_many_within(Range&& range, const WaitLimit& limit) const {
    PutBatch batch(local(), size_of(range), limit);
    {
      PutBatch::Run run(batch);
      for (auto&& bytes : range) {
        if (!run.put(std::span<const std::byte>(bytes), {})) break;
      }
    }
    if (batch.closed() && batch.count() == 0) batch.throw_closed();
    return batch.count();
  }
  std::vector<std::vector<std::byte>> get_many_within(std::size_t most, const WaitLimit& limit) const;
  /// InvalidArgument if the loan is another channel's, or was put.
  bool put_held(HeldLoan& loan, const WaitLimit& limit) const;

 private:
  explicit Channel(std::shared_ptr<LocalChannel> local) : local_(std::move(local)) {}
  [[noreturn]] static void throw_no_channel();

  std::shared_ptr<LocalChannel> local_;
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
  /// Unique in the job, at most 119 bytes; empty: the queue can only be reached through its handles.
  std::string name = {};
  /// How often a message is leased before it counts as one that kills who handles it, at most 4095; 0: no
  /// limit.
  std::uint32_t max_deliveries = 0;
  /// Where such a message goes then: a queue of the same type, needed with max_deliveries. It lives as long
  /// as this one. While it is full they wait in this one; if it is closed they are lost.
  Channel dead_letters = {};
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
