#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <wyvern/channels/ring.hpp>
#include <wyvern/core/agent_link.hpp>
#include <wyvern/core/arena.hpp>
#include <wyvern/core/extent_pool.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/core/segment.hpp>

namespace wyvern {

/// The agent's side of a node's shared memory: the only one who admits and buries processes, makes and
/// retires objects, commits memory, and settles what the dead left. Used by one thread. Nothing here waits
/// for any process.
class Keeper {
 public:
  /// Takes over a new segment. `memory_ceiling` is in the segment's header.
  explicit Keeper(const Segment& segment);

  const Segment& segment() const { return segment_; }

  /// A process table entry for a process that is about to be started or to attach. OutOfMemory when 4096 are
  /// in use.
  std::uint32_t admit(Puid puid);
  /// What the operating system calls it, for displays.
  void note_os_pid(std::uint32_t process, std::uint32_t os_pid);
  /// The kernel has proved the process dead (or it never came to be): gives back everything it owned or held,
  /// wakes whom it should have woken, and frees its entry.
  void bury(std::uint32_t process);

  /// The next process number of this node; its exit record says "running" from then on.
  std::uint32_t begin_process();
  /// Publishes how a process ended and wakes everybody who joins it. `status`: 0..255 or minus the signal.
  void end_process(std::uint32_t sequence, std::int32_t status);

  /// Each of these acts for the process with that index; they throw what AgentLink says.
  ObjectReference create_channel(std::uint32_t process, const ChannelSpec& spec);
  std::optional<ObjectReference> find_object(std::uint32_t process, const std::string& name);
  /// The same without holding it.
  std::optional<ObjectReference> look_up(const std::string& name) const;
  /// A name has come to be that this node knows of another one.
  void announce_name();
  void grow_ports(ObjectReference channel);
  void grow_extents(std::uint32_t size_class);
  void attend(ObjectReference object);
  /// An object that is no channel, for messages of this node that carry a handle of another one's: they name
  /// it in the place of that. It has lost its last holder and its last message when `kept` ends, from within
  /// a later call. OutOfMemory.
  ObjectReference create_stand_in(std::uint32_t process, std::shared_ptr<void> kept);
  /// Lets `process` hold an object from now on, for handles among its start arguments. QueueLost if it has
  /// gone.
  void hold(std::uint32_t process, ObjectReference object);

  /// Mends what a stopped or dead process left half done among the sleepers. To be called a few times a
  /// second; less often suffices while nothing is put or taken. Whether anything was since the last one, or
  /// may have been: of very many queues not all are looked at.
  bool sweep();

 private:
  template <class Visit>
  void for_each_object(Visit visit) const;
  RingView view_of(std::uint32_t object) const;
  bool is_alive(std::uint32_t object) const;
  bool is_channel(std::uint32_t object) const;
  void settle_dead(std::uint32_t object, std::uint32_t process);
  void settle_dead_port(const RingView& view, std::uint32_t number);
  void move_dead_letters(const RingView& view);
  bool move_dead_letter(const RingView& from, const BorrowedPort& letter);
  bool copy_message(const RingView& from, BlockHeader& source, const RingView& to, std::uint32_t block);
  bool give_payload(const RingView& to, std::uint32_t block, std::uint64_t bytes);
  std::optional<BorrowedPort> claim_port(const RingView& view);
  void sweep_given_back(const RingView& view);
  void remove_parkers(std::uint32_t process, const std::vector<std::uint32_t>& held);
  void wake_getters(const RingView& view);
  void wake_for_the_dead(const RingView& view);
  bool may_go_on(std::uint32_t parker);
  void test_interest(std::uint32_t parker);
  std::uint64_t visit_some_channels();
  bool is_named(std::uint32_t object) const;
  void retire_if_unused(std::uint32_t object);
  void add_named_by(std::uint32_t object, std::vector<std::uint32_t>& objects) const;
  void retire_unheld();
  void release_retired(std::uint32_t object);
  void check_dead_letters(std::uint32_t process, const ChannelSpec& spec) const;
  std::uint64_t allocate(std::uint64_t bytes);
  std::uint32_t take_directory_entry();
  ObjectReference enter_object(std::uint32_t index, std::uint32_t process);
  void lay_out_channel(std::uint32_t object, const ChannelSpec& spec, std::uint64_t offset);

  const Segment& segment_;
  Arena arena_;
  ExtentStore extents_;
  std::uint32_t next_sequence_;
  std::uint32_t next_object_sequence_ = 1;
  std::uint32_t objects_used_ = 0;  // directory entries below this have been used
  std::uint32_t next_to_visit_ = 0;
  std::uint64_t positions_ = 0;  // of the channels that were visited, when they were: their sum
  std::vector<std::uint32_t> free_processes_;
  std::vector<std::uint32_t> free_objects_;
  std::unordered_set<std::uint32_t> unheld_;  // objects that only messages or other objects name
  std::unordered_map<std::string, std::uint32_t> names_;
  std::vector<std::shared_ptr<void>> stand_ins_;  // what each of them keeps, by object
};

}  // namespace wyvern
