#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <rdma/fi_errno.h>

#include <wyvern/transport/fabric_setup.hpp>

namespace wyvern::bench {

/// Libfabric used directly: what everything that is built on it is compared with. Its objects are opened as
/// Wyvern's endpoint opens them; what happens for each message is libfabric's calls and nothing else.
class BareFabric {
 public:
  /// Throws FabricError; NotFound if there is no such provider.
  explicit BareFabric(const std::string& provider, std::size_t message_bytes = 0)
      : objects_(open_fabric_objects({.provider = provider}, message_bytes)) {}

  const FabricObjects& objects() const { return objects_; }
  fid_ep* endpoint() const { return objects_.endpoint.get(); }
  fi_addr_t partner() const { return partner_; }

  /// Before memory goes that is posted: nothing touches it any more.
  void close() { objects_.endpoint.reset(); }

  /// `name`: what is in the other one's objects().name.
  void connect(std::span<const std::byte> name);

  /// Of a call that begins something: false if that is to be tried again after a poll. Throws FabricError.
  static bool has_begun(std::int64_t result, const char* what) {
    if (result == 0) return true;
    if (result != -FI_EAGAIN) FabricLibrary::get().check(result, what);
    return false;
  }
  /// Calls `on_completion(entry)` for some of the completions that there are, and returns how many. Throws
  /// FabricError for one with an error.
  template <class OnCompletion>
  std::size_t poll(OnCompletion&& on_completion) {
    constexpr std::size_t at_once = 16;
    std::array<fi_cq_data_entry, at_once> entries;
    const std::int64_t count = ::fi_cq_read(objects_.completions.get(), entries.data(), entries.size());
    if (count == -FI_EAGAIN) return 0;
    if (count < 0) fail(count);
    for (std::int64_t i = 0; i < count; ++i) on_completion(entries[static_cast<std::size_t>(i)]);
    return static_cast<std::size_t>(count);
  }
  /// Right before sleeping on the descriptor, after a poll that found nothing: false means poll again.
  bool may_sleep();

 private:
  [[noreturn]] void fail(std::int64_t result);

  FabricObjects objects_;
  fi_addr_t partner_ = FI_ADDR_UNSPEC;
};

}  // namespace wyvern::bench
