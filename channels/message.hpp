#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <variant>

#include <wyvern/channels/aligned_bytes.hpp>
#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/remote/remote_message.hpp>
#include <wyvern/core/codec/codec.hpp>

/// Messages that are built and read where they lie; those of a queue on another node lie in memory of this
/// process. Each keeps its queue open and pins one place for an operation in it: a process can hold some
/// thousands of them, until OutOfMemory. Movable; for one thread at a time. In a plain fork they are the
/// parent's.
namespace wyvern {

/// A loan or message of this node, and the channel that it is in, which is not let go before it.
template <class Held>
class HeldOpen {
 public:
  HeldOpen(std::shared_ptr<LocalChannel> channel, Held held)
      : channel_(std::move(channel)), held_(std::move(held)) {}
  HeldOpen(HeldOpen&&) noexcept = default;
  HeldOpen& operator=(HeldOpen&& other) noexcept {
    held_ = std::move(other.held_);  // first: ends what was held before, which needs its channel
    channel_ = std::move(other.channel_);
    return *this;
  }
  ~HeldOpen() = default;
  Held& operator*() { return held_; }
  const Held& operator*() const { return held_; }

 private:
  std::shared_ptr<LocalChannel> channel_;
  Held held_;
};

/// One of this node, or of another.
template <class Local, class Remote>
class HeldAnywhere {
 public:
  HeldAnywhere(std::shared_ptr<LocalChannel> channel, Local held)
      : held_(std::in_place_type<HeldOpen<Local>>, std::move(channel), std::move(held)) {}
  explicit HeldAnywhere(Remote held) : held_(std::move(held)) {}

  /// Null: it is the other.
  Local* local() {
    auto* const held = std::get_if<HeldOpen<Local>>(&held_);
    return held == nullptr ? nullptr : &**held;
  }
  Remote* remote() { return std::get_if<Remote>(&held_); }

  template <class Call>
  decltype(auto) call(Call call) const {
    const auto* const held = std::get_if<HeldOpen<Local>>(&held_);
    if (held != nullptr) [[likely]]
      return call(**held);
    return call(*std::get_if<Remote>(&held_));
  }
  template <class Call>
  decltype(auto) call(Call call) {
    auto* const held = std::get_if<HeldOpen<Local>>(&held_);
    if (held != nullptr) [[likely]]
      return call(**held);
    return call(*std::get_if<Remote>(&held_));
  }

 private:
  std::variant<HeldOpen<Local>, Remote> held_;
};

/// Bytes of a future message in the memory of a channel. Destroyed without having been put, it leaves
/// nothing.
class ChannelLoan {
 public:
  using Held = HeldAnywhere<HeldLoan, RemoteLoan>;

  ChannelLoan(std::shared_ptr<LocalChannel> channel, HeldLoan held)
      : held_(std::move(channel), std::move(held)) {}
  explicit ChannelLoan(RemoteLoan held) : held_(std::move(held)) {}
  /// Not initialised; 64-byte aligned.
  std::span<std::byte> bytes() const {
    return held_.call([](const auto& loan) { return loan.bytes(); });
  }
  Held& held() { return held_; }

 private:
  Held held_;
};

/// A message that was got; its memory goes back to the channel when this is destroyed.
class ChannelMessage {
 public:
  using Held = HeldAnywhere<HeldMessage, RemoteMessage>;

  ChannelMessage(std::shared_ptr<LocalChannel> channel, HeldMessage held)
      : held_(std::move(channel), std::move(held)) {}
  explicit ChannelMessage(RemoteMessage held) : held_(std::move(held)) {}
  std::span<const std::byte> bytes() const {
    return held_.call([](const auto& message) { return message.bytes(); });
  }

 private:
  Held held_;
};

/// A message under a lease: delivered at least once. Reported done() it is gone; if this is destroyed before
/// that, or its process dies, the message goes back to the front of the queue with a delivery more.
class ChannelLease {
 public:
  using Held = ChannelMessage::Held;

  ChannelLease(std::shared_ptr<LocalChannel> channel, HeldMessage held)
      : held_(std::move(channel), std::move(held)) {}
  explicit ChannelLease(RemoteMessage held) : held_(std::move(held)) {}
  explicit ChannelLease(Held held) : held_(std::move(held)) {}
  std::span<const std::byte> bytes() const {
    return held_.call([](const auto& message) { return message.bytes(); });
  }
  /// Deliveries before this one, all in vain: 0 at first; stops counting at 4095.
  std::uint32_t delivery_count() const {
    return held_.call([](const auto& message) { return message.delivery_count(); });
  }
  /// The message is dealt with; bytes() must not be used any more. LeaseLost if it was put back meanwhile, or
  /// is done already.
  void done() {
    held_.call([](auto& message) { message.done(); });
  }

 private:
  Held held_;
};

/// Values that are their own bytes, and so can be built and read where messages lie.
template <class T>
concept LiesInPlace = detail::is_raw<T>() && alignof(T) <= message_alignment;

/// A T in the memory of a queue, to be put without copying. Not initialised, as `T value;` is not.
template <class T>
class Loan {
 public:
  explicit Loan(ChannelLoan&& loan) : loan_(std::move(loan)), value_(::new(loan_.bytes().data()) T) {}
  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }
  /// The same as bytes.
  ChannelLoan& channel_loan() { return loan_; }

 private:
  ChannelLoan loan_;
  T* value_;
};

/// How the value of a message is reached: in place if its bytes are the value, decoded once otherwise.
template <class T>
class MessageValue {
 public:
  explicit MessageValue(std::span<const std::byte> bytes) : value_(decode_from<T>(bytes)) {}
  const T& get() const { return value_; }

 private:
  T value_;
};
template <LiesInPlace T>
class MessageValue<T> {
 public:
  explicit MessageValue(std::span<const std::byte> bytes) : value_(reinterpret_cast<const T*>(bytes.data())) {
    if (bytes.size() != sizeof(T)) decode_from<T>(bytes);  // throws what is wrong
  }
  const T& get() const { return *value_; }

 private:
  const T* value_;
};

/// See ChannelMessage. Trivially copyable types are read where they lie; others are decoded when they are
/// taken.
template <class T>
class Message {
 public:
  explicit Message(ChannelMessage&& message) : message_(std::move(message)), value_(message_.bytes()) {}
  const T& operator*() const { return value_.get(); }
  const T* operator->() const { return &value_.get(); }

 private:
  ChannelMessage message_;
  MessageValue<T> value_;
};

/// See ChannelLease. A message that is no T throws DecodeError when it is leased, and is given back.
template <class T>
class Lease {
 public:
  explicit Lease(ChannelLease&& lease) : lease_(std::move(lease)), value_(lease_.bytes()) {}
  /// Valid until done().
  const T& operator*() const { return value_.get(); }
  const T* operator->() const { return &value_.get(); }
  std::uint32_t delivery_count() const { return lease_.delivery_count(); }
  void done() { lease_.done(); }

 private:
  ChannelLease lease_;
  MessageValue<T> value_;
};

}  // namespace wyvern
