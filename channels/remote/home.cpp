#include <algorithm>
#include <string>
#include <utility>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/home.hpp>
#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>

namespace wyvern {

using wire::Frame;
using wire::FrameKind;

Home::Home(std::shared_ptr<Member> member, Endpoint& endpoint, const JobKey& key, HomeOptions options)
    : member_(std::move(member)),
      endpoint_(endpoint),
      key_(key),
      options_(std::move(options)),
      watch_(endpoint_, options_.watch),
      regions_(endpoint_) {}

Home::~Home() {
  for (auto& [peer, entry] : guests_) {
    entry.openings.clear();
    endpoint_.remove_peer(peer);
  }
}

bool Home::poll(Time now) {
  const std::size_t events = endpoint_.poll(*this);
  for (const auto& hello : std::exchange(hellos_, {})) introduce(hello, now);
  for (const LostPeer& lost : watch_.check(now)) {
    ++counters_.lost;
    GuestEntry& entry = guests_.at(lost.peer);
    give_up(entry, describe(lost, "process " + to_string(entry.puid)));
  }
  const bool served = serve_queues();
  const bool is_all_sent = send_all();
  remove_given_up();
  return events != 0 || served || !is_all_sent;
}

void Home::report(const std::string& text) const {
  if (options_.report) options_.report(text);
}

void Home::stranger(std::span<const std::byte> bytes) { hellos_.emplace_back(bytes.begin(), bytes.end()); }

void Home::introduce(std::span<const std::byte> hello, Time now) {
  try {
    const wire::Introduced introduced = wire::read_hello(key_, endpoint_.address(), hello);
    const PeerNumber peer = endpoint_.add_peer(introduced.address);
    watch_.add(peer, now);
    GuestEntry& entry = guests_[peer];
    entry.puid = introduced.puid;
    entry.guest = std::make_unique<Guest>(Guest{.peer = peer,
                                                .endpoint = endpoint_,
                                                .regions = regions_,
                                                .abandoned = abandoned_,
                                                .limits = options_.limits});
    entry.guest->outbox.add_message(wire::make_welcome(key_, hello));
    ++counters_.introduced;
  } catch (const Error& error) {
    ++counters_.turned_away;
    report(error.what());
  }
}

void Home::message(PeerNumber from, std::span<const std::byte> bytes) {
  GuestEntry& entry = guests_.at(from);
  if (entry.is_given_up) return;
  try {
    wire::FrameReader reader(bytes, wire::Sender::guest);
    while (const auto frame = reader.next()) deal_with(entry, *frame);
  } catch (const Error& error) {
    ++counters_.broken;
    give_up(entry, error.what());
  }
}

void Home::deal_with(GuestEntry& entry, const Frame& frame) {
  if (frame.kind == FrameKind::open) return open(entry, frame);
  const auto found = entry.openings.find(frame.opening);
  // Of one that was refused, or is let go: the guest may have asked before it knew.
  if (found == entry.openings.end()) return;
  if (frame.kind == FrameKind::let_go) {
    found->second->leave();
    if (found->second->queue().holds_adopted()) adopting_.push_back(found->second->shared_queue());
    entry.openings.erase(found);
  } else if (frame.kind == FrameKind::put) {
    put(entry, *found->second, frame);
  } else {
    found->second->deal_with(frame);
  }
}

void Home::open(GuestEntry& entry, const Frame& frame) {
  if (entry.openings.contains(frame.opening)) throw DecodeError("a process has opened two queues as one");
  const ObjectReference object = wire::decode_open(frame.body);
  wire::Outbox& outbox = entry.guest->outbox;
  try {
    std::shared_ptr<ServedQueue> queue = serve_queue(object);
    const ChannelHeader& header = queue->local().view().header();
    const auto body = wire::encode_opened({.capacity = queue->local().view().capacity(),
                                           .inline_size = queue->local().view().inline_size(),
                                           .max_bytes = header.max_bytes,
                                           .window = options_.limits.window,
                                           .type_hash = header.type_hash,
                                           .type_name = header.type_name,
                                           .name = header.name});
    entry.openings.emplace(frame.opening,
                           std::make_unique<GuestOpening>(frame.opening, std::move(queue), *entry.guest));
    outbox.room_for(body.size()).add(FrameKind::opened, 0, frame.opening, frame.operation, body);
  } catch (const Error& error) {
    const auto body = wire::encode_refused({.code = error.code(), .text = error.what()});
    outbox.room_for(body.size()).add(FrameKind::refused, 0, frame.opening, frame.operation, body);
  }
}

std::shared_ptr<ServedQueue> Home::serve_queue(const ObjectReference& object) {
  std::weak_ptr<ServedQueue>& known = queues_[object.id.value()];
  if (auto queue = known.lock()) return queue;
  auto queue = std::make_shared<ServedQueue>(LocalChannel::open(member_, object));
  known = queue;
  return queue;
}

/// The objects whose handles a message carries are held by who puts it, which here is the home for the guest.
void Home::put(GuestEntry& entry, GuestOpening& opening, const Frame& frame) {
  const wire::ReceivedCargo received = wire::read_cargo(frame);
  for (const ObjectReference& handle : received.handles) {
    const bool is_held = std::ranges::any_of(entry.openings, [&](const auto& other) {
      return other.second->queue().local().reference() == handle;
    });
    if (!is_held) {
      throw DecodeError("a process has put a handle to queue " + to_string(handle.id) +
                        ", which it does not hold");
    }
  }
  opening.put(frame, received);
}

void Home::send_failed(PeerNumber to, int fabric_errno) {
  watch_.send_failed(to, fabric_errno);
  const auto found = guests_.find(to);
  if (found == guests_.end()) return;
  // What was lost, and what after it, nobody knows: there is no going on where it was.
  ++counters_.lost;
  give_up(found->second, "a message to process " + to_string(found->second.puid) + " did not arrive (" +
                             std::to_string(fabric_errno) + ")");
}

void Home::read_ended(RemoteRead& read, ReadResult result, int /*fabric_errno*/) {
  auto& put = static_cast<LargePut&>(read);
  if (put.opening != nullptr) {
    put.opening->read_ended(put, result);
  } else if (!put.is_running()) {
    std::erase_if(abandoned_, [&](const auto& abandoned) { return abandoned.second.get() == &put; });
  }
}

bool Home::serve_queues() {
  bool any = false;
  for (auto queue = queues_.begin(); queue != queues_.end();) {
    const auto open = queue->second.lock();
    if (open == nullptr) {
      queue = queues_.erase(queue);
      continue;
    }
    any |= open->serve();
    ++queue;
  }
  // Those that nobody else holds end with what they hold.
  std::erase_if(adopting_, [&](const auto& queue) {
    const LocalChannel& local = queue->local();
    const DirectoryEntry& entry = member_->segment().object(local.reference().index);
    return !queue->holds_adopted() || !has_other_hold(entry, member_->process_index());
  });
  return any;
}

bool Home::send_all() {
  bool is_all_sent = true;
  for (auto& [peer, entry] : guests_) {
    if (entry.is_given_up) continue;
    const SendOutcome outcome = entry.guest->outbox.send(endpoint_, peer);
    if (outcome == SendOutcome::failed) {
      ++counters_.lost;
      give_up(entry, "process " + to_string(entry.puid) + " cannot be reached");
    }
    is_all_sent &= outcome != SendOutcome::retry;
  }
  return is_all_sent;
}

/// Not at once: it may be in the midst of what it sent, or of the poll.
void Home::give_up(GuestEntry& entry, const std::string& why) {
  if (std::exchange(entry.is_given_up, true)) return;
  report(why);
}

void Home::remove_given_up() {
  for (auto entry = guests_.begin(); entry != guests_.end();) {
    if (!entry->second.is_given_up) {
      ++entry;
      continue;
    }
    entry->second.openings.clear();
    watch_.remove(entry->first);
    endpoint_.remove_peer(entry->first);
    entry = guests_.erase(entry);
  }
}

}  // namespace wyvern
