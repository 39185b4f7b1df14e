#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <wyvern/transport/remote_read.hpp>

namespace wyvern {

/// Which peer has an epoch: looked up for each message. Epochs are random, so they are their own hashes; what
/// does not stand at its place stands right behind, without a gap.
class PeerIndex {
 public:
  static constexpr PeerNumber nobody = ~PeerNumber{0};

  std::size_t size() const { return size_; }

  PeerNumber find(std::uint64_t epoch) const {
    for (std::size_t i = epoch & mask();; i = (i + 1) & mask()) {
      const Entry& entry = entries_[i];
      if (entry.epoch == epoch || entry.peer == nobody) return entry.peer;
    }
  }

  /// An epoch that is not there yet. When it throws std::bad_alloc nothing has changed.
  void add(std::uint64_t epoch, PeerNumber peer) {
    if (2 * (size_ + 1) > entries_.size()) grow();
    put({.epoch = epoch, .peer = peer});
    ++size_;
  }

  /// An epoch that is there.
  void remove(std::uint64_t epoch) {
    std::size_t gap = epoch & mask();
    while (entries_[gap].epoch != epoch) gap = (gap + 1) & mask();
    // What stands behind moves into the gap, unless it would stand before its place.
    for (std::size_t i = (gap + 1) & mask(); entries_[i].peer != nobody; i = (i + 1) & mask()) {
      const std::size_t from_place = (i - entries_[i].epoch) & mask();
      if (from_place < ((i - gap) & mask())) continue;
      entries_[gap] = entries_[i];
      gap = i;
    }
    entries_[gap] = {};
    --size_;
  }

 private:
  struct Entry {
    std::uint64_t epoch = 0;
    PeerNumber peer = nobody;
  };
  static constexpr std::size_t first_entries = 16;

  std::size_t mask() const { return entries_.size() - 1; }
  void put(const Entry& entry) {
    std::size_t i = entry.epoch & mask();
    while (entries_[i].peer != nobody) i = (i + 1) & mask();
    entries_[i] = entry;
  }
  void grow() {
    std::vector<Entry> former(2 * entries_.size());
    former.swap(entries_);
    for (const Entry& entry : former) {
      if (entry.peer != nobody) put(entry);
    }
  }

  std::vector<Entry> entries_ =
      std::vector<Entry>(first_entries);  // a power of two, at most half of them in use
  std::size_t size_ = 0;
};

}  // namespace wyvern
