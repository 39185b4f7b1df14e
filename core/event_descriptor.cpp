#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <wyvern/core/error.hpp>
#include <wyvern/core/event_descriptor.hpp>

namespace wyvern {

EventDescriptor::EventDescriptor() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!descriptor_) throw OutOfMemory(describe_errno("eventfd", errno));
}

void EventDescriptor::ring() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_.get(), &one, sizeof one);
}

void EventDescriptor::clear() const {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(descriptor_.get(), &count, sizeof count);
}

}  // namespace wyvern
