#include <string>
#include <utility>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/thread_number.hpp>

// Opening, ports, and the end of an opening: what happens once in a while. What happens for each message is
// in local_put.cpp and local_take.cpp.
namespace wyvern {
namespace {

/// Acquire, as the id with which it was stored: of another object than that id's nothing will be held anyway.
bool is_stand_in(const Segment& segment, std::uint32_t object) {
  return object < segment.header().objects_ready.load(std::memory_order_acquire) &&
         segment.object(object).is_stand_in.load(std::memory_order_acquire) != 0;
}

std::uint64_t offset_of_held(const Member& member, const ObjectReference& reference) {
  return member.segment().object(reference.index).offset;
}

}  // namespace

std::shared_ptr<LocalChannel> LocalChannel::open(const std::shared_ptr<Member>& member,
                                                 const ObjectReference& reference) {
  OpenObjects& open = member->open_objects();
  // Both outlive the lock: the end of an opening takes it again.
  std::shared_ptr<LocalChannel> existing;
  std::shared_ptr<LocalChannel> channel;
  const std::lock_guard lock(open.mutex);
  if (const auto place = open.by_index.find(reference.index); place != open.by_index.end()) {
    existing = std::static_pointer_cast<LocalChannel>(place->second.lock());
    if (existing && existing->reference_ == reference) return existing;
  }
  // First: what follows the hold must not fail for lack of memory.
  const auto [entry, is_new] = open.by_index.try_emplace(reference.index);
  if (is_stand_in(member->segment(), reference.index) ||
      !add_hold(member->segment(), reference, member->process_index())) {
    if (is_new) open.by_index.erase(entry);
    throw QueueLost("queue " + to_string(reference.id) +
                    " does not exist any more: the last process that held it has gone");
  }
  // The opening ends under the same lock under which it began, so that it cannot take the hold from a later
  // one.
  const auto end = [](LocalChannel* last) {
    if (Member::forked()) return;  // ports and hold are the parent's
    const std::shared_ptr<Member> keep = last->member_;
    const ObjectReference ended = last->reference_;
    {
      OpenObjects& table = keep->open_objects();
      const std::lock_guard table_lock(table.mutex);
      delete last;
      const auto place = table.by_index.find(ended.index);
      if (place != table.by_index.end() && place->second.expired()) {
        table.by_index.erase(place);
        drop_hold(keep->segment(), ended.index, keep->process_index());
      }
    }
    keep->agent().attend(ended);
  };
  channel = std::shared_ptr<LocalChannel>(new LocalChannel(member, reference), end);
  entry->second = channel;
  return channel;
}

LocalChannel::LocalChannel(std::shared_ptr<Member> member, const ObjectReference& reference)
    : member_(std::move(member)),
      reference_(reference),
      view_(member_->segment(), offset_of_held(*member_, reference)) {}

LocalChannel::~LocalChannel() {
  const auto give_up = [](Port& port) {
    count_lost(port);
    // Release: the next owner finds our spare block, counts and intent.
    port.owner.store(PortOwner(port.owner.load(std::memory_order_relaxed)).freed().bits(),
                     std::memory_order_release);
  };
  for (const Cell& cell : cells_) {
    if (cell.port.port != nullptr) give_up(*cell.port.port);
  }
  for (const std::uint32_t number : spare_ports_) give_up(view_.port(number));
  wake_joiners_if_done();
}

PortGuard LocalChannel::borrow_port() {
  Member::check_not_forked();
  const std::uint32_t number = thread_number();
  if (number < cells) {
    BorrowedPort& at_hand = cells_[number].port;
    if (at_hand.port != nullptr) return {*this, std::exchange(at_hand, {})};
  }
  return {*this, borrow_port_slowly()};
}

/// A lease must bring no counts of others along when it is given back with its port.
PortGuard LocalChannel::borrow_balanced_port() {
  PortGuard port = borrow_port();
  if (outstanding_gets(*port->port) == 0) return port;
  {
    const std::lock_guard lock(spare_ports_mutex_);
    for (std::uint32_t& spare : spare_ports_) {
      if (outstanding_gets(view_.port(spare)) != 0) continue;
      const std::uint32_t number = std::exchange(spare, spare_ports_.back());
      spare_ports_.pop_back();
      return {*this, port_with(number)};
    }
  }
  return {*this, claim_port()};
}

BorrowedPort LocalChannel::borrow_port_slowly() {
  {
    const std::lock_guard lock(spare_ports_mutex_);
    if (!spare_ports_.empty()) {
      const std::uint32_t number = spare_ports_.back();
      spare_ports_.pop_back();
      return port_with(number);
    }
  }
  return claim_port();
}

BorrowedPort LocalChannel::claim_port() {
  reserve_for_port();
  try {
    while (true) {
      if (const auto number = claim_free_port()) return port_with(*number);
      member_->agent().grow_ports(reference_);
    }
  } catch (...) {
    forget_port();
    throw;
  }
}

std::optional<std::uint32_t> LocalChannel::claim_free_port() {
  const std::uint32_t ports = view_.header().port_count.load(std::memory_order_acquire);
  const std::uint32_t start = view_.header().port_hint.fetch_add(1, std::memory_order_relaxed);
  for (std::uint32_t step = 0; step < ports; ++step) {
    const std::uint32_t number = (start + step) % ports;
    auto& owner = view_.port(number).owner;
    std::uint64_t seen = owner.load(std::memory_order_relaxed);
    if (PortOwner(seen).state() != PortState::free) continue;
    // Acquire: the spare, counts and intent that the last owner, or the agent for it, left.
    if (owner.compare_exchange_strong(seen, PortOwner(seen).claimed_by(member_->process_index()).bits(),
                                      std::memory_order_acq_rel, std::memory_order_relaxed)) {
      CRASH_POINT("port.claimed");
      return number;
    }
  }
  return std::nullopt;
}

/// Room to give a port back later, which must not fail.
void LocalChannel::reserve_for_port() {
  const std::lock_guard lock(spare_ports_mutex_);
  spare_ports_.reserve(claimed_ports_ + 1);
  ++claimed_ports_;
}

void LocalChannel::forget_port() noexcept {
  const std::lock_guard lock(spare_ports_mutex_);
  --claimed_ports_;
}

void LocalChannel::return_port(const BorrowedPort& port) noexcept {
  if (Member::forked()) return;  // the port is the parent's
  const std::uint32_t number = thread_number();
  if (number < cells && cells_[number].port.port == nullptr) {
    cells_[number].port = port;
    return;
  }
  const std::lock_guard lock(spare_ports_mutex_);
  spare_ports_.push_back(port.number);
  if (spare_ports_.size() > most_spare_ports) trim_spare_ports();
}

/// Lets the oldest spare port go; what is outstanding with it goes to another.
void LocalChannel::trim_spare_ports() noexcept {
  Port& oldest = view_.port(spare_ports_.front());
  move_outstanding(oldest, view_.port(spare_ports_.back()), spare_ports_.back());
  oldest.owner.store(PortOwner(oldest.owner.load(std::memory_order_relaxed)).freed().bits(),
                     std::memory_order_release);
  spare_ports_.erase(spare_ports_.begin());
  --claimed_ports_;
}

std::string LocalChannel::description() const {
  const char* name = view_.header().name;
  return (name[0] == '\0' ? "queue " : "queue '" + std::string(name) + "' ") + to_string(reference_.id);
}

}  // namespace wyvern
