#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>

#include <wyvern/transport/call_watchdog.hpp>
#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/provider_table.hpp>

namespace wyvern {

/// How an endpoint is opened.
struct EndpointOptions {
  /// As in ProviderTraits::request or ::name; empty: chosen, see choose_provider.
  std::string provider = {};
  /// The address to listen on, a number or a name; empty: see default_address. Means nothing where nodes have
  /// no address of that kind (shm).
  std::string node = {};
  /// The port; empty: any.
  std::string service = {};
  /// Of calls that do not return, where the provider has such: ProviderTraits::sends_to_the_dead_return.
  CallWatchdogOptions watchdog = {};
};

/// The objects of libfabric that an endpoint consists of; closed from the last to the first.
struct FabricObjects {
  FabricLibrary::Info info;
  const ProviderTraits* traits = nullptr;
  std::string explanation;  ///< of the choice of the provider
  FabricObject<fid_fabric> fabric;
  FabricObject<fid_wait> wait_set;  ///< only with ProviderSleep::wait_set
  FabricObject<fid_domain> domain;
  FabricObject<fid_cq> completions;
  FabricObject<fid_av> addresses;
  FabricObject<fid_ep> endpoint;
  int descriptor = -1;          ///< readable when there may be completions; -1: there is none
  std::vector<std::byte> name;  ///< where the endpoint is reached

  bool needs(std::uint64_t mr_mode_bit) const {
    return (static_cast<std::uint64_t>(info->domain_attr->mr_mode) & mr_mode_bit) != 0;
  }
};

/// Opens and enables an endpoint for messages of at most `largest_message` bytes. Takes some milliseconds,
/// the first one in a process 100 to 300. Throws FabricError, or NotFound if there is no such provider here.
FabricObjects open_fabric_objects(const EndpointOptions& options, std::size_t largest_message);

/// Nobody can guess it, and no two are the same.
std::uint64_t random_number();

}  // namespace wyvern
