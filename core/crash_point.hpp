#pragma once

#include <cstdint>

/// A named place at which a test can kill or stop the process: CRASH_POINT("put.published"). Compiled to
/// nothing in the library that users get; the tests link a second build of the layers with
/// WYVERN_CRASH_POINTS defined.
#ifdef WYVERN_CRASH_POINTS
#define CRASH_POINT(name) ::wyvern::visit_crash_point(name)
#else
#define CRASH_POINT(name) static_cast<void>(0)
#endif

namespace wyvern {

/// Raises `signal` in this process at the `visit`-th passage (from 1) of the point; a null name disarms.
void arm_crash_point(const char* name, std::uint32_t visit, int signal);
/// Calls `report` with the name of each point that is passed, in place of an armed one; null ends that.
void observe_crash_points(void (*report)(const char* name));
void visit_crash_point(const char* name);

}  // namespace wyvern
