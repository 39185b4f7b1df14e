#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <vector>

#include <wyvern/core/error.hpp>
#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::test {

/// By which a child tells its parent some bytes: made before the child is.
class ChildPipe {
 public:
  ChildPipe() {
    int ends[2];
    if (::pipe(ends) != 0) throw Error(ErrorCode::spawn_failed, describe_errno("pipe", errno));
    read_ = FileDescriptor(ends[0]);
    write_ = FileDescriptor(ends[1]);
  }
  bool write(std::span<const std::byte> bytes) const {
    return ::write(write_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }
  /// For the parent: what the child has written at once; empty if it has ended.
  std::vector<std::byte> read() {
    write_.reset();
    std::vector<std::byte> bytes(4096);
    const ssize_t size = ::read(read_.get(), bytes.data(), bytes.size());
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }

 private:
  FileDescriptor read_;
  FileDescriptor write_;
};

}  // namespace wyvern::test
