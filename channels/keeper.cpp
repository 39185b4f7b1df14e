#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <random>
#include <string>
#include <utility>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/channels/payload.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/exit_wait.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>

// Processes and objects: what the agent does when it is asked to. What it does for the dead is in
// keeper_recovery.cpp.
namespace wyvern {
namespace {

constexpr std::uint64_t round_to_pairs(std::uint64_t bytes) {
  return (bytes + cache_line_pair - 1) / cache_line_pair * cache_line_pair;
}

/// Which block each slot starts with, in an order without a pattern, see slot_lines; blocks keep it for good.
std::vector<std::uint32_t> scattered_blocks(std::uint32_t capacity) {
  std::vector<std::uint32_t> blocks(capacity);
  std::iota(blocks.begin(), blocks.end(), 0);
  std::shuffle(blocks.begin(), blocks.end(),
               std::minstd_rand(slot_scatter));  // NOLINT(cert-msc51-cpp): the same each time
  return blocks;
}

void check(const ChannelSpec& spec) {
  const auto refuse = [](const std::string& what) { throw InvalidArgument("make_queue: " + what); };
  if (spec.capacity < 1 || spec.capacity > max_capacity) {
    refuse("capacity is 1 to " + std::to_string(max_capacity) + " messages, not " +
           std::to_string(spec.capacity));
  }
  if (spec.inline_size > max_inline_size) {
    refuse("inline_size is at most " + std::to_string(max_inline_size) + " bytes, not " +
           std::to_string(spec.inline_size) + "; larger payloads are kept outside the ring's blocks anyway");
  }
  if (spec.max_deliveries > max_deliveries_counted) {
    refuse("max_deliveries is at most " + std::to_string(max_deliveries_counted) + ", not " +
           std::to_string(spec.max_deliveries));
  }
  if (spec.window > max_window) {
    refuse("window is at most " + std::to_string(max_window) + " messages, not " +
           std::to_string(spec.window));
  }
  if (spec.prefetch > max_prefetch) {
    refuse("prefetch is at most " + std::to_string(max_prefetch) + " messages, not " +
           std::to_string(spec.prefetch));
  }
  if (spec.name.size() >= channel_name_bytes || spec.name.find('\0') != std::string::npos) {
    refuse("a name is at most " + std::to_string(channel_name_bytes - 1) + " bytes without NUL, not '" +
           spec.name + "'");
  }
}

}  // namespace

Keeper::Keeper(const Segment& segment)
    : segment_(segment),
      arena_(segment),
      extents_(segment, arena_),
      next_sequence_(segment.header().node == head_node ? 0 : 1) {
  for (std::uint32_t index = agent_process_index; index > 0; --index) free_processes_.push_back(index - 1);
}

std::uint32_t Keeper::admit(Puid puid) {
  if (free_processes_.empty()) {
    throw OutOfMemory("node " + std::to_string(segment_.header().node) + " has " +
                      std::to_string(agent_process_index) +
                      " processes, the most it can have at a time; wait for some to end");
  }
  const std::uint32_t index = free_processes_.back();
  free_processes_.pop_back();
  segment_.process(index).puid.store(puid.value(), std::memory_order_release);
  return index;
}

void Keeper::note_os_pid(std::uint32_t process, std::uint32_t os_pid) {
  segment_.process(process).os_pid.store(os_pid, std::memory_order_release);
}

std::uint32_t Keeper::begin_process() {
  SegmentHeader& header = segment_.header();
  extents_.reclaim(page_size);  // what the table may grow by
  arena_.commit_table(header.exit_records_offset, sizeof(std::uint64_t), header.exit_records_ready,
                      next_sequence_ + 1, max_exit_records);
  segment_.exit_record(next_sequence_)
      .store(make_exit_record(ExitPhase::running, 0), std::memory_order_release);
  return next_sequence_++;
}

void Keeper::end_process(std::uint32_t sequence, std::int32_t status) {
  segment_.exit_record(sequence).store(make_exit_record(ExitPhase::exited, status),
                                       std::memory_order_seq_cst);
  wake_who_waits_for_exit(segment_, sequence);
}

std::uint64_t Keeper::allocate(std::uint64_t bytes) {
  if (!arena_.has_room_for(bytes)) extents_.reclaim(bytes);
  return arena_.allocate(bytes);
}

std::uint32_t Keeper::take_directory_entry() {
  if (!free_objects_.empty()) {
    const std::uint32_t index = free_objects_.back();
    free_objects_.pop_back();
    return index;
  }
  SegmentHeader& header = segment_.header();
  extents_.reclaim(page_size);  // what the table may grow by
  arena_.commit_table(header.directory_offset, sizeof(DirectoryEntry), header.objects_ready,
                      objects_used_ + 1, max_objects);
  return objects_used_++;
}

RingView Keeper::view_of(std::uint32_t object) const { return {segment_, segment_.object(object).offset}; }

bool Keeper::is_alive(std::uint32_t object) const {
  return object < objects_used_ &&
         object_phase(segment_.object(object).state.load(std::memory_order_acquire)) == ObjectPhase::alive;
}

/// Not a stand-in, which has no memory. Relaxed: this thread alone writes that, before the id, by whose
/// release others see it.
bool Keeper::is_channel(std::uint32_t object) const {
  return is_alive(object) && segment_.object(object).is_stand_in.load(std::memory_order_relaxed) == 0;
}

void Keeper::check_dead_letters(std::uint32_t process, const ChannelSpec& spec) const {
  if (!spec.dead_letters.id) {
    if (spec.max_deliveries == 0) return;
    throw InvalidArgument(
        "make_queue: max_deliveries needs dead_letters, the queue that gets what was delivered so often in "
        "vain");
  }
  const std::uint32_t object = spec.dead_letters.index;
  if (!is_channel(object) ||
      segment_.object(object).id.load(std::memory_order_relaxed) != spec.dead_letters.id.value() ||
      !has_hold(segment_.object(object), process)) {
    throw QueueLost("make_queue: the queue for dead letters, " + to_string(spec.dead_letters.id) +
                    ", does not exist any more");
  }
  const ChannelHeader& header = view_of(object).header();
  if (header.type_hash != spec.type_hash) {
    throw TypeMismatch("make_queue: dead_letters holds messages of type " + std::string(header.type_name) +
                       ", not " + spec.type_name + "; it must be a queue of the same type");
  }
}

ObjectReference Keeper::create_channel(std::uint32_t process, const ChannelSpec& spec) {
  check(spec);
  check_dead_letters(process, spec);
  if (!spec.name.empty() && names_.contains(spec.name)) {
    throw InvalidArgument("make_queue: there is a queue with the name '" + spec.name +
                          "' already; open_queue opens it");
  }
  const std::uint64_t header_bytes =
      round_to_pairs(sizeof(ChannelHeader)) +
      round_to_pairs(slot_lines(static_cast<std::uint32_t>(spec.capacity)) * sizeof(SlotLine));
  const std::uint64_t bytes = header_bytes + first_ports * sizeof(Port) +
                              (spec.capacity + first_ports) * block_stride_for(spec.inline_size);
  const std::uint64_t offset = allocate(bytes);
  std::uint32_t index = 0;
  try {
    index = take_directory_entry();
  } catch (...) {
    arena_.release(offset, bytes);
    throw;
  }
  DirectoryEntry& entry = segment_.object(index);
  lay_out_channel(index, spec, offset);
  entry.offset = offset;
  entry.bytes = bytes;
  entry.is_stand_in.store(0, std::memory_order_relaxed);
  const ObjectReference created = enter_object(index, process);
  if (!spec.name.empty()) {
    names_.emplace(spec.name, index);
    announce_name();
  }
  return created;
}

/// With a new id, and held by that process. From here on it can be found.
ObjectReference Keeper::enter_object(std::uint32_t index, std::uint32_t process) {
  DirectoryEntry& entry = segment_.object(index);
  const ObjectId id =
      ObjectId::make(segment_.header().system, segment_.header().node, next_object_sequence_++);
  if (entry.is_stand_in.load(std::memory_order_relaxed) == 0)
    segment_.at<ChannelHeader>(entry.offset)->id = id.value();
  entry.carried.store(0, std::memory_order_relaxed);
  for (auto& word : entry.holders) word.store(0, std::memory_order_relaxed);
  entry.holders[process / 64].store(std::uint64_t{1} << (process % 64), std::memory_order_relaxed);
  const std::uint64_t changes = entry.state.load(std::memory_order_relaxed) & ~std::uint64_t{3};
  entry.state.store(changes + one_object_change + static_cast<std::uint64_t>(ObjectPhase::alive),
                    std::memory_order_release);
  entry.id.store(id.value(), std::memory_order_release);
  return {id, index};
}

ObjectReference Keeper::create_stand_in(std::uint32_t process, std::shared_ptr<void> kept) {
  stand_ins_.resize(
      std::max<std::size_t>(stand_ins_.size(), objects_used_ + 1));  // what may fail comes first
  const std::uint32_t index = take_directory_entry();
  DirectoryEntry& entry = segment_.object(index);
  entry.is_stand_in.store(1, std::memory_order_relaxed);
  stand_ins_[index] = std::move(kept);
  return enter_object(index, process);
}

void Keeper::lay_out_channel(std::uint32_t object, const ChannelSpec& spec, std::uint64_t offset) {
  auto* header = new (segment_.at(offset)) ChannelHeader{};
  header->capacity = static_cast<std::uint32_t>(spec.capacity);
  header->inline_size = static_cast<std::uint32_t>(spec.inline_size);
  header->block_stride = static_cast<std::uint32_t>(block_stride_for(spec.inline_size));
  header->type_hash = spec.type_hash;
  // Half of what the node may use, so that one queue that nobody reads leaves room for others.
  header->max_bytes = spec.max_bytes != 0 ? spec.max_bytes : arena_.ceiling() / 2;
  header->slots_offset = offset + round_to_pairs(sizeof(ChannelHeader));
  header->ports_offset =
      header->slots_offset +
      round_to_pairs(slot_lines(static_cast<std::uint32_t>(spec.capacity)) * sizeof(SlotLine));
  header->blocks_offset = header->ports_offset + first_ports * sizeof(Port);
  header->object = object;
  header->max_deliveries = spec.max_deliveries;
  header->window = spec.window;
  header->prefetch = spec.prefetch;
  if (spec.dead_letters.id) {
    header->dead_letters = spec.dead_letters.id.value();
    header->dead_letters_object = spec.dead_letters.index;
    segment_.object(spec.dead_letters.index).carried.store(1, std::memory_order_seq_cst);
  }
  spec.type_name.copy(header->type_name, channel_name_bytes - 1);
  spec.name.copy(header->name, channel_name_bytes - 1);
  header->port_count.store(first_ports, std::memory_order_relaxed);
  header->magic = channel_magic;
  const RingView view(segment_, offset);
  const std::vector<std::uint32_t> blocks = scattered_blocks(header->capacity);
  for (std::uint32_t i = 0; i < header->capacity; ++i) {
    view.slot(i).store(SlotWord(0, SlotState::empty, blocks[i]).bits(), std::memory_order_relaxed);
    view.block(i).tag.store(no_port, std::memory_order_relaxed);
  }
  for (std::uint32_t i = 0; i < first_ports; ++i) {
    view.port(i).spare.store(SpareWord(0, false, header->capacity + i).bits(), std::memory_order_relaxed);
    view.block(header->capacity + i).tag.store(i, std::memory_order_relaxed);
  }
}

std::optional<ObjectReference> Keeper::find_object(std::uint32_t process, const std::string& name) {
  const auto found = look_up(name);
  return found && add_hold(segment_, *found, process) ? found : std::nullopt;
}

std::optional<ObjectReference> Keeper::look_up(const std::string& name) const {
  const auto place = names_.find(name);
  if (place == names_.end()) return std::nullopt;
  return ObjectReference{.id = ObjectId(segment_.object(place->second).id.load(std::memory_order_relaxed)),
                         .index = place->second};
}

void Keeper::announce_name() {
  segment_.header().name_changes.fetch_add(1, std::memory_order_seq_cst);
  wake_who_waits_for_names(segment_);
}

void Keeper::hold(std::uint32_t process, ObjectReference object) {
  if (!add_hold(segment_, object, process)) {
    throw QueueLost("queue " + to_string(object.id) +
                    " among the arguments of a process does not exist any more");
  }
}

void Keeper::grow_ports(ObjectReference channel) {
  if (!is_channel(channel.index) ||
      segment_.object(channel.index).id.load(std::memory_order_relaxed) != channel.id.value()) {
    throw QueueLost("queue " + to_string(channel.id) + " does not exist any more");
  }
  const RingView view = view_of(channel.index);
  ChannelHeader& header = view.header();
  const std::uint32_t ports = header.port_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < ports; ++i) {
    // Somebody else asked a moment ago, or gave one back: that port will do.
    if (PortOwner(view.port(i).owner.load(std::memory_order_relaxed)).state() == PortState::free) return;
  }
  if (ports + ports_per_chunk > max_ports) {
    throw OutOfMemory("queue " + to_string(channel.id) + " has " + std::to_string(ports) +
                      " operations in flight, the most it can have; keep fewer messages unread at a time");
  }
  const std::uint64_t offset = allocate(ports_per_chunk * (sizeof(Port) + header.block_stride));
  auto* chunk = segment_.at<Port>(offset);
  for (std::uint32_t i = 0; i < ports_per_chunk; ++i) {
    chunk[i].spare.store(SpareWord(0, false, header.capacity + ports + i).bits(), std::memory_order_relaxed);
    segment_
        .at<BlockHeader>(offset + ports_per_chunk * sizeof(Port) + std::uint64_t{i} * header.block_stride)
        ->tag.store(ports + i, std::memory_order_relaxed);
  }
  // Release, chunk before count: who sees the count finds the ports, their blocks, spares and tags.
  header.port_chunks[(ports - first_ports) / ports_per_chunk].store(offset, std::memory_order_release);
  header.port_count.store(ports + ports_per_chunk, std::memory_order_seq_cst);
}

void Keeper::grow_extents(std::uint32_t size_class) { extents_.grow(size_class); }

void Keeper::attend(ObjectReference object) {
  if (!is_alive(object.index) ||
      segment_.object(object.index).id.load(std::memory_order_relaxed) != object.id.value())
    return;
  if (is_channel(object.index)) move_dead_letters(view_of(object.index));
  retire_if_unused(object.index);
}

/// Whether a message that is not read yet, or a channel that sends its dead letters there, names an object.
bool Keeper::is_named(std::uint32_t object) const {
  if (segment_.object(object).carried.load(std::memory_order_seq_cst) == 0) return false;
  const std::uint64_t id = segment_.object(object).id.load(std::memory_order_relaxed);
  for (std::uint32_t other = 0; other < objects_used_; ++other) {
    if (other == object || !is_channel(other)) continue;
    const RingView view = view_of(other);
    if (view.header().dead_letters == id) return true;
    if (view.header().carries_handles.load(std::memory_order_seq_cst) == 0) continue;
    // The number of blocks last: a message can only be in one that is counted when it is put.
    const std::uint32_t blocks = view.capacity() + view.header().port_count.load(std::memory_order_seq_cst);
    for (std::uint32_t block = 0; block < blocks; ++block) {
      if (carries_handle(view, block, object)) return true;
    }
  }
  return false;
}

/// With all that is unused then: what its messages carried, or where its dead letters went. Works through a
/// list, since each of these may be the only one that names a next one.
void Keeper::retire_if_unused(std::uint32_t object) {
  std::vector<std::uint32_t> candidates{object};
  while (!candidates.empty()) {
    const std::uint32_t candidate = candidates.back();
    candidates.pop_back();
    if (!is_alive(candidate)) continue;
    bool named = false;
    const bool retired =
        retire_object(segment_.object(candidate), [&] { return named = is_named(candidate); });
    if (retired) {
      add_named_by(candidate, candidates);
      release_retired(candidate);
    }
    if (named) {
      unheld_.insert(candidate);
    } else {
      unheld_.erase(candidate);
    }
  }
}

void Keeper::add_named_by(std::uint32_t object, std::vector<std::uint32_t>& objects) const {
  if (segment_.object(object).is_stand_in.load(std::memory_order_relaxed) != 0) return;
  const RingView view = view_of(object);
  if (view.header().dead_letters != 0) objects.push_back(view.header().dead_letters_object);
  if (view.header().carries_handles.load(std::memory_order_seq_cst) == 0) return;
  const std::uint32_t blocks = view.capacity() + view.header().port_count.load(std::memory_order_relaxed);
  for (std::uint32_t block = 0; block < blocks; ++block) add_handles(view, block, objects);
}

void Keeper::retire_unheld() {
  for (const std::uint32_t object : std::exchange(unheld_, {})) retire_if_unused(object);
}

void Keeper::release_retired(std::uint32_t object) {
  DirectoryEntry& entry = segment_.object(object);
  if (entry.is_stand_in.load(std::memory_order_relaxed) != 0) {
    entry.id.store(0, std::memory_order_release);
    free_objects_.push_back(object);
    stand_ins_[object].reset();
    return;
  }
  const RingView view = view_of(object);
  const std::uint32_t ports = view.header().port_count.load(std::memory_order_relaxed);
  for (std::uint32_t block = 0; block < view.capacity() + ports; ++block) release_payload(view, block);
  std::erase_if(names_, [object](const auto& name) { return name.second == object; });
  for (std::uint32_t i = 0; first_ports + i * ports_per_chunk < ports; ++i) {
    const std::uint64_t chunk = view.header().port_chunks[i].load(std::memory_order_relaxed);
    arena_.release(chunk, ports_per_chunk * (sizeof(Port) + view.header().block_stride));
  }
  entry.id.store(0, std::memory_order_release);
  arena_.release(entry.offset, entry.bytes);
  free_objects_.push_back(object);
}

}  // namespace wyvern
