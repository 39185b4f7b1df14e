#include "bench/queue/systems/posix_queue.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "bench/queue/systems/shared_name.hpp"

namespace wyvern::bench {
namespace {

/// What an ordinary user may have (/proc/sys/fs/mqueue/msg_max).
constexpr long usual_capacity = 10;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), "posix: " + what);
}

std::string name_of_direction(const QueueOrder& order, std::uint32_t direction) {
  return "/" + order.name + std::to_string(direction);
}

FileDescriptor make_queue(const std::string& name, long messages, std::uint64_t bytes) {
  mq_attr attributes{};
  attributes.mq_maxmsg = messages;
  attributes.mq_msgsize = static_cast<long>(bytes);
  return FileDescriptor(::mq_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600, &attributes));
}

class PosixQueues : public Resources {
 public:
  explicit PosixQueues(QueueOrder& order) {
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_MSGQUEUE, &no_limit);  // root may; others have what is usual
    order.name = unused_name();
    for (std::uint32_t i = 0; i < order.work.shape.directions; ++i) {
      const std::string name = name_of_direction(order, i);
      FileDescriptor made =
          make_queue(name, static_cast<long>(same_capacity_as_ours), order.work.shape.bytes);
      if (!made) made = make_queue(name, usual_capacity, order.work.shape.bytes);
      if (!made)
        fail("mq_open of a queue for messages of " + std::to_string(order.work.shape.bytes) + " bytes");
      names_.push_back(name);
    }
  }
  ~PosixQueues() override {
    for (const std::string& name : names_) ::mq_unlink(name.c_str());
  }

 private:
  std::vector<std::string> names_;
};

FileDescriptor open_queue(const std::string& name, int mode) {
  FileDescriptor queue(::mq_open(name.c_str(), mode | O_CLOEXEC));
  if (!queue) fail("mq_open");
  return queue;
}

}  // namespace

PosixQueueEndpoint::PosixQueueEndpoint(const QueueOrder& order, const Scratch&)
    : outgoing_(open_queue(name_of_direction(order, order.work.outgoing), O_WRONLY)),
      incoming_(open_queue(name_of_direction(order, order.work.incoming), O_RDONLY)) {}

void PosixQueueEndpoint::send(std::span<const std::byte> message) {
  while (::mq_send(outgoing_.get(), reinterpret_cast<const char*>(message.data()), message.size(), 0) != 0) {
    if (errno != EINTR) fail("mq_send");
  }
}

void PosixQueueEndpoint::receive(std::span<std::byte> message) {
  ssize_t length = 0;
  do {
    length = ::mq_receive(incoming_.get(), reinterpret_cast<char*>(message.data()), message.size(), nullptr);
  } while (length < 0 && errno == EINTR);
  if (length < 0) fail("mq_receive");
  if (static_cast<std::size_t>(length) != message.size()) {
    throw std::runtime_error("posix: a message has another size");
  }
}

std::unique_ptr<Resources> make_posix_queues(QueueOrder& order) {
  return std::make_unique<PosixQueues>(order);
}

}  // namespace wyvern::bench
