#include "bench/queue/systems/boost_queue.hpp"

#include <string>
#include <vector>

#include "bench/queue/systems/shared_name.hpp"

namespace wyvern::bench {
namespace {

namespace ipc = boost::interprocess;

std::string name_of_direction(const QueueOrder& order, std::uint32_t direction) {
  return order.name + std::to_string(direction);
}

class BoostQueues : public Resources {
 public:
  explicit BoostQueues(QueueOrder& order) {
    order.name = unused_name();
    for (std::uint32_t i = 0; i < order.work.shape.directions; ++i) {
      names_.push_back(name_of_direction(order, i));
      const ipc::message_queue made(ipc::create_only, names_.back().c_str(), same_capacity_as_ours,
                                    order.work.shape.bytes);
    }
  }
  ~BoostQueues() override {
    for (const std::string& name : names_) ipc::message_queue::remove(name.c_str());
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

BoostQueueEndpoint::BoostQueueEndpoint(const QueueOrder& order, const Scratch&)
    : outgoing_(ipc::open_only, name_of_direction(order, order.work.outgoing).c_str()),
      incoming_(ipc::open_only, name_of_direction(order, order.work.incoming).c_str()) {}

std::unique_ptr<Resources> make_boost_queues(QueueOrder& order) {
  return std::make_unique<BoostQueues>(order);
}

}  // namespace wyvern::bench
