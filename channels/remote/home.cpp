#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/home.hpp>
#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>

namespace wyvern {
namespace {

/// Who can send us anything can do so any number of times.
constexpr std::chrono::seconds between_reports_of_strangers{1};
/// Messages to a guest that takes none, in terms of those that make its gets wait.
constexpr std::size_t broken_when_backed_up = 16;

}  // namespace

using wire::Frame;
using wire::FrameKind;

Home::Home(std::shared_ptr<Member> member, std::unique_ptr<Endpoint> endpoint, const JobKey& key,
           HomeOptions options)
    : member_(std::move(member)),
      key_(key),
      options_(std::move(options)),
      stand_ins_(member_, options_.stand_ins),
      endpoint_(std::move(endpoint)),
      watch_(*endpoint_, options_.watch) {}

Home::~Home() {
  while (!guests_.empty()) {
    auto entry = guests_.extract(guests_.begin());
    end(entry.key(), std::move(entry.mapped()));
  }
  for (AbandonedPut& abandoned : abandoned_) abandoned.put->region.reset();
}

bool Home::poll(Time now) {
  const std::size_t events = endpoint_->poll(*this);
  for (const Puid process : std::exchange(ended_, {})) begin_to_end(process, now);
  for (const auto& hello : std::exchange(hellos_, {})) introduce(hello, now);
  look_at_ended(now, /*is_all_in=*/events == 0);
  for (const LostPeer& lost : watch_.check(now)) {
    GuestEntry& entry = guests_.at(lost.peer);
    if (entry.rest) continue;  // that it cannot be reached is as it should be; what it has sent comes yet
    give_up(entry, counters_.lost, describe(lost, "process " + to_string(entry.puid)));
  }
  const bool served = serve_queues();
  if (events == 0) tell_credits();  // more may have come meanwhile
  const bool is_all_sent = send_all();
  wake_takers();
  remove_given_up();
  return events != 0 || served || !is_all_sent;
}

void Home::report(const std::string& text) const {
  if (options_.report) options_.report(text);
}

void Home::stranger(std::span<const std::byte> bytes) { hellos_.emplace_back(bytes.begin(), bytes.end()); }

void Home::introduce(std::span<const std::byte> hello, Time now) {
  try {
    const wire::Introduced introduced = wire::read_hello(key_, endpoint_->address(), hello);
    if (has_ended(introduced.puid)) {
      throw NotAMember("process " + to_string(introduced.puid) +
                       " introduces itself, of which its node has said that it has ended");
    }
    const PeerNumber peer = endpoint_->add_peer(introduced.address);
    try {
      GuestEntry entry{.puid = introduced.puid,
                       .number = next_guest_,
                       .guest = std::make_unique<Guest>(Guest{.peer = peer,
                                                              .endpoint = *endpoint_,
                                                              .abandoned = abandoned_,
                                                              .incoming = incoming_,
                                                              .limits = options_.limits}),
                       .openings = {}};
      entry.guest->outbox.add_message(wire::make_welcome(key_, hello));
      watch_.add(peer, now);
      peers_.emplace(next_guest_, peer);
      guests_.emplace(peer, std::move(entry));
      ++next_guest_;
    } catch (...) {
      endpoint_->remove_peer(peer);
      throw;
    }
    ++counters_.introduced;
  } catch (const std::exception& error) {
    turn_away(error.what(), now);
  }
}

void Home::turn_away(const std::string& why, Time now) {
  ++counters_.turned_away;
  if (now < next_report_) return;
  next_report_ = now + between_reports_of_strangers;
  report(why);
}

void Home::message(PeerNumber from, std::span<const std::byte> bytes) {
  GuestEntry& entry = guests_.at(from);
  if (entry.is_given_up) return;
  try {
    wire::FrameReader reader(bytes, wire::Sender::guest);
    while (const auto frame = reader.next()) deal_with(entry, *frame);
    if (entry.guest->outbox.unsent_bytes() > broken_when_backed_up * options_.limits.unsent_bytes)
      throw DecodeError("process " + to_string(entry.puid) + " asks for more and more and takes no answers");
  } catch (const std::exception& error) {
    give_up(entry, counters_.broken, error.what());
  }
}

void Home::deal_with(GuestEntry& entry, const Frame& frame) {
  if (frame.kind == FrameKind::open) return open(entry, frame);
  if (frame.kind == FrameKind::create) return create(entry, frame);
  if (frame.kind == FrameKind::request) return request(entry, frame);
  if (frame.kind == FrameKind::leave) return leave(entry, frame);
  if (frame.kind == FrameKind::cancel && frame.opening == 0) {
    if (options_.requests != nullptr) options_.requests->cancel(entry.number, frame.operation);
    return;
  }
  if (frame.kind == FrameKind::ended) return hear_of_end(entry, frame);
  if (frame.kind == FrameKind::get && entry.rest) return;  // nobody is there to have anything
  const auto found = entry.openings.find(frame.opening);
  // Of one that was refused, or is let go: the guest may have asked before it knew.
  if (found == entry.openings.end()) return;
  if (frame.kind == FrameKind::let_go) return let_go(entry, frame.opening);
  if (frame.kind == FrameKind::puts) return found->second->put_run(frame);
  if (frame.kind == FrameKind::put) return put(entry, *found->second, frame);
  found->second->deal_with(frame);
}

void Home::open(GuestEntry& entry, const Frame& frame) {
  const ObjectReference object = wire::decode_open(frame.body);
  admit_to_queue(entry, frame, [&] { return serve_queue(object); });
}

void Home::create(GuestEntry& entry, const Frame& frame) {
  const ChannelSpec spec = wire::decode_create(frame.body);
  admit_to_queue(entry, frame, [&] { return serve_queue(member_->agent().create_channel(spec)); });
}

template <class Find>
void Home::admit_to_queue(GuestEntry& entry, const Frame& frame, Find find) {
  if (frame.opening == 0 || entry.openings.contains(frame.opening))
    throw DecodeError("a process has opened two queues as one");
  if (entry.openings.size() >= options_.limits.openings)
    throw DecodeError("a process has opened more queues than one may");
  wire::Outbox& outbox = entry.guest->outbox;
  try {
    std::shared_ptr<ServedQueue> queue = find();
    const ChannelHeader& header = queue->local().view().header();
    const auto body = wire::encode_opened(
        {.object = queue->local().reference(),
         .capacity = queue->local().view().capacity(),
         .inline_size = queue->local().view().inline_size(),
         .max_bytes = header.max_bytes,
         // Who comes back before all that he left is in the queue waits.
         .window = queue->adopted() == 0 ? std::min(queue->window(), options_.limits.window) : 0,
         .window_bytes = options_.limits.window_bytes,
         .prefetch = std::min(header.prefetch, options_.limits.deliveries / 2),
         .type_hash = header.type_hash,
         .type_name = header.type_name,
         .name = header.name});
    entry.openings.emplace(frame.opening,
                           std::make_unique<GuestOpening>(frame.opening, std::move(queue), *entry.guest));
    outbox.room_for(body.size()).add(FrameKind::opened, 0, frame.opening, frame.operation, body);
  } catch (const Error& error) {
    outbox.add_refusal(frame.opening, frame.operation, error);
  }
}

std::shared_ptr<ServedQueue> Home::serve_queue(const ObjectReference& object) {
  const auto known = queues_.find(object.id.value());
  if (known != queues_.end()) {
    if (auto queue = known->second.lock()) return queue;
  }
  auto queue = std::make_shared<ServedQueue>(LocalChannel::open(member_, object));
  queues_[object.id.value()] = queue;
  return queue;
}

void Home::request(GuestEntry& entry, const Frame& frame) {
  if (entry.request.size() + frame.body.size() > options_.limits.request_bytes)
    throw DecodeError("a process asks for something with more bytes than a request may have");
  entry.request.insert(entry.request.end(), frame.body.begin(), frame.body.end());
  if (frame.has(wire::FrameFlag::more)) return;
  if (entry.requests.size() >= options_.limits.operations || !entry.requests.insert(frame.operation).second)
    throw DecodeError("a process asks for more at a time than one may");
  GuestRequest request{.guest = entry.number,
                       .process = entry.puid,
                       .operation = frame.operation,
                       .bytes = std::exchange(entry.request, {})};
  if (options_.requests != nullptr) return options_.requests->request(std::move(request));
  entry.requests.erase(frame.operation);
  entry.guest->outbox.add_refusal(0, frame.operation,
                                  InvalidArgument("this node serves queues and nothing else"));
}

Home::GuestEntry* Home::find_guest(std::uint64_t number) {
  const auto peer = peers_.find(number);
  return peer == peers_.end() ? nullptr : &guests_.at(peer->second);
}

void Home::answer(std::uint64_t guest, std::uint32_t operation, std::span<const std::byte> reply) {
  GuestEntry* const entry = find_guest(guest);
  if (entry == nullptr || entry->requests.erase(operation) == 0) return;
  entry->guest->outbox.room_for(reply.size()).add(FrameKind::reply, 0, 0, operation, reply);
}

void Home::refuse(std::uint64_t guest, std::uint32_t operation, const Error& error) {
  GuestEntry* const entry = find_guest(guest);
  if (entry == nullptr || entry->requests.erase(operation) == 0) return;
  entry->guest->outbox.add_refusal(0, operation, error);
}

bool Home::waits_for_queues() const {
  return std::ranges::any_of(queues_, [](const auto& queue) {
    const auto open = queue.second.lock();
    return open != nullptr && open->is_waiting();
  });
}

void Home::expect_wake(std::uint32_t parker) {
  for (const auto& [id, queue] : queues_) {
    auto open = queue.lock();
    if (open == nullptr || !open->is_waiting()) continue;
    open->expect_wake(parker);
    expecting_.push_back(std::move(open));
  }
}

void Home::end_wake(std::uint32_t parker) {
  for (const auto& queue : expecting_) queue->end_wake(parker);
  expecting_.clear();
}

/// The objects whose handles a message carries are held by who puts it, which here is the home for the guest:
/// by the guest's opening, or, of another node, by a stand-in.
void Home::put(GuestEntry& entry, GuestOpening& opening, const Frame& frame) {
  const wire::ReceivedCargo received = wire::read_cargo(frame);
  const std::uint32_t own = member_->segment().header().node;
  std::vector<GuestOpening::Carried> carried;
  for (const ObjectReference& handle : received.handles) {
    if (handle.id.node() == own) {
      carried.push_back({.queue = opened_by(entry, handle), .stand_in = nullptr});
    } else {
      carried.push_back({.queue = nullptr, .stand_in = stand_ins_.find(handle)});
    }
  }
  opening.put(frame, received, std::move(carried));
}

std::shared_ptr<ServedQueue> Home::opened_by(const GuestEntry& entry, const ObjectReference& handle) const {
  const auto held = std::ranges::find_if(
      entry.openings, [&](const auto& other) { return other.second->queue().local().reference() == handle; });
  if (held != entry.openings.end()) return held->second->shared_queue();
  throw DecodeError("a process has put a handle to queue " + to_string(handle.id) +
                    ", which it does not hold");
}

void Home::let_go(GuestEntry& entry, std::uint32_t number) {
  GuestOpening& opening = *entry.openings.at(number);
  const std::shared_ptr<ServedQueue> queue = opening.shared_queue();
  if (const std::size_t dropped = opening.leave(); dropped != 0) {
    report("process " + to_string(entry.puid) + " has let " + queue->local().description() +
           " go while that was " + "full: " + std::to_string(dropped) +
           " of its messages were too many to be kept, and are lost");
  }
  opening.end();
  if (queue->adopted() != 0) adopting_.push_back(queue);
  entry.openings.erase(number);
}

/// Also of beats: a connection that fails may have lost small messages before, of which nobody is told.
void Home::send_failed(PeerNumber to, int fabric_errno) {
  watch_.send_failed(to, fabric_errno);
  const auto found = guests_.find(to);
  if (found == guests_.end() || found->second.rest) return;
  give_up(found->second, counters_.lost,
          "a message to process " + to_string(found->second.puid) + " did not arrive (error " +
              std::to_string(fabric_errno) + ")");
}

void Home::read_ended(RemoteRead& read, ReadResult result, int /*fabric_errno*/) {
  auto& put = static_cast<LargePut&>(read);
  put.result = result;
  if (!put.is_running()) incoming_.ended(Deadline::Clock::now());
  if (put.opening != nullptr || put.is_running()) return;
  std::erase_if(abandoned_, [&](const AbandonedPut& abandoned) { return abandoned.put.get() == &put; });
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
    if (open->owes_takers()) waking_.push_back(open);
    if (owes_wake_) open->pass_wake_on();
    ++queue;
  }
  owes_wake_ = false;
  // Those that nobody else holds end with what they hold.
  std::erase_if(adopting_, [&](const auto& queue) {
    const DirectoryEntry& entry = member_->segment().object(queue->local().reference().index);
    return queue->adopted() == 0 || !has_other_hold(entry, member_->process_index());
  });
  return any;
}

/// After what there was to say: who takes a large message copies it, maybe on this core, and who has put it
/// could send the next one meanwhile.
void Home::wake_takers() {
  for (const auto& queue : waking_) queue->wake_takers();
  waking_.clear();
}

void Home::tell_credits() {
  for (auto& [peer, entry] : guests_) {
    while (!entry.guest->untold.empty()) entry.guest->untold.back()->tell_credit();
  }
}

bool Home::send_all() {
  bool is_all_sent = true;
  for (auto& [peer, entry] : guests_) {
    if (entry.is_given_up || entry.rest) continue;
    const SendOutcome outcome = entry.guest->outbox.send(*endpoint_, peer);
    if (outcome == SendOutcome::failed)
      give_up(entry, counters_.lost, "process " + to_string(entry.puid) + " cannot be reached");
    is_all_sent &= outcome != SendOutcome::retry;
  }
  return is_all_sent;
}

}  // namespace wyvern
