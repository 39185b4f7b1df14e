#include "transport/endpoint_path.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/faulty_endpoint.hpp>
#include <wyvern/transport/loopback_endpoint.hpp>
#include <wyvern/transport/provider_choice.hpp>

#include "support/sanitizers.hpp"
#include "transport/tested_providers.hpp"

namespace wyvern::test {
namespace {

constexpr ProviderTraits loopback_traits{.name = "loopback", .request = "loopback", .since = 0};

class LoopbackPath : public EndpointPath {
 public:
  const ProviderTraits& traits() const override { return loopback_traits; }
  bool reaches_processes() const override { return false; }
  OpenedEndpoint open() override { return open_at({}); }
  OpenedEndpoint open_where(const PeerAddress& former) override {
    return open_at({reinterpret_cast<const char*>(former.name.data()), former.name.size()});
  }
  bool can_return() const override { return true; }
  void kill(OpenedEndpoint& endpoint) override {
    network_.kill(dynamic_cast<LoopbackEndpoint&>(*endpoint.endpoint));
  }
  unsigned scaled(unsigned count) const override { return count; }

 protected:
  virtual OpenedEndpoint open_at(const std::string& place) {
    return {.under = nullptr, .endpoint = std::make_unique<LoopbackEndpoint>(network_, place)};
  }
  LoopbackNetwork network_;
};

/// With the faults that lose nothing.
class FaultyPath : public LoopbackPath {
 public:
  void kill(OpenedEndpoint& endpoint) override {
    network_.kill(dynamic_cast<LoopbackEndpoint&>(*endpoint.under));
  }

 protected:
  OpenedEndpoint open_at(const std::string& place) override {
    const FaultSettings mild{.seed = ++opened_, .retry = 0.1, .lost_poll = 0.1, .longest_delay = 5};
    OpenedEndpoint result{.under = std::make_unique<LoopbackEndpoint>(network_, place), .endpoint = nullptr};
    result.endpoint = std::make_unique<FaultyEndpoint>(*result.under, mild);
    return result;
  }

 private:
  std::uint64_t opened_ = 0;
};

class FabricPath : public EndpointPath {
 public:
  FabricPath(const std::string& provider, const ProviderTraits& traits)
      : traits_(traits), options_{.provider = provider, .node = node_for(provider)} {}
  const ProviderTraits& traits() const override { return traits_; }
  bool reaches_processes() const override { return true; }
  OpenedEndpoint open() override { return open_with(options_); }
  OpenedEndpoint open_where(const PeerAddress& former) override {
    sockaddr_in address{};
    if (former.name.size() != sizeof address)
      throw InvalidArgument("only places with an IPv4 address can be taken again");
    std::memcpy(&address, former.name.data(), sizeof address);
    EndpointOptions options = options_;
    options.service = std::to_string(ntohs(address.sin_port));
    return open_with(options);
  }
  bool can_return() const override { return traits_.reaches_other_nodes; }
  void kill(OpenedEndpoint&) override { std::abort(); }
  unsigned scaled(unsigned count) const override {
    if (traits_.request == "verbs") return std::max(1U, count / 10);
    return is_sanitized ? std::max(1U, count / 2) : count;
  }

 private:
  static OpenedEndpoint open_with(const EndpointOptions& options) {
    return {.under = nullptr, .endpoint = std::make_unique<FabricEndpoint>(options)};
  }

  const ProviderTraits& traits_;
  EndpointOptions options_;
};

}  // namespace

std::vector<const char*> endpoint_paths() {
  std::vector<const char*> paths = tested_providers();
  paths.insert(paths.begin(), {"loopback", "faulty"});
  return paths;
}

std::unique_ptr<EndpointPath> make_endpoint_path(const std::string& name) {
  if (name == "loopback") return std::make_unique<LoopbackPath>();
  if (name == "faulty") return std::make_unique<FaultyPath>();
  const FabricLibrary& library = FabricLibrary::get();
  try {
    const auto choice = choose_provider(list_offers(library), library.version(), name);
    return std::make_unique<FabricPath>(name, *choice.traits);
  } catch (const NotFound&) {
    return nullptr;
  }
}

}  // namespace wyvern::test
