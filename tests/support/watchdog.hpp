#pragma once

#include <chrono>

namespace wyvern::test {

/// A test case that takes longer hangs, and is ended: WYVERN_TEST_WATCHDOG seconds, or what suits the build.
std::chrono::seconds watchdog_limit();

}  // namespace wyvern::test
