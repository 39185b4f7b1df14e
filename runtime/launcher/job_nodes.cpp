#include <algorithm>
#include <utility>

#include <wyvern/runtime/launcher/job_nodes.hpp>

namespace wyvern::launcher {

using Kind = JobNodes::Instruction::Kind;

void JobNodes::head_returned() {
  if (std::exchange(head_returned_, true)) return;
  for (std::uint32_t number = 2; number <= nodes_.size(); ++number) {
    if (!node(number).over && !node(number).gone) say(Kind::say_head_returned, number);
  }
}

void JobNodes::awaited(std::uint32_t number, bool any) { node(number).awaits = any; }

void JobNodes::job_ends(bool kill, Clock::time_point now) { end_others(kill, now); }

void JobNodes::over(std::uint32_t number, std::int32_t status, Clock::time_point now) {
  node(number).over = true;
  node(number).deadline.reset();
  if (number != 1) return;
  head_status_ = status;
  if (!others_gone()) end_others(/*kill=*/true, now);  // it has not waited: nobody is left to be patient for
}

void JobNodes::gone(std::uint32_t number, Clock::time_point now) {
  Node& gone = node(number);
  if (std::exchange(gone.gone, true)) return;
  gone.deadline.reset();
  if (!gone.over && !gone.told_to_end) say(Kind::report_death, number);
  if (number == 1) end_others(/*kill=*/true, now);
  say_if_others_gone();
}

bool JobNodes::wants_another_look() const {
  return head_returned_ && !ends_ && std::ranges::all_of(nodes_, [](const Node& node) {
           return node.over || node.gone || node.awaits == false;
         });
}

void JobNodes::nothing_more_came(Clock::time_point now) {
  if (wants_another_look()) end_others(/*kill=*/false, now);
}

void JobNodes::end_others(bool kill, Clock::time_point now) {
  ends_ = true;
  for (std::uint32_t number = 2; number <= nodes_.size(); ++number) {
    Node& other = node(number);
    if (other.over || other.gone || other.told_to_kill || (other.told_to_end && !kill)) continue;
    other.told_to_end = true;
    other.told_to_kill = kill;
    other.deadline = now + (kill ? kill_patience : end_patience);
    say(kill ? Kind::kill_node : Kind::end_node, number);
  }
  say_if_others_gone();
}

bool JobNodes::others_gone() const {
  return std::all_of(nodes_.begin() + 1, nodes_.end(), [](const Node& node) { return node.gone; });
}

/// Not before the job ends: that all others have died is no reason to end it.
void JobNodes::say_if_others_gone() {
  if (nodes_.size() == 1 || !ends_ || !others_gone() || nodes_.front().over || nodes_.front().gone) return;
  if (!std::exchange(said_others_ended_, true)) say(Kind::say_others_ended, 1);
}

std::optional<JobNodes::Clock::time_point> JobNodes::deadline() const {
  std::optional<Clock::time_point> first;
  for (const Node& node : nodes_) {
    if (node.deadline && (!first || *node.deadline < *first)) first = node.deadline;
  }
  return first;
}

void JobNodes::time_passed(Clock::time_point now) {
  for (std::uint32_t number = 2; number <= nodes_.size(); ++number) {
    Node& other = node(number);
    if (!other.deadline || now < *other.deadline) continue;
    other.deadline.reset();
    say(Kind::kill_agent, number);
  }
}

std::vector<JobNodes::Instruction> JobNodes::take_instructions() { return std::exchange(instructions_, {}); }

bool JobNodes::is_over() const { return (nodes_.front().over || nodes_.front().gone) && others_gone(); }

}  // namespace wyvern::launcher
