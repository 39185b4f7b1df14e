#include "crash_operation.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <wyvern/channels/select.hpp>
#include <wyvern/core/error.hpp>

#include "support/stamped.hpp"

namespace wyvern::test {
namespace {

struct Traits {
  Operation operation;
  const char* name;
  std::uint64_t puts;
  std::uint64_t takes;
};

constexpr std::array all_traits{Traits{Operation::put_small, "put_small", 1, 0},
                                Traits{Operation::put_large, "put_large", 1, 0},
                                Traits{Operation::put_large_again, "put_large_again", 1, 0},
                                Traits{Operation::put_many, "put_many", batch, 0},
                                Traits{Operation::put_loan, "put_loan", 1, 0},
                                Traits{Operation::loan_dropped, "loan_dropped", 0, 0},
                                Traits{Operation::get, "get", 0, 1},
                                Traits{Operation::get_many, "get_many", 0, batch},
                                Traits{Operation::get_and_report, "get_and_report", 0, 1},
                                Traits{Operation::take, "take", 0, 1},
                                Traits{Operation::lease_done, "lease_done", 0, 1},
                                Traits{Operation::lease_dropped, "lease_dropped", 0, 0},
                                Traits{Operation::close, "close", 0, 0},
                                Traits{Operation::put_waiting, "put_waiting", 1, 0},
                                Traits{Operation::get_waiting, "get_waiting", 0, 1},
                                Traits{Operation::lease_waiting, "lease_waiting", 0, 1},
                                Traits{Operation::select_waiting, "select_waiting", 0, 1},
                                Traits{Operation::join_waiting, "join_waiting", 0, 0}};

const Traits& traits(Operation operation) {
  return *std::find_if(all_traits.begin(), all_traits.end(),
                       [&](const Traits& entry) { return entry.operation == operation; });
}

bool is_large(Operation operation) {
  return operation == Operation::put_large || operation == Operation::put_large_again ||
         operation == Operation::put_loan;
}

/// What a victim does while one of these lives is what is stepped through, if it is.
class Stepping {
 public:
  explicit Stepping(SteppedPart* part) : part_(part) {
    if (part_ != nullptr) part_->begin();
  }
  ~Stepping() {
    if (part_ != nullptr) part_->end();
  }
  Stepping(const Stepping&) = delete;
  Stepping& operator=(const Stepping&) = delete;

 private:
  SteppedPart* part_;
};

/// One victim's calls.
class Performance {
 public:
  Performance(const Channel& channel, History::Writer log, std::size_t large_bytes, SteppedPart* part)
      : channel_(channel), log_(log), large_bytes_(large_bytes), part_(part) {}

  void run(Operation operation) {
    log_.may_hold(most_takes(operation));
    try {
      is_put(operation) ? put(operation) : other(operation);
    } catch (const QueueClosed&) {
      if (is_put(operation)) log_.put_refused();
    }
  }

 private:
  std::vector<std::byte> next_message(bool large) {
    return make_stamped(log_.begin_put(), large ? large_bytes_ : sizeof(MessageId));
  }

  template <class Call>
  auto stepped(Call call) {
    const Stepping stepping(part_);
    return call();
  }

  void put(Operation operation) {
    const auto message = next_message(is_large(operation));
    const auto done = [&]() -> bool {
      switch (operation) {
        case Operation::put_loan: return put_loan(message);
        case Operation::put_waiting: return channel_.local().put(message, {}, WaitLimit::never());
        default: return channel_.try_put(message);
      }
    };
    if (operation == Operation::put_many) {
      put_many(message);
    } else {
      stepped(done) ? log_.put_ended() : log_.put_refused();
    }
  }

  void put_many(const std::vector<std::byte>& first) {
    const std::array messages{first, next_message(true), next_message(false)};
    static_assert(messages.size() == batch);
    log_.puts_ended(stepped([&] { return channel_.try_put_many(messages); }));
  }

  bool put_loan(const std::vector<std::byte>& message) {
    auto loan = channel_.try_loan(message.size());
    if (!loan) return false;
    std::memcpy(loan->bytes().data(), message.data(), message.size());
    return channel_.try_put(std::move(*loan));
  }

  void other(Operation operation) {
    switch (operation) {
      case Operation::loan_dropped:
        stepped([this] { return channel_.try_loan(large_bytes_).has_value(); });
        break;
      case Operation::get: note(stepped([this] { return channel_.try_get(); })); break;
      case Operation::get_waiting: note(stepped([this] { return std::optional(channel_.get()); })); break;
      case Operation::get_many:
        for (const auto& message : stepped([this] { return channel_.try_get_many(batch); }))
          log_.got(read_stamped(message));
        break;
      case Operation::get_and_report:
        note(stepped([this] {
          auto message = channel_.try_get();
          if (message) channel_.task_done();
          return message;
        }));
        break;
      case Operation::take:
        note_id(stepped([this] {
          const auto message = channel_.try_take();
          return message ? std::optional(read_stamped(message->bytes())) : std::nullopt;
        }));
        break;
      case Operation::lease_done: note_id(stepped([this] { return done(channel_.try_lease()); })); break;
      case Operation::lease_waiting:
        note_id(stepped([this] { return done(std::optional(channel_.lease())); }));
        break;
      case Operation::select_waiting:
        stepped([this] {
          return select(on(
              channel_, [this](const std::vector<std::byte>& message) { log_.got(read_stamped(message)); }));
        });
        break;
      case Operation::lease_dropped: stepped([this] { return channel_.try_lease().has_value(); }); break;
      case Operation::join_waiting: stepped([this] { return channel_.join(); }); break;
      default: stepped([this] { return channel_.close(), true; }); break;
    }
  }

  static std::optional<MessageId> done(std::optional<ChannelLease> lease) {
    if (!lease) return std::nullopt;
    const MessageId id = read_stamped(lease->bytes());
    lease->done();
    return id;
  }

  void note(const std::optional<std::vector<std::byte>>& message) {
    if (message) log_.got(read_stamped(*message));
  }
  void note_id(const std::optional<MessageId>& id) {
    if (id) log_.got(*id);
  }

  const Channel& channel_;
  History::Writer log_;
  std::size_t large_bytes_;
  SteppedPart* part_;
};

}  // namespace

std::string to_string(Operation operation) { return traits(operation).name; }
std::uint64_t most_puts(Operation operation) { return traits(operation).puts; }
std::uint64_t most_takes(Operation operation) { return traits(operation).takes; }

bool is_lease(Operation operation) {
  return operation == Operation::lease_done || operation == Operation::lease_dropped ||
         operation == Operation::lease_waiting;
}

bool waits(Operation operation) {
  return operation == Operation::put_waiting || operation == Operation::get_waiting ||
         operation == Operation::lease_waiting || operation == Operation::select_waiting ||
         operation == Operation::join_waiting;
}

bool reports(Operation operation) {
  return operation == Operation::get_and_report || operation == Operation::lease_done ||
         operation == Operation::lease_waiting;
}

void perform(Operation operation, const Channel& channel, History::Writer log, std::size_t large_bytes,
             SteppedPart* part) {
  Performance(channel, log, large_bytes, part).run(operation);
}

bool is_possible(Operation operation, const std::vector<MessageId>& before, const std::vector<MessageId>& now,
                 Puid victim) {
  const std::uint64_t in_hand = operation == Operation::lease_dropped ? 1 : most_takes(operation);
  for (std::uint64_t taken = 0; taken <= std::min<std::uint64_t>(in_hand, before.size()); ++taken) {
    std::vector<MessageId> after(before.begin() + static_cast<std::ptrdiff_t>(taken), before.end());
    for (std::uint64_t put = 0; put <= most_puts(operation); ++put) {
      if (now == after) return true;
      after.push_back({victim, put});
    }
  }
  return false;
}

bool took_effect(Operation operation, std::size_t before, const std::vector<MessageId>& now, Puid victim) {
  if (is_put(operation)) {
    return std::any_of(now.begin(), now.end(),
                       [&](const MessageId& message) { return message.producer == victim; });
  }
  return now.size() < before;
}

}  // namespace wyvern::test
