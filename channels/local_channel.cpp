#include <string>
#include <utility>

#include <wyvern/channels/local_channel.hpp>
#include <wyvern/core/crash_point.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>

// Opening, ports, and the end of an opening: what happens once in a while. The operations are in
// local_operations.cpp.
namespace wyvern {
namespace {

/// Threads are numbered in the order in which they first need a port, so that few threads use cells of their
/// own.
std::uint32_t thread_number() {
  static std::atomic<std::uint32_t> next{0};
  thread_local const std::uint32_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
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
  auto& entry =
      open.by_index[reference.index];  // first: what follows the hold must not fail for lack of memory
  if (!add_hold(member->segment(), reference, member->process_index())) {
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
    keep->agent().object_released(ended);
  };
  channel = std::shared_ptr<LocalChannel>(new LocalChannel(member, reference), end);
  entry = channel;
  return channel;
}

LocalChannel::LocalChannel(std::shared_ptr<Member> member, const ObjectReference& reference)
    : member_(std::move(member)),
      reference_(reference),
      view_(member_->segment(), offset_of_held(*member_, reference)) {}

LocalChannel::~LocalChannel() {
  const auto give_back = [this](std::uint32_t number) {
    auto& owner = view_.port(number).owner;
    // Release: the next owner finds our spare block and cleared intent.
    owner.store(PortOwner(owner.load(std::memory_order_relaxed)).next(PortState::free).bits(),
                std::memory_order_release);
  };
  for (Cell& cell : cells_) {
    if (const std::uint32_t port = cell.port.exchange(0, std::memory_order_acquire)) give_back(port - 1);
  }
  for (const std::uint32_t number : spare_ports_) give_back(number);
}

PortGuard::PortGuard(PortGuard&& other) noexcept
    : channel_(std::exchange(other.channel_, nullptr)), port_(other.port_) {}

PortGuard::~PortGuard() {
  if (channel_ != nullptr) channel_->return_port(port_);
}

PortGuard LocalChannel::borrow_port() {
  Member::check_not_forked();
  // Acquire: what the last user of the port left in it.
  const std::uint32_t port = cells_[thread_number() % cells].port.exchange(0, std::memory_order_acquire);
  return {*this, port != 0 ? port_with(port - 1) : borrow_port_slowly()};
}

BorrowedPort LocalChannel::borrow_port_slowly() {
  for (Cell& cell : cells_) {
    if (const std::uint32_t port = cell.port.exchange(0, std::memory_order_acquire))
      return port_with(port - 1);
  }
  {
    const std::lock_guard lock(spare_ports_mutex_);
    if (!spare_ports_.empty()) {
      const std::uint32_t number = spare_ports_.back();
      spare_ports_.pop_back();
      return port_with(number);
    }
  }
  {
    // Room to give it back later, which must not fail.
    const std::lock_guard lock(spare_ports_mutex_);
    spare_ports_.reserve(++claimed_ports_);
  }
  while (true) {
    if (const auto number = claim_free_port()) return port_with(*number);
    member_->agent().grow_ports(reference_);
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
    // Acquire: the spare and the intent that the last owner, or the agent for it, left.
    if (owner.compare_exchange_strong(seen,
                                      PortOwner(seen).next(PortState::owned, member_->process_index()).bits(),
                                      std::memory_order_acq_rel, std::memory_order_relaxed)) {
      CRASH_POINT("port.claimed");
      return number;
    }
  }
  return std::nullopt;
}

void LocalChannel::return_port(const BorrowedPort& port) noexcept {
  if (Member::forked()) return;  // the port is the parent's
  std::uint32_t none = 0;
  auto& own_cell = cells_[thread_number() % cells].port;
  // Release: the next borrower finds the port as we left it.
  if (own_cell.compare_exchange_strong(none, port.number + 1, std::memory_order_release,
                                       std::memory_order_relaxed))
    return;
  const std::lock_guard lock(spare_ports_mutex_);
  spare_ports_.push_back(port.number);
}

std::string LocalChannel::description() const {
  const char* name = view_.header().name;
  return (name[0] == '\0' ? "queue " : "queue '" + std::string(name) + "' ") + to_string(reference_.id);
}

}  // namespace wyvern
