#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <rdma/fi_cm.h>
#include <rdma/fi_errno.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/fabric_setup.hpp>
#include <wyvern/transport/process_state.hpp>
#include <wyvern/transport/provider_choice.hpp>

namespace wyvern {
namespace {

/// Completions that may wait to be read: sends and messages together.
constexpr std::size_t completion_queue_entries = 4096;

FabricLibrary::Info find_endpoint(const FabricLibrary& library, const ProviderOffer& offer,
                                  const std::string& node, const std::string& service) {
  const auto hints = endpoint_hints(library);
  hints->fabric_attr->prov_name = ::strdup(offer.provider.c_str());  // freed with the hints
  const auto list = library.find(*hints, node.empty() ? nullptr : node.c_str(),
                                 service.empty() ? nullptr : service.c_str());
  const fi_info* found = list.get();
  while (found != nullptr && !is_for_us(found->fabric_attr->name)) found = found->next;
  if (found == nullptr) {
    throw NotFound("provider " + offer.provider + " cannot listen on '" + node + "'" +
                   (!service.empty() ? " port " + service : "") +
                   ": name an address of this machine on a network that the provider can use");
  }
  return library.copy(*found);
}

void open_completions(const FabricLibrary& library, FabricObjects& objects) {
  fi_cq_attr attributes{};
  attributes.format = FI_CQ_FORMAT_DATA;
  attributes.size = completion_queue_entries;
  attributes.wait_obj = objects.traits->sleep == ProviderSleep::descriptor ? FI_WAIT_FD : FI_WAIT_NONE;
#if FI_MAJOR_VERSION < 2
  if (objects.traits->sleep == ProviderSleep::wait_set) {
    fi_wait_attr wait{};
    wait.wait_obj = FI_WAIT_FD;
    fid_wait* wait_set = nullptr;
    library.check(::fi_wait_open(objects.fabric.get(), &wait, &wait_set), "fi_wait_open");
    objects.wait_set.reset(wait_set);
    attributes.wait_obj = FI_WAIT_SET;
    attributes.wait_set = wait_set;
  }
#endif
  fid_cq* completions = nullptr;
  library.check(::fi_cq_open(objects.domain.get(), &attributes, &completions, nullptr), "fi_cq_open");
  objects.completions.reset(completions);
  fid* sleeps_on = objects.wait_set != nullptr                          ? &objects.wait_set->fid
                   : objects.traits->sleep == ProviderSleep::descriptor ? &completions->fid
                                                                        : nullptr;
  if (sleeps_on != nullptr)
    library.check(::fi_control(sleeps_on, FI_GETWAIT, &objects.descriptor), "FI_GETWAIT");
}

void open_endpoint(const FabricLibrary& library, FabricObjects& objects, std::size_t largest_message) {
  fi_av_attr attributes{};
  attributes.type = FI_AV_TABLE;
  fid_av* addresses = nullptr;
  library.check(::fi_av_open(objects.domain.get(), &attributes, &addresses, nullptr), "fi_av_open");
  objects.addresses.reset(addresses);
  fid_ep* endpoint = nullptr;
  library.check(::fi_endpoint(objects.domain.get(), objects.info.get(), &endpoint, nullptr), "fi_endpoint");
  objects.endpoint.reset(endpoint);
  library.check(::fi_ep_bind(endpoint, &addresses->fid, 0), "fi_ep_bind of the address vector");
  library.check(::fi_ep_bind(endpoint, &objects.completions->fid, FI_TRANSMIT | FI_RECV),
                "fi_ep_bind of the completion queue");
  if (objects.traits->min_multi_recv_can_be_set) {
    library.check(::fi_setopt(&endpoint->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &largest_message,
                              sizeof largest_message),
                  "FI_OPT_MIN_MULTI_RECV");
  }
  library.check(::fi_enable(endpoint), "fi_enable");
}

std::vector<std::byte> name_of(const FabricLibrary& library, fid_ep& endpoint) {
  std::vector<std::byte> name(256);
  std::size_t length = name.size();
  library.check(::fi_getname(&endpoint.fid, name.data(), &length), "fi_getname");
  name.resize(std::min(length, name.size()));
  return name;
}

}  // namespace

FabricObjects open_fabric_objects(const EndpointOptions& options, std::size_t largest_message) {
  const FabricLibrary& library = FabricLibrary::get();
  const SignalHandlersKept signals;
  const DescriptorsClosedOnExec descriptors;
  const auto offers = list_offers(library);
  ProviderChoice choice = choose_provider(offers, library.version(), options.provider);
  if (library.is_forked() && !choice.traits->works_in_a_fork) {
    throw FabricError(
        "no endpoint of provider " + offers[choice.offer].provider +
            " can be opened here: this process was forked by one that had loaded libfabric, and the "
            "network's device is that one's; start a program anew instead (exec), or ask for provider tcp",
        FI_EACCES);
  }
  FabricObjects objects;
  objects.traits = choice.traits;
  objects.explanation = std::move(choice.explanation);
  std::string node;
  std::string service;
  if (choice.traits->reaches_other_nodes) {
    node = options.node.empty() ? default_address(offers, offers[choice.offer].provider, *choice.traits)
                                : options.node;
    service = options.service;
  }
  objects.info = find_endpoint(library, offers[choice.offer], node, service);
  try {
    objects.fabric.reset(library.open(*objects.info->fabric_attr));
    fid_domain* domain = nullptr;
    library.check(::fi_domain(objects.fabric.get(), objects.info.get(), &domain, nullptr), "fi_domain");
    objects.domain.reset(domain);
    open_completions(library, objects);
    open_endpoint(library, objects, largest_message);
    objects.name = name_of(library, *objects.endpoint);
  } catch (const FabricError& error) {
    const char* what_to_try =
        error.fabric_errno() == FI_ENOMEM
            ? "; over RDMA it needs 32 MiB of locked memory: raise the limit (ulimit -l)"
            : "; name an address of this machine, and a port that is free";
    throw FabricError("no endpoint of provider " + offers[choice.offer].provider + " can be opened on '" +
                          node + "': " + error.what() + what_to_try,
                      error.fabric_errno());
  }
  return objects;
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  // 8 bytes come at once, or not at all on a kernel without entropy, which this is not for.
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    throw FabricError(describe_errno("getrandom", errno), FI_EOTHER);
  return number;
}

}  // namespace wyvern
