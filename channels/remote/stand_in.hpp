#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include <wyvern/core/error.hpp>
#include <wyvern/core/member.hpp>
#include <wyvern/core/object_reference.hpp>

/// How a message of this node carries a handle of another node's queue. In its list of handles it names a
/// stand-in: an object of this node that is nothing but an entry of the directory, and lives like any other
/// while a process holds it or a message names it. As long as it does, the agent has the queue open at its
/// home, as processes have (foreign_homes.hpp). So whoever put the message may die.
namespace wyvern {

/// A hold of a stand-in, of this process, which has no other.
class StandInHold {
 public:
  /// It is held already.
  StandInHold(std::shared_ptr<Member> member, const ObjectReference& stand_in)
      : member_(std::move(member)), reference_(stand_in) {}
  ~StandInHold();
  StandInHold(const StandInHold&) = delete;
  StandInHold& operator=(const StandInHold&) = delete;

  const ObjectReference& reference() const { return reference_; }

 private:
  std::shared_ptr<Member> member_;
  ObjectReference reference_;
};

/// Who makes stand-ins for a home. Called from Home::poll; must not throw, nor call the home.
class StandInMaker {
 public:
  virtual ~StandInMaker() = default;
  /// Opens that object of another node. Home::stand_in_made or stand_in_refused is to be called in the end.
  virtual void make(const ObjectReference& object) = 0;
};

/// What messages wait for that carry a handle of that object.
class StandIn {
 public:
  /// What messages name in its place; nothing: it is not made yet. Throws what has come of it instead.
  std::optional<ObjectReference> reference() const {
    if (refusal_) throw_error(refusal_->code(), refusal_->what());
    return hold_ == nullptr ? std::nullopt : std::optional(hold_->reference());
  }

 private:
  friend class StandIns;
  std::shared_ptr<StandInHold> hold_;
  std::optional<Error> refusal_;
};

/// The stand-ins of a home. For its thread.
class StandIns {
 public:
  /// `maker` null: none can be made.
  StandIns(std::shared_ptr<Member> member, StandInMaker* maker) : member_(std::move(member)), maker_(maker) {}

  /// One for that object of another node, held as long as this is; there may be one already.
  std::shared_ptr<StandIn> find(const ObjectReference& object);
  void made(const ObjectReference& object, std::shared_ptr<StandInHold> hold);
  void refused(const ObjectReference& object, const Error& error);
  /// Nothing names it any more, unless somebody has asked for it again.
  void gone(const ObjectReference& object);

 private:
  struct Known {
    std::weak_ptr<StandIn> wanted;
    ObjectReference made;  // id 0: none is known
  };

  std::shared_ptr<Member> member_;
  StandInMaker* maker_;
  std::unordered_map<std::uint64_t, Known> known_;  // by the id of what they stand for
};

}  // namespace wyvern
