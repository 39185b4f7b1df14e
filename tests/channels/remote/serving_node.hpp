#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <wyvern/channels/remote/foreign_homes.hpp>
#include <wyvern/channels/remote/home.hpp>
#include <wyvern/core/deadline.hpp>
#include <wyvern/core/job_key.hpp>
#include <wyvern/transport/endpoint.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {

/// A node with a home, which a thread serves. Messages there can carry handles of other nodes' queues once
/// the node is connected (LocalNode::connect).
class ServingNode {
 public:
  ServingNode(const JobKey& key, const std::string& provider, const HomeOptions& options,
              std::uint32_t number = 1)
      : ServingNode(key, std::make_unique<FabricEndpoint>(EndpointOptions{.provider = provider}), options,
                    number) {}
  ServingNode(const JobKey& key, std::unique_ptr<Endpoint> endpoint, HomeOptions options,
              std::uint32_t number = 1)
      : node(std::uint64_t{256} << 20, number),
        address_(endpoint->address()),
        home_(member_, std::move(endpoint), key, with_stand_ins(std::move(options))),
        thread_([this] { serve(); }) {}
  ~ServingNode() {
    foreign_.end();
    stop();
  }
  ServingNode(const ServingNode&) = delete;
  ServingNode& operator=(const ServingNode&) = delete;

  const std::vector<std::byte>& address() const { return address_; }
  /// As if the agent was stopped.
  void stop() {
    is_ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

  /// As if the agent was suspended, until `go_on`: its node's processes do all that needs no agent.
  void stand_still() { hold(true); }
  void go_on() { hold(false); }

  LocalNode node;
  std::shared_ptr<Member> local = node.join();

 private:
  using Task = std::function<void(Home&)>;

  HomeOptions with_stand_ins(HomeOptions options) {
    options.stand_ins = &foreign_;
    return options;
  }
  ObjectReference create_stand_in(std::shared_ptr<void> kept) {
    const std::lock_guard lock(node.keeper_mutex());
    return node.keeper().create_stand_in(member_->process_index(), std::move(kept));
  }
  void hold(bool is_to_stand) {
    is_to_stand_ = is_to_stand;
    wait_for([&] { return stands_ == is_to_stand; });
  }
  void serve() {
    while (!is_ending_) {
      stands_ = is_to_stand_.load();
      if (stands_) {
        std::this_thread::yield();
        continue;
      }
      std::vector<Task> tasks;
      {
        const std::lock_guard lock(mutex_);
        tasks.swap(tasks_);
      }
      for (const Task& task : tasks) task(home_);
      home_.poll(Deadline::Clock::now());
      std::this_thread::yield();
    }
  }

  std::vector<std::byte> address_;
  std::shared_ptr<Member> member_ = node.join();  // the home's
  std::mutex mutex_;
  std::vector<Task> tasks_;
  ForeignHomes foreign_{
      member_,
      {.create = [this](std::shared_ptr<void> kept) { return create_stand_in(std::move(kept)); },
       .tell =
           [this](Task task) {
             const std::lock_guard lock(mutex_);
             tasks_.push_back(std::move(task));
           }}};
  Home home_;
  std::atomic<bool> is_ending_ = false;
  std::atomic<bool> is_to_stand_ = false;
  std::atomic<bool> stands_ = false;
  std::thread thread_;
};

}  // namespace wyvern::test
