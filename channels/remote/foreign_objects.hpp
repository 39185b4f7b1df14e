#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

#include <wyvern/channels/remote/home.hpp>
#include <wyvern/channels/remote/stand_in.hpp>
#include <wyvern/core/member.hpp>

namespace wyvern {

/// Queues of other nodes that an agent has open for the messages of its own node's: one opening for each
/// stand-in, for as long as that lives. An opening may have to wait for its home, so each of these nodes has
/// a thread here, once it is needed; nobody else waits.
class ForeignObjects : public StandInMaker {
 public:
  /// Each is called from any thread.
  struct Hooks {
    /// A new stand-in (Keeper::create_stand_in), held by the member, which keeps `kept` as long as it lives.
    std::function<ObjectReference(std::shared_ptr<void> kept)> create;
    /// Has the home's thread call that, soon.
    std::function<void(std::function<void(Home&)> task)> tell;
  };

  /// The member is the home's; its agent link must not need the thread that ends this. Opens nothing yet.
  ForeignObjects(std::shared_ptr<Member> member, Hooks hooks);
  ~ForeignObjects() override { end(); }
  /// Lets all of them go, leaves the network, and ends the threads. No
  /// hook is called any more, and no stand-in is made. What those keep that there are may end later.
  void end();

  void make(const ObjectReference& object) override;

 private:
  class Opener;
  struct Access;

  std::shared_ptr<Opener> opener(std::uint32_t node);

  std::shared_ptr<Member> member_;
  Hooks hooks_;
  std::shared_ptr<Access> access_;
  std::mutex mutex_;
  bool is_ending_ = false;
  std::unordered_map<std::uint32_t, std::shared_ptr<Opener>> openers_;  // by node
};

}  // namespace wyvern
