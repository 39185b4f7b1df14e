#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/channels/remote/home.hpp>
#include <wyvern/channels/remote/parker_bell.hpp>
#include <wyvern/core/event_descriptor.hpp>
#include <wyvern/transport/event_wait.hpp>

namespace wyvern {

/// A thread that serves a Home: it polls while there is something to do, spins as any waiting thread of the
/// node does, and sleeps until something comes from the network, a queue that a guest waits for has changed,
/// or somebody posts. From any thread.
class HomeServer {
 public:
  /// As Home; `requests` is called from the thread. Throws OutOfMemory.
  HomeServer(std::shared_ptr<Member> member, std::unique_ptr<Endpoint> endpoint, const JobKey& key,
             const HomeOptions& options);
  /// Ends the thread; the guests are lost. Who the thread may be waiting for (the member's agent link) must
  /// go on until then.
  ~HomeServer();
  HomeServer(const HomeServer&) = delete;
  HomeServer& operator=(const HomeServer&) = delete;

  /// Where others reach it.
  const std::vector<std::byte>& address() const { return address_; }
  /// Calls that from the thread, soon. It must not throw.
  void post(std::function<void(Home&)> task);

 private:
  void serve();
  bool work();
  void sleep();

  std::shared_ptr<Member> member_;
  std::function<void(const std::string&)> report_;
  std::vector<std::byte> address_;
  Endpoint& endpoint_;
  Home home_;
  EventDescriptor wake_;
  ParkerBell bell_;
  EventWait wait_;
  std::mutex mutex_;
  std::vector<std::function<void(Home&)>> tasks_;
  std::atomic<bool> has_tasks_ = false;
  std::atomic<bool> is_ending_ = false;
  std::thread thread_;
};

}  // namespace wyvern
