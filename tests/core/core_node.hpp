#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <wyvern/core/arena.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern::test {

/// A segment with the core's part of an agent: enough for extents, parkers, permits and holds. Members play
/// processes.
class CoreNode {
 public:
  explicit CoreNode(std::uint64_t memory_ceiling = std::uint64_t{64} << 20, std::uint32_t cores = 2)
      : segment_(std::make_shared<const Segment>(
            Segment::create({.memory_ceiling = memory_ceiling, .usable_cores = cores}))),
        arena_(*segment_),
        extents_(*segment_, arena_) {}

  std::shared_ptr<Member> join() {
    const std::uint32_t process = joined_++;
    const Puid puid = Puid::make(0, 1, process);
    segment_->process(process).puid = puid.value();
    return std::make_shared<Member>(segment_, process, puid, Puid(), std::make_unique<Link>(*this));
  }

  const Segment& segment() const { return *segment_; }
  Arena& arena() { return arena_; }
  ExtentStore& extents() { return extents_; }

  /// Makes directory entries up to `index` usable and an object alive there.
  ObjectReference make_object(std::uint32_t index) {
    SegmentHeader& header = segment_->header();
    arena_.commit_table(header.directory_offset, sizeof(DirectoryEntry), header.objects_ready, index + 1,
                        max_objects);
    const ObjectReference object{ObjectId::make(0, 1, index + 1), index};
    segment_->object(index).state = 1;
    segment_->object(index).id = object.id.value();
    return object;
  }

 private:
  class Link : public AgentLink {
   public:
    explicit Link(CoreNode& node) : node_(node) {}
    ObjectReference create_channel(const ChannelSpec&) override { throw NodeLost("no channels here"); }
    std::optional<ObjectReference> find_object(const std::string&) override { return std::nullopt; }
    void grow_ports(ObjectReference) override { throw NodeLost("no channels here"); }
    void grow_extents(std::uint32_t size_class) override {
      const std::lock_guard lock(node_.mutex_);
      node_.extents_.grow(size_class);
    }
    void attend(ObjectReference) noexcept override {}
    std::optional<NetworkPlan> network() override { return std::nullopt; }

   private:
    CoreNode& node_;
  };

  std::shared_ptr<const Segment> segment_;
  Arena arena_;
  ExtentStore extents_;
  std::mutex mutex_;
  std::uint32_t joined_ = 0;
};

/// What owns an extent now.
inline ExtentOwnerWord owner_of(const Segment& segment, std::uint32_t extent) {
  return ExtentOwnerWord(segment.extent(extent).owner.load());
}

}  // namespace wyvern::test
