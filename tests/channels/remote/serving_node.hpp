#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/home.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/job_key.hpp>
#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {

/// A node with a home, which a thread serves.
class ServingNode {
 public:
  ServingNode(const JobKey& key, const std::string& provider, const HomeOptions& options)
      : ServingNode(key, std::make_unique<FabricEndpoint>(EndpointOptions{.provider = provider}), options) {}
  ServingNode(const JobKey& key, std::unique_ptr<Endpoint> endpoint, const HomeOptions& options)
      : address_(endpoint->address()),
        home_(node.join(), std::move(endpoint), key, options),
        thread_([this] { serve(); }) {}
  ~ServingNode() { stop(); }
  ServingNode(const ServingNode&) = delete;
  ServingNode& operator=(const ServingNode&) = delete;

  const std::vector<std::byte>& address() const { return address_; }
  /// As if the agent was stopped.
  void stop() {
    is_ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  LocalNode node;
  std::shared_ptr<Member> local = node.join();

 private:
  void serve() {
    while (!is_ending_) {
      home_.poll(Deadline::Clock::now());
      std::this_thread::yield();
    }
  }

  std::vector<std::byte> address_;
  Home home_;
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

}  // namespace wyvern::test
