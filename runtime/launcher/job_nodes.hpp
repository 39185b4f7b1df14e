#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include <wyvern/runtime/agent/job_end.hpp>

namespace wyvern::launcher {

/// Decides how a job over several nodes comes to its end; does nothing itself. It is told what the agents say
/// and what becomes of them, and gives instructions. Nodes count from 1, which is the head's.
///
///   running --head returned--> returned --nobody awaited anywhere--> ending --all others gone--> others
///   ended
///      |                          |                                    ^                             |
///      +--node 1 ends or is gone--+------------------------------------+             node 1 over  <--+
///
/// A job of one node is one without others: nothing has to be said to its agent.
class JobNodes {
 public:
  using Clock = std::chrono::steady_clock;

  /// From EndNode until an agent says that nothing is left: what it takes itself at most, and a moment to say
  /// so.
  static constexpr std::chrono::seconds end_patience =
      agent::JobEnd::grace + agent::JobEnd::kill_patience + std::chrono::seconds(1);
  static constexpr std::chrono::seconds kill_patience =
      agent::JobEnd::kill_patience + std::chrono::seconds(1);

  struct Instruction {
    enum class Kind {
      say_head_returned,  ///< HeadReturned to that agent
      end_node,           ///< EndNode to that agent
      kill_node,          ///< the same with `kill`
      kill_agent,         ///< it does not heed EndNode: SIGKILL to it
      say_others_ended,   ///< OthersEnded to the agent of node 1
      report_death,       ///< the user is to know that the agent has died
    };
    Kind kind;
    std::uint32_t node;

    friend bool operator==(const Instruction&, const Instruction&) = default;
  };

  explicit JobNodes(std::uint32_t count) : nodes_(count) {}

  /// The agent of node 1 has said HeadReturned.
  void head_returned();
  /// An agent has said Awaited.
  void awaited(std::uint32_t node, bool any);
  /// The agent of node 1 has said JobEnds.
  void job_ends(bool kill, Clock::time_point now);
  /// An agent has said JobOver.
  void over(std::uint32_t node, std::int32_t status, Clock::time_point now);
  /// An agent's connection has ended.
  void gone(std::uint32_t node, Clock::time_point now);

  /// No node awaits anybody any more, as far as is known: all connections are to be looked at once more.
  bool wants_another_look() const;
  /// That was done, and there was nothing on any of them. So what all agents have said last held at the same
  /// time, and as only processes that are awaited count, nobody was left who could start one.
  void nothing_more_came(Clock::time_point now);

  /// When `time_passed` has something to do.
  std::optional<Clock::time_point> deadline() const;
  void time_passed(Clock::time_point now);

  /// What to do now, in this order. Each is given once.
  std::vector<Instruction> take_instructions();
  /// Nothing is left of any node.
  bool is_over() const;
  /// How the head has ended; none if the agent of node 1 has died before it could say so.
  std::optional<std::int32_t> head_status() const { return head_status_; }

 private:
  struct Node {
    std::optional<bool> awaits;  // what it said last
    bool told_to_end = false;
    bool told_to_kill = false;
    bool over = false;  // nothing is left on it
    bool gone = false;  // nor is its agent
    std::optional<Clock::time_point> deadline;
  };

  Node& node(std::uint32_t number) { return nodes_.at(number - 1); }
  void say(Instruction::Kind kind, std::uint32_t node) { instructions_.push_back({kind, node}); }
  void end_others(bool kill, Clock::time_point now);
  bool others_gone() const;
  void say_if_others_gone();

  std::vector<Node> nodes_;  // node 1 first
  std::vector<Instruction> instructions_;
  std::optional<std::int32_t> head_status_;
  bool head_returned_ = false;
  bool ends_ = false;  // all others were told to end
  bool said_others_ended_ = false;
};

}  // namespace wyvern::launcher
