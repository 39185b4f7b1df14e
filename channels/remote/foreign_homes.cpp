#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/foreign_homes.hpp>
#include <wyvern/channels/remote/member_access.hpp>
#include <wyvern/channels/remote/remote_channel.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {
namespace {

/// Nothing was put that could be lost; and when a job ends, other nodes may have gone before.
constexpr std::chrono::milliseconds farewell_to_homes{100};

}  // namespace

/// The member's way to other nodes, until this comes to its end: nothing makes one after that.
struct ForeignHomes::Access {
  RemoteAccess& get(const std::shared_ptr<Member>& member, std::uint32_t node) {
    const std::lock_guard lock(mutex);
    if (is_ending) throw NodeLost("this node comes to its end");
    return remote_access(member, node);
  }

  std::mutex mutex;
  bool is_ending = false;
};

/// Opens objects of one node and lets them go again, and tells its home who has ended, in a thread of its
/// own.
class ForeignHomes::Visitor : public std::enable_shared_from_this<Visitor> {
 public:
  Visitor(std::uint32_t node, std::shared_ptr<Member> member, std::shared_ptr<Access> access, Hooks hooks)
      : node_(node),
        member_(std::move(member)),
        access_(std::move(access)),
        hooks_(std::move(hooks)),
        thread_([this] { serve(); }) {}

  void open_soon(const ObjectReference& object) {
    const std::lock_guard lock(mutex_);
    wanted_.push_back(object);
    changed_.notify_one();
  }
  void tell_ended_soon(Puid process) {
    const std::lock_guard lock(mutex_);
    dead_.push_back(process);
    changed_.notify_one();
  }
  /// What its thread waits for is over by now, or about to be.
  void end() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
      changed_.notify_one();
    }
    thread_.join();
    open_.clear();
    ended_.clear();
  }

 private:
  using Open = std::unordered_map<std::uint64_t, std::shared_ptr<RemoteChannel>>;

  /// What a stand-in keeps: an opening, by its number.
  class Kept {
   public:
    Kept(std::weak_ptr<Visitor> visitor, std::uint64_t number, const ObjectReference& object)
        : visitor_(std::move(visitor)), number_(number), object_(object) {}
    ~Kept() {
      if (const auto visitor = visitor_.lock()) visitor->let_go_soon(number_, object_);
    }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

   private:
    std::weak_ptr<Visitor> visitor_;
    std::uint64_t number_;
    ObjectReference object_;
  };

  void serve();
  void tell_ended(std::span<const Puid> processes) const;
  void open(const ObjectReference& object);
  std::shared_ptr<StandInHold> make_stand_in(const ObjectReference& object);
  void refuse(const ObjectReference& object, const Error& error) const {
    hooks_.tell([object, error](Home& home) { home.stand_in_refused(object, error); });
  }
  void let_go_soon(std::uint64_t number, const ObjectReference& object);

  std::uint32_t node_;
  std::shared_ptr<Member> member_;
  std::shared_ptr<Access> access_;
  Hooks hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ObjectReference> wanted_;
  std::vector<Puid> dead_;
  Open open_;
  std::vector<Open::node_type> ended_;
  std::uint64_t next_number_ = 1;
  bool is_ending_ = false;
  std::thread thread_;
};

void ForeignHomes::Visitor::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock,
                  [this] { return is_ending_ || !wanted_.empty() || !ended_.empty() || !dead_.empty(); });
    if (is_ending_) return;
    const std::vector<Puid> dead = std::exchange(dead_, {});
    const std::deque<ObjectReference> wanted = std::exchange(wanted_, {});
    std::vector<Open::node_type> ended = std::exchange(ended_, {});
    lock.unlock();
    tell_ended(dead);
    ended.clear();
    for (const ObjectReference& object : wanted) open(object);
    lock.lock();
  }
}

/// What goes wrong has nobody to be told: the home finds out by silence.
void ForeignHomes::Visitor::tell_ended(std::span<const Puid> processes) const {
  if (processes.empty()) return;
  try {
    access_->get(member_, node_).tell_ended(node_, processes);
  } catch (const std::exception&) {
    return;
  }
}

void ForeignHomes::Visitor::open(const ObjectReference& object) {
  try {
    hooks_.tell([object, hold = make_stand_in(object)](Home& home) { home.stand_in_made(object, hold); });
  } catch (const Error& error) {
    refuse(object, error);
  } catch (const std::exception& error) {
    refuse(object, OutOfMemory(error.what()));
  }
}

std::shared_ptr<StandInHold> ForeignHomes::Visitor::make_stand_in(const ObjectReference& object) {
  auto channel = RemoteChannel::open(access_->get(member_, node_), object);
  std::shared_ptr<Kept> kept;
  {
    const std::lock_guard lock(mutex_);
    kept = std::make_shared<Kept>(weak_from_this(), next_number_, object);
    open_.emplace(next_number_++, std::move(channel));
  }
  return std::make_shared<StandInHold>(member_, hooks_.create(std::move(kept)));
}

/// By the agent's thread, or whoever else ends what a stand-in keeps.
void ForeignHomes::Visitor::let_go_soon(std::uint64_t number, const ObjectReference& object) {
  {
    const std::lock_guard lock(mutex_);
    ended_.push_back(open_.extract(number));
    changed_.notify_one();
  }
  hooks_.tell([object](Home& home) { home.stand_in_gone(object); });
}

ForeignHomes::ForeignHomes(std::shared_ptr<Member> member, Hooks hooks)
    : member_(std::move(member)), hooks_(std::move(hooks)), access_(std::make_shared<Access>()) {}

void ForeignHomes::end() {
  decltype(visitors_) visitors;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_ending_, true)) return;
    visitors.swap(visitors_);
  }
  {
    const std::lock_guard lock(access_->mutex);
    access_->is_ending = true;
  }
  leave_network(*member_, farewell_to_homes);  // nobody waits for a home after that
  for (const auto& [node, visitor] : visitors) visitor->end();
}

void ForeignHomes::make(const ObjectReference& object) {
  const std::lock_guard lock(mutex_);
  if (is_ending_) return;  // and so is the home, with all that waits there
  try {
    visitor(object.id.node())->open_soon(object);
  } catch (const Error& error) {
    hooks_.tell([object, error](Home& home) { home.stand_in_refused(object, error); });
  } catch (const std::exception& error) {
    hooks_.tell([object, text = std::string(error.what())](Home& home) {
      home.stand_in_refused(object, OutOfMemory(text));
    });
  }
}

void ForeignHomes::tell_ended(Puid process, std::uint64_t nodes) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_ending_) return;
  const SegmentHeader& header = member_->segment().header();
  for (std::uint32_t node = 1; node <= header.nodes; ++node) {
    if (node == header.node || (nodes & node_bit(node)) == 0) continue;
    try {
      visitor(node)->tell_ended_soon(process);
    } catch (const std::exception&) {
      continue;  // by silence
    }
  }
}

std::shared_ptr<ForeignHomes::Visitor> ForeignHomes::visitor(std::uint32_t node) {
  if (const auto known = visitors_.find(node); known != visitors_.end()) return known->second;
  // Whoever names objects may name any node, and there is to be no thread for one that there is not.
  const auto plan = member_->agent().network();
  if (!plan || node == 0 || node > plan->addresses.size())
    throw NodeLost("there is no node " + std::to_string(node) + " in this job, whose queue a message names");
  auto made = std::make_shared<Visitor>(node, member_, access_, hooks_);
  visitors_.emplace(node, made);
  return made;
}

}  // namespace wyvern
