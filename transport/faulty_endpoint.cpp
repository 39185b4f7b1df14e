#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/faulty_endpoint.hpp>

namespace wyvern {
namespace {

/// The reads that do not reach the other endpoint move nothing, whatever a piece is.
constexpr std::uint64_t piece_bytes = std::uint64_t{1} << 20;

}  // namespace

FaultyEndpoint::FaultyEndpoint(Endpoint& endpoint, const FaultSettings& settings)
    : endpoint_(endpoint),
      settings_(settings),
      random_(settings.seed),
      failing_reads_(piece_bytes),
      silent_reads_(piece_bytes) {}

void FaultyEndpoint::fail_sends(std::uint32_t count, int error) {
  sends_to_fail_ = count;
  send_error_ = error;
}

void FaultyEndpoint::fail_reads(std::uint32_t count, int error) {
  reads_to_fail_ = count;
  read_error_ = error;
}

void FaultyEndpoint::silence(PeerNumber number) {
  const std::uint64_t heard = endpoint_.heard_from(number);
  Peer& peer = peers_.at(number);
  if (std::exchange(peer.is_silent, true)) return;
  peer.heard = heard;
  for (Held& held : std::exchange(held_, {})) {
    if (held.peer != number) {
      held_.push_back(std::move(held));
    } else if (const auto* end = std::get_if<ReadEnd>(&held.event)) {
      peer.withheld.push_back(*end);
    } else {
      ++faults_.dropped;
    }
  }
}

PeerNumber FaultyEndpoint::add_peer(std::span<const std::byte> address) {
  const PeerNumber number = endpoint_.add_peer(address);
  peers_.try_emplace(number);
  failing_reads_.peer_added(number);
  silent_reads_.peer_added(number);
  return number;
}

void FaultyEndpoint::remove_peer(PeerNumber number) {
  endpoint_.remove_peer(number);
  std::erase_if(held_, [&](const Held& held) {
    return held.peer == number && !std::holds_alternative<ReadEnd>(held.event);
  });
  silent_reads_.peer_removed(number, ECONNRESET);
  const Peer peer = std::move(peers_.extract(number).mapped());
  for (const ReadEnd& end : peer.withheld) {
    held_.push_back({.peer = number,
                     .due = polls_,
                     .event = ReadEnd{.read = end.read, .result = ReadResult::failed, .error = ECONNRESET}});
  }
}

bool FaultyEndpoint::happens(double probability) {
  constexpr double numbers = 0x1p53;
  return probability > 0 && static_cast<double>(random_() >> 11) < probability * numbers;
}

bool FaultyEndpoint::happens(std::uint32_t& count, double probability) {
  if (count == 0) return happens(probability);
  --count;
  return true;
}

template <class Send>
SendOutcome FaultyEndpoint::send_or_not(PeerNumber to, Send send) {
  endpoint_.heard_from(to);  // throws if there is no such peer
  Peer& peer = peers_.at(to);
  const bool is_full = peer.is_silent && peer.swallowed == most_swallowed;
  if (is_full || happens(sends_to_retry_, settings_.retry)) {
    ++faults_.retries;
    return SendOutcome::retry;
  }
  if (peer.is_silent) {
    ++peer.swallowed;
    ++faults_.swallowed;
    return SendOutcome::done;
  }
  if (happens(sends_to_fail_, settings_.send_failure)) {
    ++faults_.failed_sends;
    hold(to, SendFailure{.error = send_error_});
    return SendOutcome::done;
  }
  return send();
}

SendOutcome FaultyEndpoint::send(PeerNumber to, std::span<const std::byte> message) {
  if (message.size() > largest_message()) return endpoint_.send(to, message);  // throws
  return send_or_not(to, [&] { return endpoint_.send(to, message); });
}

SendOutcome FaultyEndpoint::send_beat(PeerNumber to) {
  return send_or_not(to, [&] { return endpoint_.send_beat(to); });
}

std::uint64_t FaultyEndpoint::heard_from(PeerNumber number) const {
  const std::uint64_t heard = endpoint_.heard_from(number);
  const Peer& peer = peers_.at(number);
  return peer.is_silent ? peer.heard : heard;
}

void FaultyEndpoint::read(RemoteRead& read) {
  endpoint_.heard_from(read.from());  // throws if there is no such peer
  const bool registered_only = reads_into_registered_memory_only();
  if (peers_.at(read.from()).is_silent) {
    silent_reads_.add(read, registered_only);
  } else if (happens(reads_to_fail_, settings_.read_failure)) {
    failing_reads_.add(read, registered_only);
    failing_reads_.go_on([this](ReadPiece&) { return read_error_; });
    ++faults_.failed_reads;
  } else {
    endpoint_.read(read);
  }
}

std::size_t FaultyEndpoint::poll(EndpointHandler& handler) {
  if (happens(polls_to_lose_, settings_.lost_poll)) {
    ++faults_.lost_polls;
    return 0;
  }
  ++polls_;
  std::size_t events = endpoint_.poll(*this);
  failing_reads_.tell(handler);
  silent_reads_.tell(handler);
  std::vector<Held> due;
  for (Held& held : std::exchange(held_, {})) {
    if (held.due <= polls_) {
      due.push_back(std::move(held));
    } else {
      held_.push_back(std::move(held));
    }
  }
  for (const Held& held : due) tell(held, handler);
  return std::max(events, due.size());
}

void FaultyEndpoint::tell(const Held& held, EndpointHandler& handler) {
  if (const auto* bytes = std::get_if<std::vector<std::byte>>(&held.event)) {
    handler.message(held.peer, *bytes);
  } else if (const auto* failure = std::get_if<SendFailure>(&held.event)) {
    handler.send_failed(held.peer, failure->error);
  } else if (const auto* stranger = std::get_if<Stranger>(&held.event)) {
    handler.stranger(stranger->bytes);
  } else {
    const auto& end = std::get<ReadEnd>(held.event);
    handler.read_ended(*end.read, end.result, end.error);
  }
}

bool FaultyEndpoint::may_sleep() {
  return held_.empty() && polls_to_lose_ == 0 && !failing_reads_.has_ended() && !silent_reads_.has_ended() &&
         endpoint_.may_sleep();
}

void FaultyEndpoint::message(PeerNumber from, std::span<const std::byte> bytes) {
  hold(from, std::vector<std::byte>(bytes.begin(), bytes.end()));
}

/// What comes from no peer is not kept back.
void FaultyEndpoint::stranger(std::span<const std::byte> bytes) {
  held_.push_back({.due = polls_, .event = Stranger{{bytes.begin(), bytes.end()}}});
}

void FaultyEndpoint::send_failed(PeerNumber to, int fabric_errno) {
  hold(to, SendFailure{.error = fabric_errno});
}

void FaultyEndpoint::read_ended(RemoteRead& read, ReadResult result, int fabric_errno) {
  hold(read.from(), ReadEnd{.read = &read, .result = result, .error = fabric_errno});
}

/// Later than all that is held of the same peer.
void FaultyEndpoint::hold(PeerNumber number, decltype(Held::event) event) {
  const auto found = peers_.find(number);
  if (found == peers_.end()) {  // the end of a read of one that was removed
    held_.push_back({.peer = number, .due = polls_, .event = std::move(event)});
    return;
  }
  Peer& peer = found->second;
  if (peer.is_silent) {
    if (const auto* end = std::get_if<ReadEnd>(&event)) {
      peer.withheld.push_back(*end);
    } else {
      ++faults_.dropped;
    }
    return;
  }
  const std::uint64_t delay = settings_.longest_delay == 0 ? 0 : random_() % (settings_.longest_delay + 1);
  if (delay != 0) ++faults_.held_back;
  peer.last_due = std::max(peer.last_due, polls_ + delay);
  held_.push_back({.peer = number, .due = peer.last_due, .event = std::move(event)});
}

}  // namespace wyvern
