#pragma once

#include <memory>
#include <string>
#include <vector>

#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/peer_address.hpp>
#include <wyvern/transport/provider_table.hpp>

namespace wyvern::test {

/// An endpoint, and the one that it wraps if it is one that wraps another.
struct OpenedEndpoint {
  std::unique_ptr<Endpoint> under;
  std::unique_ptr<Endpoint> endpoint;
};

/// A way to have endpoints: what the suite of all endpoints is run over.
class EndpointPath {
 public:
  EndpointPath() = default;
  EndpointPath(const EndpointPath&) = delete;
  EndpointPath& operator=(const EndpointPath&) = delete;
  virtual ~EndpointPath() = default;

  virtual const ProviderTraits& traits() const = 0;
  /// Peers may be in other processes. If not, they are played in the test's.
  virtual bool reaches_processes() const = 0;
  virtual OpenedEndpoint open() = 0;
  /// Where another endpoint was that is gone; only if `can_return()`.
  virtual OpenedEndpoint open_where(const PeerAddress& former) = 0;
  virtual bool can_return() const = 0;
  /// As if its process was killed; only if peers are played in the test's process.
  virtual void kill(OpenedEndpoint& endpoint) = 0;
  /// What a test does a hundred thousand times is done so many times: less where the device is emulated, or
  /// the program is for a sanitizer.
  virtual unsigned scaled(unsigned count) const = 0;
};

/// All that the suite is run over: "loopback", "faulty" (loopback with mild faults), and tested_providers().
std::vector<const char*> endpoint_paths();

/// Null if the provider is not offered here.
std::unique_ptr<EndpointPath> make_endpoint_path(const std::string& name);

}  // namespace wyvern::test
