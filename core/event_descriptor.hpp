#pragma once

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern {

/// An eventfd: by it a thread that sleeps on descriptors is woken by others of its process. Rings that come
/// before it is cleared are one. Thread-safe.
class EventDescriptor {
 public:
  /// Throws OutOfMemory.
  EventDescriptor();

  /// Makes it readable. Never waits.
  void ring() const;
  /// It is not readable any more, until the next ring.
  void clear() const;
  int get() const { return descriptor_.get(); }

 private:
  FileDescriptor descriptor_;
};

}  // namespace wyvern
