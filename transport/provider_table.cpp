#include <array>

#include <rdma/fabric.h>

#include <wyvern/transport/provider_table.hpp>

namespace wyvern {
namespace {

constexpr std::uint32_t first = FI_VERSION(1, 17);  // older ones are refused
/// For all that it takes in at once, 1024 messages of 4096 bytes, and a rest: else it ends up in a state in
/// which it takes no buffers any more.
constexpr std::uint32_t shm_receive_buffers = 6;
constexpr std::string_view shm_limits =
    "reaches this node only, and a process that is killed can stop the others";

/// A message costs the kernel about as much whatever its size, and several small ones share it: four times as
/// many as in the 15 KiB that rxm takes unasked, twice the messages in a second. See
/// FabricLibrary::environment.
constexpr std::uint32_t tcp_eager = 60 << 10;

/// Who has sent something may have been killed before it rang.
constexpr std::chrono::milliseconds bell_limit(20);

constexpr std::array table{
    // Networks of the machine, fastest first.
    ProviderTraits{.name = "cxi",
                   .request = "cxi",
                   .since = FI_VERSION(1, 21),
                   .longest_sleep = std::chrono::milliseconds(100)},
    // Before 2.5 nothing ever wakes who sleeps.
    ProviderTraits{.name = "efa",
                   .request = "efa",
                   .since = first,
                   .before = FI_VERSION(2, 5),
                   .sleep = ProviderSleep::none,
                   .works_in_a_fork = false},
    ProviderTraits{.name = "efa", .request = "efa", .since = FI_VERSION(2, 5), .works_in_a_fork = false},
    // Linux takes commands for an RDMA device only from the process that has opened it: in a fork every send
    // would be FI_EAGAIN (seen over verbs). 1.17.0 and 1.18.0 keep a connection on which something has failed
    // for ever, whether or not its peer is removed; 1.17.1 and 1.18.1 do not, but say the same version.
    ProviderTraits{.name = "verbs;ofi_rxm",
                   .request = "verbs",
                   .since = first,
                   .before = FI_VERSION(1, 19),
                   .listens_on_loopback = false,
                   .connections_recover = false,
                   .works_in_a_fork = false},
    ProviderTraits{.name = "verbs;ofi_rxm",
                   .request = "verbs",
                   .since = FI_VERSION(1, 19),
                   .listens_on_loopback = false,
                   .works_in_a_fork = false},
    ProviderTraits{.name = "psm3", .request = "psm3", .since = first, .sleep = ProviderSleep::none},
    ProviderTraits{.name = "opx", .request = "opx", .since = first, .sleep = ProviderSleep::none},
    // TCP: with messages and remote reads of its own since 1.18, under rxm before. There 1.17 reports a read
    // of which a part has come twice when it is closed, the second time without saying which, and rxm follows
    // a null pointer.
    ProviderTraits{
        .name = "tcp",
        .request = "tcp",
        .since = FI_VERSION(1, 18),
        .before = FI_VERSION(1, 19),
        .use = ProviderUse::on_request,
        .why = "1.18.0 never sleeps after the first message; 1.18.1, which is right, says 1.18 too",
        .sends_are_bounded = false},
    ProviderTraits{.name = "tcp", .request = "tcp", .since = FI_VERSION(1, 19), .sends_are_bounded = false},
    ProviderTraits{.name = "tcp;ofi_rxm",
                   .request = "tcp",
                   .since = first,
                   .before = FI_VERSION(1, 18),
                   .closes_in_a_read = false,
                   .eager_bytes = tcp_eager},
    ProviderTraits{.name = "tcp;ofi_rxm",
                   .request = "tcp;ofi_rxm",
                   .since = FI_VERSION(1, 18),
                   .use = ProviderUse::on_request,
                   .why = "the provider tcp does the same without rxm in between",
                   .closes_in_a_read = false,
                   .eager_bytes = tcp_eager},
    ProviderTraits{.name = "net",
                   .request = "net",
                   .since = first,
                   .before = FI_VERSION(1, 18),
                   .use = ProviderUse::on_request,
                   .why = "a preview of what became the provider tcp in 1.18, and not mended since",
                   .sleep = ProviderSleep::wait_set,
                   .sends_are_bounded = false,
                   .eager_bytes = tcp_eager},
    // One node. Before 2.0 setting the smallest room in a receive buffer ends in a null pointer: it is 4096
    // bytes, our header included.
    ProviderTraits{.name = "shm",
                   .request = "shm",
                   .since = first,
                   .before = FI_VERSION(2, 0),
                   .use = ProviderUse::on_request,
                   .why = shm_limits,
                   .sleep = ProviderSleep::bell,
                   .longest_sleep = bell_limit,
                   .reaches_other_nodes = false,
                   .min_multi_recv_can_be_set = false,
                   .sends_to_the_dead_return = false,
                   .keys_are_checked = false,
                   .delivery_is_confirmed = false,
                   .receive_buffers = shm_receive_buffers,
                   .eager_bytes = 4096 - 16},
    ProviderTraits{.name = "shm",
                   .request = "shm",
                   .since = FI_VERSION(2, 0),
                   .use = ProviderUse::on_request,
                   .why = shm_limits,
                   .sleep = ProviderSleep::bell,
                   .longest_sleep = bell_limit,
                   .reaches_other_nodes = false,
                   .sends_to_the_dead_return = false,
                   .keys_are_checked = false,
                   .delivery_is_confirmed = false,
                   .receive_buffers = shm_receive_buffers,
                   .eager_bytes = 4096},
    // Not for us.
    ProviderTraits{.name = "net;ofi_rxm",
                   .request = "net;ofi_rxm",
                   .since = first,
                   .use = ProviderUse::never,
                   .why = "spins while it should sleep"},
    ProviderTraits{.name = "udp;ofi_rxd",
                   .request = "udp;ofi_rxd",
                   .since = first,
                   .use = ProviderUse::never,
                   .why = "has no buffers for several messages"},
    ProviderTraits{.name = "sockets",
                   .request = "sockets",
                   .since = first,
                   .use = ProviderUse::never,
                   .why = "deprecated, and starts three threads"},
};

}  // namespace

std::span<const ProviderTraits> provider_table() { return table; }

const ProviderTraits* find_provider_traits(std::string_view name, std::uint32_t version) {
  for (const ProviderTraits& traits : table) {
    if (traits.name == name && FI_VERSION_GE(version, traits.since) &&
        (traits.before == 0 || FI_VERSION_LT(version, traits.before)))
      return &traits;
  }
  return nullptr;
}

}  // namespace wyvern
