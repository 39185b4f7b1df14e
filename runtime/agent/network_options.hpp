#pragma once

#include <cstdint>
#include <string>

#include <wyvern/core/job_key.hpp>

namespace wyvern::agent {

/// What an agent has to know of a job of several nodes to take part in it.
struct NetworkOptions {
  std::string provider;     ///< as in ProviderTraits::request or ::name
  std::uint32_t nodes = 1;  ///< of the job, 1 to that
  JobKey key;               ///< the same on all nodes; who has it belongs to the job
};

}  // namespace wyvern::agent
