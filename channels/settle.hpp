#pragma once

#include <cstdint>

#include <wyvern/channels/ring.hpp>

namespace wyvern {

/// For the agent, about a port whose process the kernel has proved dead: decides whether the operation that
/// was in flight took effect, and leaves the port with exactly the block that it owns, its gets counted and
/// its lease, if it holds one, not reported done. Waits for nobody; other processes may be anywhere in their
/// own operations. One port at a time.
void settle_port(const RingView& view, std::uint32_t number);

/// Whether the operation that a port's intent and spare say is in flight took effect. For a port whose owner
/// lives the answer may be old at once, unless nothing can take effect any more, as behind the end of a
/// queue.
bool took_effect(const RingView& view, std::uint32_t number, IntentWord intent, SpareWord spare);

}  // namespace wyvern
