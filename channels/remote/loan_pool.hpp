#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <wyvern/channels/aligned_bytes.hpp>
#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// What a message for another node is built in.
struct LoanMemory {
  AlignedBytes bytes = {};
  std::unique_ptr<RegisteredMemory> region = {};  ///< all of the bytes; null: not registered yet. Ends first
};

/// Memory of large messages that their homes have read, registered as it is, for the next ones: the kernel
/// would have to clear the pages of new memory, and the network to register them, for each message. Under the
/// lock of RemoteAccess.
class LoanPool {
 public:
  /// Smaller ones are not worth it.
  static constexpr std::size_t least_bytes = std::size_t{16} << 10;
  /// That are kept while nobody uses them.
  static constexpr std::size_t most_bytes = std::size_t{8} << 20;

  LoanPool() { unused_.reserve(most); }

  /// At least so much memory, not initialised. Throws OutOfMemory.
  LoanMemory take(std::size_t bytes);
  /// Nobody reads it any more. What was used longest ago makes room for it.
  void give_back(LoanMemory memory) noexcept;
  /// That nobody uses.
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t most = 64;

  LoanMemory remove(std::size_t place) noexcept;

  std::vector<LoanMemory> unused_;  // the last one used at the end: it may still be in the caches
  std::size_t bytes_ = 0;
};

}  // namespace wyvern
