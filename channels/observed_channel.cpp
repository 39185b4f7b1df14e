#include <algorithm>
#include <bit>
#include <cstring>

#include <wyvern/channels/observed_channel.hpp>
#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/object_hold.hpp>
#include <wyvern/core/parker.hpp>

// The same memory as RingView's, for who trusts nothing of it and writes nothing to it. Loads are acquire
// unless something else is said: what is read later, and the last look at whether it is the same channel,
// comes later.
namespace wyvern {
namespace {

/// The constants of a channel, read once and found to be possible.
struct ChannelFrame {
  const ChannelHeader* header;
  std::uint32_t capacity;
  const SlotLine* slots;
  const Port* first_ports;

  SlotWord slot(std::uint32_t index) const {
    const std::uint32_t line =
        slot_line_place(index / slots_per_line, slot_lines(capacity) - 1, slot_fold(capacity));
    return SlotWord(slots[line].words[index % slots_per_line].load(std::memory_order_acquire));
  }
};

std::optional<ChannelFrame> frame_at(const ObservedSegment& segment, std::uint64_t offset) {
  const auto* header = segment.find<ChannelHeader>(offset);
  if (header == nullptr || header->magic != channel_magic) return std::nullopt;
  const std::uint32_t capacity = header->capacity;
  if (capacity == 0 || capacity > max_capacity) return std::nullopt;
  const ChannelFrame frame{.header = header,
                           .capacity = capacity,
                           .slots = segment.find<SlotLine>(header->slots_offset, slot_lines(capacity)),
                           .first_ports = segment.find<Port>(header->ports_offset, first_ports)};
  if (frame.slots == nullptr || frame.first_ports == nullptr) return std::nullopt;
  return frame;
}

/// How many operations of one side are over; as search_front finds it, which puts a hint right that is
/// behind.
std::optional<std::uint64_t> count_over(const ChannelFrame& frame, const std::atomic<std::uint64_t>& hint,
                                        bool putters) {
  Position at(hint.load(std::memory_order_acquire));
  // Each step passes a place for good: more than the ring has, and others work faster than we look.
  for (std::uint32_t step = 0; step <= frame.capacity; ++step) {
    if (at.index() >= frame.capacity) return std::nullopt;
    const SlotWord word = frame.slot(at.index());
    const std::int64_t laps_ahead = difference_modulo_ticket(word.lap(), at.lap());
    const bool own_is_over = putters && laps_ahead >= 0 && word.state() == SlotState::full;
    if (laps_ahead <= 0 && !own_is_over) break;
    const std::uint64_t lap = at.lap() + static_cast<std::uint64_t>(laps_ahead);
    at = Position(own_is_over ? lap : lap - 1, at.index()).next(frame.capacity);
  }
  return at.ticket(frame.capacity);
}

/// Of those that are registered, the ones that sleep.
std::uint32_t count_sleepers(const ObservedSegment& segment, const WaiterSet& waiters) {
  std::uint32_t count = 0;
  for (std::uint64_t words = waiters.summary.load(std::memory_order_acquire); words != 0;
       words &= words - 1) {
    const auto number = static_cast<std::uint32_t>(std::countr_zero(words));
    for (std::uint64_t bits = waiters.words[number].load(std::memory_order_acquire); bits != 0;
         bits &= bits - 1) {
      const auto parker = number * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      if (segment.parker(parker).state.load(std::memory_order_acquire) != parker_awake) ++count;
    }
  }
  return count;
}

void add_ports(const Port* ports, std::uint32_t count, ChannelFigures& figures) {
  for (const Port* port = ports; port != ports + count; ++port) {
    const PortOwner owner(port->owner.load(std::memory_order_acquire));
    if (owner.state() == PortState::given_back) ++figures.given_back;
    if (owner.state() == PortState::owned && SpareWord(port->spare.load(std::memory_order_acquire)).leased())
      ++figures.leased;
    figures.lost += FinishedWord(port->finished.load(std::memory_order_acquire)).lost();
  }
}

bool add_all_ports(const ObservedSegment& segment, const ChannelFrame& frame, ChannelFigures& figures) {
  add_ports(frame.first_ports, first_ports, figures);
  // Pairs with the agent's release once the chunk and where it is are there.
  const std::uint32_t ports = std::min(frame.header->port_count.load(std::memory_order_acquire), max_ports);
  for (std::uint32_t chunk = 0; first_ports + chunk * ports_per_chunk < ports; ++chunk) {
    const auto* of_chunk =
        segment.find<Port>(frame.header->port_chunks[chunk].load(std::memory_order_acquire), ports_per_chunk);
    if (of_chunk == nullptr) return false;
    add_ports(of_chunk, ports_per_chunk, figures);
  }
  return true;
}

bool is_channel(const DirectoryEntry& entry, std::uint64_t id) {
  return id != 0 && entry.id.load(std::memory_order_acquire) == id &&
         object_phase(entry.state.load(std::memory_order_acquire)) == ObjectPhase::alive &&
         entry.is_stand_in.load(std::memory_order_acquire) == 0;
}

}  // namespace

std::optional<ChannelFigures> observe_channel(const ObservedSegment& segment, std::uint32_t object) {
  const DirectoryEntry& entry = segment.object(object);
  const std::uint64_t id = entry.id.load(std::memory_order_acquire);
  if (!is_channel(entry, id)) return std::nullopt;
  const std::optional<ChannelFrame> frame = frame_at(segment, entry.offset);
  if (!frame) return std::nullopt;
  const ChannelHeader& header = *frame->header;

  ChannelFigures figures;
  figures.id = ObjectId(id);
  figures.name.assign(header.name, ::strnlen(header.name, channel_name_bytes));
  figures.type_name.assign(header.type_name, ::strnlen(header.type_name, channel_name_bytes));
  figures.capacity = frame->capacity;
  // Gets first: puts that are read later are never fewer.
  const auto gets = count_over(*frame, header.head, false);
  const auto puts = count_over(*frame, header.tail, true);
  if (!gets || !puts || !add_all_ports(segment, *frame, figures)) return std::nullopt;
  figures.gets = *gets;
  figures.puts = std::max(*puts, *gets);
  figures.depth = std::min<std::uint64_t>(figures.puts - figures.gets, frame->capacity);
  figures.waiting_getters = count_sleepers(segment, header.getters);
  figures.waiting_putters =
      count_sleepers(segment, header.putters) + count_sleepers(segment, header.payload_putters);
  figures.closed = header.closing.load(std::memory_order_acquire) != 0;
  figures.max_deliveries = header.max_deliveries;
  figures.dead_letters = ObjectId(header.dead_letters);
  // Was it the same channel all the time?
  if (!is_channel(entry, id)) return std::nullopt;
  return figures;
}

}  // namespace wyvern
