#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <wyvern/core/agent_link.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern {

/// The objects that this process has open, by directory index: all its handles to an object share one
/// opening.
struct OpenObjects {
  std::mutex mutex;
  std::unordered_map<std::uint32_t, std::weak_ptr<void>> by_index;
};

/// What was said to other nodes and is kept back for a moment, to go with what comes next.
class KeptBack {
 public:
  /// Sends it, or leaves it to who sends next.
  virtual void send() noexcept = 0;

 protected:
  ~KeptBack() = default;
};

/// What works on the objects of other nodes, made when it is first needed; only the layers above know its
/// type.
struct NetworkAccess {
  std::mutex mutex;
  std::shared_ptr<void> access;
  /// Null: nothing. Part of `access`.
  std::atomic<KeptBack*> kept_back = nullptr;
};

/// This process as a member of its node: its identity, the mapped segment, and the way to the agent.
/// Everything that works on shared objects holds a shared pointer to it, so the mapping outlives the last
/// handle.
class Member {
 public:
  /// The segment may be shared by several members only where one process plays several, as tests do.
  Member(std::shared_ptr<const Segment> segment, std::uint32_t process_index, Puid puid, Puid parent,
         std::unique_ptr<AgentLink> agent)
      : segment_(std::move(segment)),
        process_index_(process_index),
        puid_(puid),
        parent_(parent),
        agent_(std::move(agent)) {}

  const Segment& segment() const { return *segment_; }
  std::uint32_t process_index() const { return process_index_; }
  Puid puid() const { return puid_; }
  Puid parent() const { return parent_; }
  AgentLink& agent() const { return *agent_; }
  OpenObjects& open_objects() { return open_objects_; }
  NetworkAccess& network_access() { return network_access_; }
  /// For a thread that is about to wait: nothing comes next.
  void send_kept_back() {
    // Relaxed: what this thread has kept back it sees, and what others have is their own business.
    KeptBack* const kept_back = network_access_.kept_back.load(std::memory_order_relaxed);
    if (kept_back != nullptr) [[unlikely]]
      kept_back->send();
  }

  /// The membership of this process. Throws NotAMember outside `wyvern::run`, and in a plain fork of a
  /// member.
  static std::shared_ptr<Member> current();
  /// Joins (or, with null, leaves). The runtime calls it once each.
  static void set_current(std::shared_ptr<Member> member);
  /// Whether this process was forked off a member. Destructors then leave alone what is the parent's.
  static bool forked() { return forked_; }
  /// Throws NotAMember in a process that was forked off a member: its ports and parkers belong to the parent.
  static void check_not_forked() {
    if (forked_) throw_forked();
  }

 private:
  [[noreturn]] static void throw_forked();
  inline static bool forked_ = false;  // set in the child of a fork, before anything else runs there
  friend struct ForkGuard;

  std::shared_ptr<const Segment> segment_;
  std::uint32_t process_index_;
  Puid puid_;
  Puid parent_;
  std::unique_ptr<AgentLink> agent_;
  OpenObjects open_objects_;
  NetworkAccess network_access_;  // ends first: it uses the rest
};

}  // namespace wyvern
