#include "local_node.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <wyvern/channels/payload_account.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/memory_limit.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>

namespace wyvern::test {

LocalNode::LocalNode(std::uint64_t memory_ceiling)
    : segment_(std::make_shared<const Segment>(Segment::create({.memory_ceiling = memory_ceiling,
                                                                .usable_cores = usable_cores(),
                                                                .layout_hash = channels_layout_hash}))),
      keeper_(*segment_) {}

std::shared_ptr<Member> LocalNode::join() {
  const std::lock_guard lock(mutex_);
  const Puid puid = Puid::make(0, 1, keeper_.begin_process());
  const std::uint32_t process = keeper_.admit(puid);
  return std::make_shared<Member>(segment_, process, puid, Puid(),
                                  std::make_unique<KeeperLink>(*this, process));
}

void LocalNode::bury(const Member& member) {
  const std::lock_guard lock(mutex_);
  keeper_.bury(member.process_index());
  keeper_.end_process(member.puid().sequence(), -9);
}

void LocalNode::sweep() {
  const std::lock_guard lock(mutex_);
  keeper_.sweep();
}

void LocalNode::provide_ports(const Channel& channel, std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  const RingView& view = channel.local().view();
  std::vector<std::uint32_t> claimed;
  while (true) {
    for (std::uint32_t i = 0; i < view.header().port_count.load(); ++i) {
      std::uint64_t seen = view.port(i).owner.load();
      if (PortOwner(seen).state() != PortState::free) continue;
      if (view.port(i).owner.compare_exchange_strong(seen,
                                                     PortOwner(seen).next(PortState::owned, 0).bits())) {
        claimed.push_back(i);
      }
    }
    if (claimed.size() >= count) break;
    keeper_.grow_ports(channel.reference());  // makes none as long as one is free
  }
  for (const std::uint32_t i : claimed) {
    auto& owner = view.port(i).owner;
    owner.store(PortOwner(owner.load()).next(PortState::free).bits());
  }
}

void LocalNode::provide_extents(std::uint64_t bytes, std::uint32_t count) {
  const std::lock_guard lock(mutex_);
  constexpr std::uint32_t nobody = max_processes - 1;
  const std::uint32_t size_class = extent_class_for(bytes).value();
  const auto free_ones = [&] {
    std::uint32_t free = 0;
    for (std::uint32_t i = 0; i < segment_->header().groups_ready.load() * extents_in_group; ++i) {
      const ExtentDescriptor& extent = segment_->extent(i);
      free +=
          extent.size_class == size_class && ExtentOwnerWord(extent.owner.load()).kind() == ExtentOwner::free;
    }
    return free;
  };
  std::vector<std::uint32_t> taken;
  if (free_ones() >= count) return;
  while (taken.size() < count) taken.push_back(keeper_.grow_extents(nobody, size_class));
  for (const std::uint32_t extent : taken) free_extent(*segment_, extent, ExtentOwner::process, nobody);
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
  std::vector<std::pair<std::uint64_t, std::vector<std::byte>>> found;  // with their tickets
  for (std::uint32_t i = 0; i < view.capacity(); ++i) {
    const SlotWord word(view.slot(i).load());
    if (word.state() != SlotState::full) continue;
    BlockHeader& block = view.block(word.block());
    const std::uint32_t extent = block.extent.load();
    const std::byte* payload =
        extent == 0 ? RingView::payload(block) : segment.at(segment.extent(extent - 1).offset);
    found.emplace_back(word.lap() * view.capacity() + i,
                       std::vector<std::byte>(payload, payload + block.length));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::vector<std::byte>> payloads;
  for (auto& [ticket, payload] : found) payloads.push_back(std::move(payload));
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

std::string audit(const Segment& segment, const ObjectReference& channel) {
  const RingView view(segment, segment.object(channel.index).offset);
  const std::uint32_t ports = view.header().port_count.load();
  std::map<std::uint32_t, std::vector<std::string>> places;
  for (std::uint32_t i = 0; i < view.capacity(); ++i) {
    const SlotWord word(view.slot(i).load());
    places[word.block()].push_back("slot " + std::to_string(i));
    if (word.state() != SlotState::full && view.block(word.block()).extent.load() != 0) {
      return "free block " + std::to_string(word.block()) + " still names an extent";
    }
  }
  for (std::uint32_t i = 0; i < ports; ++i) {
    const Port& port = view.port(i);
    places[port.spare.load()].push_back("port " + std::to_string(i));
    if (port.intent.load() != 0) return "port " + std::to_string(i) + " has an intent";
    const PortOwner owner(port.owner.load());
    if (owner.state() == PortState::owned && segment.process(owner.process()).puid.load() == 0) {
      return "port " + std::to_string(i) + " is owned by process " + std::to_string(owner.process()) +
             ", which is not there";
    }
  }
  for (std::uint32_t block = 0; block < view.capacity() + ports; ++block) {
    const auto& found = places[block];
    if (found.size() != 1) {
      std::string text =
          "block " + std::to_string(block) + " is in " + std::to_string(found.size()) + " places:";
      for (const auto& place : found) text += " " + place;
      return text;
    }
  }
  std::uint64_t in_messages = 0;
  for (std::uint32_t i = 0; i < view.capacity(); ++i) {
    const SlotWord word(view.slot(i).load());
    const std::uint32_t extent = view.block(word.block()).extent.load();
    if (extent == 0) continue;
    const ExtentOwnerWord owner(segment.extent(extent - 1).owner.load());
    if (!owner.is(ExtentOwner::block, block_identity(channel.index, word.block())))
      return "a message's extent is not its own";
    in_messages += extent_class_bytes(segment.extent(extent - 1).size_class);
  }
  if (charged_bytes(view) != in_messages) {
    return std::to_string(charged_bytes(view)) + " bytes are charged, messages hold " +
           std::to_string(in_messages);
  }
  return {};
}

std::string audit_node(const Segment& segment) {
  const std::uint32_t extents = segment.header().groups_ready.load() * extents_in_group;
  for (std::uint32_t i = 0; i < extents; ++i) {
    const ExtentOwnerWord owner(segment.extent(i).owner.load());
    if (owner.kind() == ExtentOwner::process)
      return "extent " + std::to_string(i) + " belongs to process " + std::to_string(owner.who());
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
