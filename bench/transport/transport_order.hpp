#pragma once

#include <cstdint>
#include <string>

#include "bench/common/work_order.hpp"
#include "bench/transport/wait_mode.hpp"

namespace wyvern::bench {

/// What two processes pass messages with. Each is a class of the same form, a link: see EndpointLink.
enum class TransportSystem : std::uint8_t {
  endpoint,          ///< Wyvern's FabricEndpoint
  fabric,            ///< libfabric's calls
  fabric_same_bytes  ///< the same with as many bytes more as our header has
};

/// What a worker process gets as its argument.
struct TransportOrder {
  WorkOrder work = {};
  TransportSystem system = TransportSystem::endpoint;
  std::string provider = {};
  WaitMode wait = {};
};

}  // namespace wyvern::bench
