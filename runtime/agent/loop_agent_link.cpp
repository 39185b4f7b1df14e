#include <condition_variable>
#include <exception>
#include <mutex>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/loop_agent_link.hpp>

namespace wyvern::agent {

struct LoopAgentLink::Calls {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_closed = false;
};

LoopAgentLink::LoopAgentLink(EventLoop& loop, Keeper& keeper, const JobNames& names,
                             std::uint32_t process_index)
    : loop_(loop),
      keeper_(keeper),
      names_(names),
      process_index_(process_index),
      calls_(std::make_shared<Calls>()) {}

void LoopAgentLink::close() {
  const std::lock_guard lock(calls_->mutex);
  calls_->is_closed = true;
  calls_->ended.notify_all();
}

/// `task` is the caller's: it is called before the link is closed, or never.
void LoopAgentLink::call(const std::function<void()>& task) {
  bool is_over = false;
  std::exception_ptr failure;
  loop_.post([&, calls = calls_] {
    const std::lock_guard lock(calls->mutex);
    if (calls->is_closed) return;
    try {
      task();
    } catch (...) {
      failure = std::current_exception();
    }
    is_over = true;
    calls->ended.notify_all();
  });
  std::unique_lock lock(calls_->mutex);
  calls_->ended.wait(lock, [&] { return is_over || calls_->is_closed; });
  if (!is_over) throw NodeLost("this node comes to its end");
  if (failure) std::rethrow_exception(failure);
}

void LoopAgentLink::set_network(NetworkPlan plan) {
  const std::lock_guard lock(network_mutex_);
  network_ = std::move(plan);
}

std::optional<NetworkPlan> LoopAgentLink::network() {
  const std::lock_guard lock(network_mutex_);
  return network_;
}

ObjectReference LoopAgentLink::create_stand_in(std::shared_ptr<void> kept) {
  ObjectReference created;
  call([&] { created = keeper_.create_stand_in(process_index_, std::move(kept)); });
  return created;
}

ObjectReference LoopAgentLink::create_channel(const ChannelSpec& spec) {
  ObjectReference created;
  call([&] {
    names_.check_is_free(spec.name);
    created = keeper_.create_channel(process_index_, spec);
  });
  return created;
}

std::optional<ObjectReference> LoopAgentLink::find_object(const std::string& name) {
  std::optional<ObjectReference> found;
  call([&] { found = keeper_.find_object(process_index_, name); });
  return found;
}

void LoopAgentLink::grow_ports(ObjectReference channel) {
  call([&] { keeper_.grow_ports(channel); });
}

void LoopAgentLink::grow_extents(std::uint32_t size_class) {
  call([&] { keeper_.grow_extents(size_class); });
}

void LoopAgentLink::attend(ObjectReference object) noexcept {
  try {
    loop_.post([object, calls = calls_, &keeper = keeper_] {
      const std::lock_guard lock(calls->mutex);
      if (!calls->is_closed) keeper.attend(object);
    });
  } catch (const std::bad_alloc&) {
    // A hint: the agent's sweep finds the same a moment later.
  }
}

}  // namespace wyvern::agent
