#include "local_node.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include <wyvern/channels/given_back.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/channels/task_account.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/memory_limit.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>

namespace wyvern::test {

LocalNode::LocalNode(std::uint64_t memory_ceiling, std::uint32_t number)
    : segment_(std::make_shared<const Segment>(Segment::create({.node = number,
                                                                .memory_ceiling = memory_ceiling,
                                                                .usable_cores = usable_cores(),
                                                                .layout_hash = channels_layout_hash}))),
      keeper_(*segment_) {}

std::shared_ptr<Member> LocalNode::join() {
  const std::lock_guard lock(mutex_);
  const Puid puid = Puid::make(0, segment_->header().node, keeper_.begin_process());
  const std::uint32_t process = keeper_.admit(puid);
  return std::make_shared<Member>(segment_, process, puid, Puid(),
                                  std::make_unique<KeeperLink>(*this, process));
}

void LocalNode::bury(const Member& member) {
  const std::lock_guard lock(mutex_);
  keeper_.bury(member.process_index());
  keeper_.end_process(member.puid().sequence(), -9);
}

bool LocalNode::sweep() {
  const std::lock_guard lock(mutex_);
  return keeper_.sweep();
}

void LocalNode::provide_ports(const Channel& channel, std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  const RingView& view = channel.local().view();
  std::vector<std::uint32_t> claimed;
  while (true) {
    for (std::uint32_t i = 0; i < view.header().port_count.load(); ++i) {
      std::uint64_t seen = view.port(i).owner.load();
      if (PortOwner(seen).state() != PortState::free) continue;
      if (view.port(i).owner.compare_exchange_strong(
              seen, PortOwner(seen).claimed_by(agent_process_index).bits())) {
        claimed.push_back(i);
      }
    }
    if (claimed.size() >= count) break;
    keeper_.grow_ports(channel.reference());  // makes none as long as one is free
  }
  for (const std::uint32_t i : claimed) {
    auto& owner = view.port(i).owner;
    owner.store(PortOwner(owner.load()).freed().bits());
  }
}

void LocalNode::provide_extents(std::uint64_t bytes, std::uint32_t count) {
  const std::uint32_t size_class = extent_class_for(bytes).value();
  std::uint32_t free = 0;
  for (std::uint32_t i = 0; i < segment_->header().groups_ready.load() * extents_in_group; ++i) {
    const ExtentDescriptor& extent = segment_->extent(i);
    free +=
        extent.size_class == size_class && ExtentOwnerWord(extent.owner.load()).kind() == ExtentOwner::free;
  }
  if (free >= count) return;
  // On a thread of its own: what it frees is remembered by it and by no child that is forked later.
  std::thread([&] {
    const Member agent(segment_, agent_process_index, Puid(), Puid(),
                       std::make_unique<KeeperLink>(*this, agent_process_index));
    constexpr std::uint32_t no_object = max_objects - 1;
    std::deque<std::atomic<std::uint32_t>> names(count);
    for (std::uint32_t i = 0; i < count; ++i)
      claim_extent(agent, bytes, names[i], block_identity(no_object, i));
    for (std::uint32_t i = 0; i < count; ++i)
      free_extent(*segment_, names[i] - 1, block_identity(no_object, i));
  }).join();
}

KeeperLink::KeeperLink(LocalNode& node, std::uint32_t process)
    : node_(node), process_(process), os_pid_(::getpid()) {}

void KeeperLink::check_same_process() const {
  if (::getpid() != os_pid_) throw NodeLost("a forked child of the test has no keeper to ask");
}

ObjectReference KeeperLink::create_channel(const ChannelSpec& spec) {
  check_same_process();
  const std::lock_guard lock(node_.keeper_mutex());
  return node_.keeper().create_channel(process_, spec);
}

std::optional<ObjectReference> KeeperLink::find_object(const std::string& name) {
  check_same_process();
  const std::lock_guard lock(node_.keeper_mutex());
  return node_.keeper().find_object(process_, name);
}

void KeeperLink::grow_ports(ObjectReference channel) {
  check_same_process();
  const std::lock_guard lock(node_.keeper_mutex());
  node_.keeper().grow_ports(channel);
}

void KeeperLink::grow_extents(std::uint32_t size_class) {
  check_same_process();
  const std::lock_guard lock(node_.keeper_mutex());
  node_.keeper().grow_extents(size_class);
}

void KeeperLink::attend(ObjectReference object) noexcept {
  if (::getpid() != os_pid_) return;
  const std::lock_guard lock(node_.keeper_mutex());
  node_.keeper().attend(object);
}

std::vector<std::vector<std::byte>> payloads_in(const Segment& segment, const ObjectReference& channel) {
  const RingView view(segment, segment.object(channel.index).offset);
  const auto payload_of = [&view](std::uint32_t number) {
    BlockHeader& block = view.block(number);
    const std::byte* payload = payload_memory(view, block);
    return std::vector<std::byte>(payload, payload + block.length);
  };
  std::vector<std::vector<std::byte>> payloads;
  for (std::uint32_t i = 0; i < view.header().port_count.load(); ++i) {
    const BorrowedPort port{&view.port(i), i};
    if (PortOwner(port.port->owner.load()).state() == PortState::given_back)
      payloads.push_back(payload_of(port.spare().block()));
  }
  std::map<std::uint64_t, std::uint32_t> in_ring;  // by their tickets
  for (std::uint32_t i = 0; i < view.capacity(); ++i) {
    const SlotWord word(view.slot(i).load());
    if (word.state() == SlotState::full) in_ring.emplace(word.lap() * view.capacity() + i, word.block());
  }
  for (const auto& [ticket, block] : in_ring) payloads.push_back(payload_of(block));
  return payloads;
}

std::uint32_t sleepers(const Segment& segment, InterestKind kind, std::uint64_t number) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < max_parkers; ++i) {
    const ParkerCell& cell = segment.parker(i);
    const std::uint64_t interest = cell.interest.load();
    // Who waits for bytes names a size above the object.
    const std::uint64_t whom =
        kind == InterestKind::payload_room ? interest & 0xffffffff : interest_number(interest);
    count += cell.state.load() == parker_asleep && interest_kind(interest) == kind && whom == number;
  }
  return count;
}

namespace {

/// Where each block of a channel is, and which of them hold a message. What is wrong, or nothing.
class Audit {
 public:
  Audit(const Segment& segment, const ObjectReference& channel)
      : segment_(segment),
        channel_(channel),
        view_(segment, segment.object(channel.index).offset),
        blocks_(view_.capacity() + view_.header().port_count.load()) {}

  std::string run() {
    for (std::uint32_t i = 0; i < view_.capacity(); ++i) {
      const SlotWord word(view_.slot(i).load());
      place(word.block(), "slot " + std::to_string(i), word.state() == SlotState::full);
    }
    for (std::uint32_t i = 0; i < view_.header().port_count.load(); ++i) {
      const SpareWord spare(view_.port(i).spare.load());
      place(spare.block(), "port " + std::to_string(i), spare.leased());
      check_port(i, spare);
    }
    for (std::uint32_t block = 0; block < blocks_.size(); ++block) check_block(block);
    check_extents();
    if (any_given_back(view_) && !may_be_given_back(view_))
      complain("a message was given back and no hint says so");
    return problem_;
  }

 private:
  struct Place {
    std::vector<std::string> names;
    bool message = false;
  };

  void complain(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }
  void place(std::uint32_t block, const std::string& name, bool message) {
    if (block >= blocks_.size()) return complain(name + " has block " + std::to_string(block));
    blocks_[block].names.push_back(name);
    blocks_[block].message |= message;
  }

  void check_port(std::uint32_t number, SpareWord spare) {
    const Port& port = view_.port(number);
    const auto wrong = [&](const std::string& what) { complain("port " + std::to_string(number) + what); };
    const IntentWord intent(port.intent.load());
    if (intent.kind() != IntentKind::none && intent.block() != spare.block())
      wrong(" has an operation in flight");
    const FinishedWord finished(port.finished.load());
    const std::uint64_t open = outstanding(spare, finished);
    if (open > ticket_mask / 2) wrong(" has reported more gets done than it made");
    if (spare.leased() && open != 0) wrong(" has a lease and gets that are not done");
    if (MovedWord(port.moved.load()).active()) wrong(" is giving its gets to another");
    if (spare.block() < blocks_.size() && view_.block(spare.block()).tag.load() != number)
      wrong(" has a block with the tag of another");
    const PortOwner owner(port.owner.load());
    if (owner.state() != PortState::owned && open != 0)
      wrong(" belongs to nobody and has gets that are not done");
    if (owner.state() == PortState::free && spare.leased()) wrong(" is free and has a lease");
    if (owner.state() == PortState::given_back && !spare.leased()) wrong(" is given back without a message");
    if (owner.deliveries() != 0 && !spare.leased()) wrong(" counts deliveries of no message");
    if (owner.is_owned_by(agent_process_index)) wrong(" is owned by the agent");
    if (owner.state() == PortState::owned && segment_.process(owner.process()).puid.load() == 0)
      wrong(" is owned by process " + std::to_string(owner.process()) + ", which is not there");
  }

  void check_block(std::uint32_t number) {
    const Place& found = blocks_[number];
    const std::string block = "block " + std::to_string(number);
    if (found.names.size() != 1) {
      std::string text = block + " is in " + std::to_string(found.names.size()) + " places:";
      for (const auto& name : found.names) text += " " + name;
      return complain(text);
    }
    const BlockHeader& header = view_.block(number);
    const HandleList handles(header.handles.load());
    const std::uint32_t extent = header.extent.load();
    if (!found.message && extent != 0) complain("free " + block + " still names an extent");
    if (!found.message && handles.bits() != 0) complain("free " + block + " still carries handles");
    if (extent != 0 &&
        !extent_owner(extent - 1).is(ExtentOwner::block, block_identity(channel_.index, number)))
      complain("the extent of " + block + " is not its own");
    if (problem_.empty() && handles.count() != 0) check_handles(number, handles);
  }

  /// What a message names lives, and the agent knows where to look for it.
  void check_handles(std::uint32_t block, HandleList handles) {
    if (view_.header().carries_handles.load() == 0) complain("nothing says that the channel carries handles");
    const std::byte* payload = payload_memory(view_, view_.block(block));
    const auto* objects = reinterpret_cast<const std::uint32_t*>(payload + handles.offset_bytes());
    for (std::uint64_t i = 0; i < handles.count(); ++i) {
      const DirectoryEntry& entry = segment_.object(objects[i]);
      const std::string object = "object " + std::to_string(objects[i]) + ", which a message carries, ";
      if (object_phase(entry.state.load()) != ObjectPhase::alive) complain(object + "is not there");
      if (entry.carried.load() == 0) complain(object + "does not say so");
    }
  }

  void check_extents() {
    for (std::uint32_t i = 0; i < segment_.header().groups_ready.load() * extents_in_group; ++i) {
      const ExtentOwnerWord owner = extent_owner(i);
      if (owner.kind() != ExtentOwner::block || owner.who() >> block_bits != channel_.index) continue;
      const auto block = static_cast<std::uint32_t>(owner.who() & (max_blocks - 1));
      if (block >= blocks_.size() || view_.block(block).extent.load() != i + 1) {
        complain("extent " + std::to_string(i) + " belongs to block " + std::to_string(block) +
                 ", which does not name it");
      }
    }
  }
  ExtentOwnerWord extent_owner(std::uint32_t extent) const {
    return ExtentOwnerWord(segment_.extent(extent).owner.load());
  }

  const Segment& segment_;
  ObjectReference channel_;
  RingView view_;
  std::vector<Place> blocks_;
  std::string problem_;
};

}  // namespace

std::string audit(const Segment& segment, const ObjectReference& channel) {
  return Audit(segment, channel).run();
}

std::string audit_node(const Segment& segment) {
  const std::uint32_t extents = segment.header().groups_ready.load() * extents_in_group;
  for (std::uint32_t i = 0; i < extents; ++i) {
    const ExtentOwnerWord owner(segment.extent(i).owner.load());
    if (owner.kind() == ExtentOwner::block) {
      const auto object = static_cast<std::uint32_t>(owner.who() >> block_bits);
      if (object_phase(segment.object(object).state.load()) != ObjectPhase::alive) {
        return "extent " + std::to_string(i) + " belongs to a block of object " + std::to_string(object) +
               ", which is not there";
      }
    }
    const bool hinted =
        (segment.extent_group(i / extents_in_group).maybe_free.load() >> (i % extents_in_group) & 1) != 0;
    if (owner.kind() == ExtentOwner::free && !hinted)
      return "extent " + std::to_string(i) + " is free but cannot be found";
  }
  for (std::uint32_t i = 0; i < max_parkers; ++i) {
    const std::uint32_t owner = segment.parker(i).owner.load();
    if (owner != 0 && segment.process(owner - 1).puid.load() == 0)
      return "parker " + std::to_string(i) + " belongs to a process that is not there";
    if (segment.parker(i).state.load() != parker_awake)
      return "parker " + std::to_string(i) + " is not awake";
  }
  for (const SpinPermit& permit : segment.header().permits) {
    if (permit.holder.load() != 0) return "a spin permit is held";
  }
  return {};
}

}  // namespace wyvern::test
