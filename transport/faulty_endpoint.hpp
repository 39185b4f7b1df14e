#pragma once

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <span>
#include <unordered_map>
#include <variant>
#include <vector>

#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/read_schedule.hpp>

namespace wyvern {

/// What goes wrong by chance: probabilities, each drawn when the call is made. The same seed and the same
/// calls give the same faults.
struct FaultSettings {
  std::uint64_t seed = 1;
  double retry = 0;                 ///< a send or beat is `retry`
  double send_failure = 0;          ///< a send or beat is `done` and lost, and send_failed follows
  double read_failure = 0;          ///< a read fails before a byte has moved
  double lost_poll = 0;             ///< a poll does nothing
  std::uint32_t longest_delay = 0;  ///< polls for which what comes is held back: from none to so many
};

struct FaultCounters {
  std::uint64_t retries = 0;
  std::uint64_t failed_sends = 0;
  std::uint64_t failed_reads = 0;
  std::uint64_t lost_polls = 0;
  std::uint64_t held_back = 0;  ///< messages, ends of reads, failures
  std::uint64_t swallowed = 0;  ///< sends to silent peers that were taken
  std::uint64_t dropped = 0;    ///< what came from silent peers
};

/// Another endpoint, and on the way to and from it what can go wrong with one. It keeps the contract: with
/// `retry`, `lost_poll` and `longest_delay` nothing is lost, and what comes from one peer stays in order.
/// For one thread, as the other one, which outlives this.
class FaultyEndpoint final : public Endpoint, private EndpointHandler {
 public:
  explicit FaultyEndpoint(Endpoint& endpoint, const FaultSettings& settings = {});

  /// Of the next sends and beats so many are `retry`.
  void retry_sends(std::uint32_t count) { sends_to_retry_ = count; }
  /// Of the next sends and beats so many are lost, with that error.
  void fail_sends(std::uint32_t count, int error);
  /// Of the next reads so many fail, with that error.
  void fail_reads(std::uint32_t count, int error);
  /// So many polls do nothing.
  void lose_polls(std::uint32_t count) { polls_to_lose_ = count; }
  /// From now on nothing goes to that peer or comes from it: a number of sends is taken and lost, further
  /// ones are `retry`; reads do not end until the peer is removed. It is not told of this. Throws
  /// InvalidArgument (no such peer).
  void silence(PeerNumber peer);

  const FaultCounters& faults() const { return faults_; }

  const std::vector<std::byte>& address() const override { return endpoint_.address(); }
  std::size_t largest_message() const override { return endpoint_.largest_message(); }
  /// Without what happens here.
  const EndpointCounters& counters() const override { return endpoint_.counters(); }

  PeerNumber add_peer(std::span<const std::byte> address) override;
  void remove_peer(PeerNumber peer) override;

  SendOutcome send(PeerNumber to, std::span<const std::byte> message) override;
  SendOutcome send_beat(PeerNumber to) override;
  std::uint64_t heard_from(PeerNumber peer) const override;

  std::unique_ptr<RegisteredMemory> register_memory(std::span<std::byte> memory) override {
    return endpoint_.register_memory(memory);
  }
  bool reads_into_registered_memory_only() const override {
    return endpoint_.reads_into_registered_memory_only();
  }
  void read(RemoteRead& read) override;

  std::size_t poll(EndpointHandler& handler) override;
  int descriptor() const override { return endpoint_.descriptor(); }
  std::chrono::milliseconds longest_sleep() const override { return endpoint_.longest_sleep(); }
  bool may_sleep() override;

  /// Sends that a silent peer is sent to without a `retry`.
  static constexpr std::uint32_t most_swallowed = 128;

 private:
  struct SendFailure {
    int error = 0;
  };
  struct Stranger {
    std::vector<std::byte> bytes;
  };
  struct ReadEnd {
    RemoteRead* read = nullptr;
    ReadResult result{};
    int error = 0;
  };
  /// What the handler will be told.
  struct Held {
    PeerNumber peer = 0;
    std::uint64_t due = 0;  // as polls_ counts
    std::variant<std::vector<std::byte>, SendFailure, ReadEnd, Stranger> event;
  };
  struct Peer {
    std::uint64_t last_due = 0;
    bool is_silent = false;
    std::uint64_t heard = 0;  // when it became silent
    std::uint32_t swallowed = 0;
    std::vector<ReadEnd> withheld;
  };

  void message(PeerNumber from, std::span<const std::byte> bytes) override;
  void stranger(std::span<const std::byte> bytes) override;
  void send_failed(PeerNumber to, int fabric_errno) override;
  void read_ended(RemoteRead& read, ReadResult result, int fabric_errno) override;

  bool happens(double probability);
  bool happens(std::uint32_t& count, double probability);
  template <class Send>
  SendOutcome send_or_not(PeerNumber to, Send send);
  void hold(PeerNumber peer, decltype(Held::event) event);
  void tell(const Held& held, EndpointHandler& handler);

  Endpoint& endpoint_;
  FaultSettings settings_;
  std::mt19937_64 random_;
  std::uint32_t sends_to_retry_ = 0;
  std::uint32_t sends_to_fail_ = 0;
  std::uint32_t reads_to_fail_ = 0;
  std::uint32_t polls_to_lose_ = 0;
  int send_error_ = ECONNRESET;
  int read_error_ = ECONNRESET;
  std::uint64_t polls_ = 0;
  std::unordered_map<PeerNumber, Peer> peers_;
  std::deque<Held> held_;  // as it came
  ReadSchedule failing_reads_;
  ReadSchedule silent_reads_;  // from peers that are silent: none is begun
  FaultCounters faults_;
};

}  // namespace wyvern
