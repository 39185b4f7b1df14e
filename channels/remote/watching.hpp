#pragma once

#include <chrono>

#include <wyvern/transport/peer_watch.hpp>

namespace wyvern {

/// How the agents of a job watch each other and the processes of other nodes.
inline constexpr PeerWatchOptions watch_of_guests{.interval = std::chrono::milliseconds(1200),
                                                  .is_in_step = true};

/// How a process watches the agents of other nodes: a little less often than they do, which have more peers:
/// they begin, and it answers.
inline constexpr PeerWatchOptions watch_of_homes{.interval = watch_of_guests.interval * 5 / 4};

}  // namespace wyvern
