#pragma once

#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/runtime.hpp>

/// The calling process, inside of `wyvern::run`. Outside, and in a plain fork, everything here throws
/// NotAMember.
namespace wyvern::this_process {

/// This process's id, unique in the job.
Puid puid();
/// The process that has started this one; none for the head.
Puid parent();
/// To make queues and processes without having been handed a runtime.
Runtime runtime();

}  // namespace wyvern::this_process
