#include <cstddef>
#include <utility>

#include <wyvern/channels/remote/loan_pool.hpp>

namespace wyvern {

LoanMemory LoanPool::take(std::size_t bytes) {
  for (std::size_t place = unused_.size(); place-- > 0;) {
    const std::size_t there = unused_[place].bytes.bytes().size();
    // One that is much too large would keep memory from others for little.
    if (there < bytes || there / 2 > bytes) continue;
    return remove(place);
  }
  return {.bytes = AlignedBytes(bytes)};
}

void LoanPool::give_back(LoanMemory memory) noexcept {
  const std::size_t bytes = memory.bytes.bytes().size();
  if (bytes < least_bytes || bytes > most_bytes) return;
  while (unused_.size() == most || bytes_ + bytes > most_bytes) remove(0);
  bytes_ += bytes;
  unused_.push_back(std::move(memory));
}

LoanMemory LoanPool::remove(std::size_t place) noexcept {
  LoanMemory memory = std::move(unused_[place]);
  unused_.erase(unused_.begin() + static_cast<std::ptrdiff_t>(place));
  bytes_ -= memory.bytes.bytes().size();
  return memory;
}

}  // namespace wyvern
