#pragma once

#include <cstdlib>
#include <memory>
#include <span>

#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/fabric_setup.hpp>

namespace wyvern {

/// Memory that libfabric knows.
class FabricMemory final : public RegisteredMemory {
 public:
  /// For reads by others, and as destination of own ones. Throws FabricError.
  static std::unique_ptr<FabricMemory> for_reads(const FabricObjects& objects, std::span<std::byte> memory);
  /// What fi_read wants to know of a destination.
  void* description() const { return ::fi_mr_desc(region_.get()); }

 private:
  FabricMemory(std::span<std::byte> memory, const RemoteMemory& remote, FabricObject<fid_mr> region)
      : RegisteredMemory(memory, remote), region_(std::move(region)) {}

  FabricObject<fid_mr> region_;
};

/// An endpoint's own memory for messages: whole pages, registered if the provider wants that.
class MessageMemory {
 public:
  MessageMemory(const FabricObjects& objects, std::size_t bytes);

  std::span<std::byte> bytes() const { return bytes_; }
  void* description() const { return region_ == nullptr ? nullptr : ::fi_mr_desc(region_.get()); }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  std::unique_ptr<std::byte, Free> pages_;
  std::span<std::byte> bytes_;
  FabricObject<fid_mr> region_;  // goes before the pages do
};

}  // namespace wyvern
