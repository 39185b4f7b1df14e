#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <wyvern/channels/remote/home.hpp>
#include <wyvern/channels/remote/stand_in.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/puid.hpp>

namespace wyvern {

/// An agent as a guest of other nodes' homes: it has queues there open for the messages of its own node's,
/// one opening for each stand-in, for as long as that lives; and tells of processes of its node that have
/// ended. Both may have to wait for the home, so each of these nodes has a thread here, once it is needed;
/// nobody else waits.
class ForeignHomes : public StandInMaker {
 public:
  /// Each is called from any thread.
  struct Hooks {
    /// A new stand-in (Keeper::create_stand_in), held by the member, which keeps `kept` as long as it lives.
    std::function<ObjectReference(std::shared_ptr<void> kept)> create;
    /// Has the home's thread call that, soon.
    std::function<void(std::function<void(Home&)> task)> tell;
  };

  /// The member is the home's; its agent link must not need the thread that ends this. Opens nothing yet.
  ForeignHomes(std::shared_ptr<Member> member, Hooks hooks);
  ~ForeignHomes() override { end(); }
  /// Lets all of them go, leaves the network, and ends the threads. No
  /// hook is called any more, and no stand-in is made. What those keep that there are may end later.
  void end();

  void make(const ObjectReference& object) override;
  /// Tells the homes of those nodes (see node_bit) but this one that a process of this one has ended, soon. A
  /// home that cannot be told finds out by silence. From any thread.
  void tell_ended(Puid process, std::uint64_t nodes) noexcept;

 private:
  class Visitor;
  struct Access;

  std::shared_ptr<Visitor> visitor(std::uint32_t node);

  std::shared_ptr<Member> member_;
  Hooks hooks_;
  std::shared_ptr<Access> access_;
  std::mutex mutex_;
  bool is_ending_ = false;
  std::unordered_map<std::uint32_t, std::shared_ptr<Visitor>> visitors_;  // by node
};

}  // namespace wyvern
