#pragma once

#include <cstddef>
#include <span>

namespace wyvern {

/// An endpoint of the provider shm has 16 MiB in a file in /dev/shm, which stays when its process is killed.
/// Removes the one of the endpoint with that name (as fi_getname says) if its process has gone; true if it
/// did. For an endpoint of this machine and process id namespace.
bool remove_shm_leftover(std::span<const std::byte> name) noexcept;

}  // namespace wyvern
