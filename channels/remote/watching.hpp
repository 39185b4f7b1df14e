#pragma once

#include <chrono>

#include <wyvern/transport/peer_watch.hpp>

namespace wyvern {

/// How agents watch, as homes, their guests: processes of other nodes, and agents that open queues for them.
inline constexpr PeerWatchOptions watch_of_guests{.interval = std::chrono::milliseconds(1200),
                                                  .is_in_step = true};

/// How guests watch the agents of other nodes, an agent that is one as any process: a little less often than
/// those do, which have more peers: they begin, and the guest answers. A node is known to be there before
/// anybody is told its address, and many guests may come to it at once, on a machine where all of them have
/// just started.
inline constexpr PeerWatchOptions watch_of_homes{.interval = watch_of_guests.interval * 5 / 4,
                                                 .first_answer_within = std::chrono::seconds(30)};

}  // namespace wyvern
