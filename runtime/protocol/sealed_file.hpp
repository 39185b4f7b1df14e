#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>

/// Bytes that one process hands to another as a descriptor, in a memfd that neither can change any more.
namespace wyvern::control {

/// `name` is what the kernel shows, `what` what errors call it. Throws OutOfMemory.
FileDescriptor make_sealed_file(const char* name, std::span<const std::byte> bytes, const char* what);
/// Whether it is such a file: its size cannot change either.
bool is_sealed_file(int fd);
/// What is in it. Throws Malformed if it is none, or has more than `most` bytes.
std::vector<std::byte> read_sealed_file(int fd, std::size_t most);

}  // namespace wyvern::control
