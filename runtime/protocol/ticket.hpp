#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wyvern::control {

/// Environment variables by which a process finds the job it belongs to: the name of its agent's socket, and
/// its ticket.
inline constexpr const char* agent_variable = "WYVERN_AGENT";
inline constexpr const char* ticket_variable = "WYVERN_TICKET";
/// How much shared memory a node may use, for a program that is run directly; see memory_size.hpp.
inline constexpr const char* memory_variable = "WYVERN_MEMORY";
/// Whether the nodes of a job that is begun get control groups; see job_cgroup.hpp.
inline constexpr const char* cgroup_variable = "WYVERN_CGROUP";

/// Says which of the processes that the agent started this one (or the one that it comes from) is. Not a
/// secret: who may connect is decided by the user id. The key keeps variables of a former job from being
/// taken for this one's.
struct Ticket {
  std::uint64_t key = 0;
  std::uint32_t sequence = 0;  ///< of the process's puid

  friend bool operator==(const Ticket&, const Ticket&) = default;
};

/// "<key in 16 hex digits>:<sequence in decimal digits>".
std::string to_string(const Ticket& ticket);
std::optional<Ticket> parse_ticket(std::string_view text);

/// A name that no other agent uses: "wyvern-<user id>-<16 random hex digits>".
std::string new_socket_name();
/// From the kernel's random source.
std::uint64_t random_number();

}  // namespace wyvern::control
