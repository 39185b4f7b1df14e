#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace wyvern {

/// Whether a provider is taken without being asked for.
enum class ProviderUse : std::uint8_t { by_itself, on_request, never };

/// How a thread sleeps until something comes for an endpoint.
enum class ProviderSleep : std::uint8_t {
  descriptor,  ///< of the completion queue, after fi_trywait
  wait_set,    ///< the same descriptor, but fi_trywait does not reset it: a wait set of our own does
  bell,        ///< nothing to sleep on of its own, but one machine: ShmBell
  none         ///< nothing to sleep on: short sleeps
};

/// What has to be known of a provider beyond what it says of itself (fi_info): the one table of that. Entries
/// hold from one version of libfabric up to, not including, another.
struct ProviderTraits {
  std::string_view name;     ///< as libfabric says it, for example "tcp;ofi_rxm"
  std::string_view request;  ///< what users call it, for example "tcp"
  std::uint32_t since;       ///< FI_VERSION
  std::uint32_t before = 0;  ///< FI_VERSION; 0: still so
  ProviderUse use = ProviderUse::by_itself;
  std::string_view why = {};  ///< it is not taken by itself
  ProviderSleep sleep = ProviderSleep::descriptor;
  std::chrono::milliseconds longest_sleep = std::chrono::hours(1);  ///< it may not wake who sleeps longer
  bool reaches_other_nodes = true;
  bool listens_on_loopback = true;        ///< else on addresses of its devices' interfaces only
  bool min_multi_recv_can_be_set = true;  ///< FI_OPT_MIN_MULTI_RECV, before the endpoint is enabled
  bool sends_are_bounded = true;          ///< says FI_EAGAIN when its queue is full; else it takes any number
  bool sends_to_the_dead_return = true;   ///< else a send to a process that was killed can spin for ever
  bool keys_are_checked = true;           ///< else a read gets what is there, whatever its key says
  bool delivery_is_confirmed = true;      ///< FI_DELIVERY_COMPLETE holds up nothing else
  bool connections_recover = true;  ///< else a peer with which one broke needs a new endpoint, here or there
  bool closes_in_a_read = true;     ///< else who closes an endpoint that reads from a peer crashes
  bool works_in_a_fork = true;      ///< of a process that has used it, without an exec in between
  std::uint32_t receive_buffers = 2;  ///< posted, of 1 MiB
  std::uint32_t most_sends = 256;     ///< that we have outstanding on an endpoint
  std::uint32_t eager_bytes = 15360;  ///< up to here a message is faster than a remote read
};

/// From the one that is taken first to the last.
std::span<const ProviderTraits> provider_table();
/// The entry of a provider with that version of libfabric; null if it is not known.
const ProviderTraits* find_provider_traits(std::string_view name, std::uint32_t version);

}  // namespace wyvern
