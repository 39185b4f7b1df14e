#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/message.hpp>
#include <wyvern/channels/queue.hpp>
#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/first_of.hpp>
#include <wyvern/core/wait_limit.hpp>

/// What select is made of; users have select.hpp.
namespace wyvern::detail {

/// One queue of a select, and what is done with its message. For one call at a time; nothing of a call
/// allocates but what the message does, as long as all queues are of this node.
class SelectArm {
 public:
  SelectArm(Channel channel, IntentKind kind) : channel_(std::move(channel)), kind_(kind) {}
  SelectArm(const SelectArm&) = delete;
  SelectArm& operator=(const SelectArm&) = delete;

  /// Of the message that was taken. DecodeError.
  virtual void accept(ChannelMessage::Held message) = 0;

 protected:
  ~SelectArm() = default;

 private:
  friend class Selection;
  /// What it waits for, on this node.
  struct Something {
    const SelectArm& arm;
    bool operator()() const;
  };

  Channel channel_;
  IntentKind kind_;
  // Of the call that is under way.
  bool has_ended_ = false;     // closed and drained
  bool is_wake_owed_ = false;  // to others who wait for its messages
  Something something_{*this};
  FirstOf::Place place_;
};

/// Takes one message from one of these; which one. Nothing: not in time. See select.hpp.
std::optional<std::size_t> select_within(std::span<SelectArm* const> arms, const WaitLimit& limit);

/// Of messages that are kept as a Result until they are handled.
template <class Result, class Handler>
class HandledArm : public SelectArm {
 public:
  HandledArm(Channel channel, IntentKind kind, Handler handler)
      : SelectArm(std::move(channel), kind), handler_(std::move(handler)) {}

  void handle() {
    Result result = std::move(*result_);
    result_.reset();
    std::invoke(handler_, std::move(result));
  }

 protected:
  ~HandledArm() = default;
  std::optional<Result> result_;

 private:
  Handler handler_;
};

inline std::span<const std::byte> bytes_of(const ChannelMessage::Held& message) {
  return message.call([](const auto& held) { return held.bytes(); });
}

template <class T, class Handler>
class ValueArm final : public HandledArm<T, Handler> {
 public:
  ValueArm(Channel channel, Handler handler)
      : HandledArm<T, Handler>(std::move(channel), IntentKind::get, std::move(handler)) {}
  void accept(ChannelMessage::Held message) override {
    this->result_.emplace(decode_from<T>(bytes_of(message)));
  }
};

template <class Handler>
class BytesArm final : public HandledArm<std::vector<std::byte>, Handler> {
 public:
  BytesArm(Channel channel, Handler handler)
      : HandledArm<std::vector<std::byte>, Handler>(std::move(channel), IntentKind::get, std::move(handler)) {
  }
  void accept(ChannelMessage::Held message) override {
    const auto bytes = bytes_of(message);
    this->result_.emplace(bytes.begin(), bytes.end());
  }
};

template <class T, class Handler>
class LeaseArm final : public HandledArm<Lease<T>, Handler> {
 public:
  LeaseArm(Channel channel, Handler handler)
      : HandledArm<Lease<T>, Handler>(std::move(channel), IntentKind::lease, std::move(handler)) {}
  void accept(ChannelMessage::Held message) override {
    this->result_.emplace(ChannelLease(std::move(message)));
  }
};

/// How a select reaches the queue of who can only get.
struct SelectFrom {
  template <class T>
  static const Queue<T>& queue(const Consumer<T>& consumer) {
    return consumer.queue_;
  }
};

}  // namespace wyvern::detail
