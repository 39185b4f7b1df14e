#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace wyvern {

/// A 64-bit identifier that is never given out twice in a job: `[system:12 | node:20 | sequence:32]`.
/// Nodes count from 1, so the first process of a job is 2^32 and no identifier looks like an operating-system
/// pid. `Tag` keeps identifiers of processes and of objects apart.
template <class Tag>
class Identifier {
 public:
  constexpr Identifier() = default;
  constexpr explicit Identifier(std::uint64_t value) : value_(value) {}
  /// `system` < 2^12, `node` < 2^20; higher bits are dropped.
  static constexpr Identifier make(std::uint32_t system, std::uint32_t node, std::uint32_t sequence) {
    return Identifier((std::uint64_t{system & 0xfffU} << 52) | (std::uint64_t{node & 0xfffffU} << 32) |
                      sequence);
  }

  constexpr std::uint64_t value() const { return value_; }
  constexpr std::uint32_t system() const { return static_cast<std::uint32_t>(value_ >> 52); }
  constexpr std::uint32_t node() const { return static_cast<std::uint32_t>(value_ >> 32) & 0xfffffU; }
  constexpr std::uint32_t sequence() const { return static_cast<std::uint32_t>(value_); }
  /// False for a default-constructed identifier, which names nothing.
  constexpr explicit operator bool() const { return value_ != 0; }

  friend constexpr auto operator<=>(Identifier, Identifier) = default;
  friend std::ostream& operator<<(std::ostream& out, Identifier id) { return out << id.value_; }

 private:
  std::uint64_t value_ = 0;
};

template <class Tag>
std::string to_string(Identifier<Tag> id) {
  return std::to_string(id.value());
}

/// The node of a job that has its head, which is sequence 0 there; other nodes have no sequence 0.
inline constexpr std::uint32_t head_node = 1;
/// The sequence of a node's agent where it acts as a process does, for other nodes: no process ever gets it.
inline constexpr std::uint32_t agent_sequence = ~std::uint32_t{0};

struct ProcessTag;
struct ObjectTag;
/// Globally unique process id. The head process of a job is 4294967296.
using Puid = Identifier<ProcessTag>;
/// Globally unique id of a queue or another shared object; its node is the object's home.
using ObjectId = Identifier<ObjectTag>;

}  // namespace wyvern

template <class Tag>
struct std::hash<wyvern::Identifier<Tag>> {
  std::size_t operator()(wyvern::Identifier<Tag> id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value());
  }
};
