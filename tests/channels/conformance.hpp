#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <wyvern/channels/queue.hpp>

#include "remote/serving_node.hpp"
#include "support/local_node.hpp"
#include "transport/tested_providers.hpp"

namespace wyvern::test {

/// What users are promised of queues, whichever way a process has to them: `here` is the handle of the
/// process that is tested, `there` that of another one, at the queue's home. The parameter is the way:
/// "local" (the same node), or the provider by which the home is reached.
class Conformance : public ::testing::TestWithParam<const char*> {
 protected:
  Conformance() { Member::set_current(here_); }
  ~Conformance() override {
    Member::set_current(nullptr);
    here_.reset();
  }

  template <class T>
  struct Ends {
    Queue<T> there;
    Queue<T> here;
  };
  template <class T>
  Ends<T> make(const QueueOptions& options = {}) const {
    Queue<T> there(home_->local, options);
    Queue<T> here = open_here(there);
    return {.there = std::move(there), .here = std::move(here)};
  }
  template <class T>
  Queue<T> open_here(const Queue<T>& queue) const {
    return open_as(here_, queue);
  }
  bool is_remote() const { return is_remote_; }
  /// A third node, which the others reach as node 3. Before anybody opens a queue of another node.
  ServingNode& add_node() {
    third_ = std::make_unique<ServingNode>(key_, provider_of(GetParam()), HomeOptions{}, 3);
    const NetworkPlan plan{.provider = provider_of(GetParam()),
                           .key = key_,
                           .addresses = {home_->address(), {}, third_->address()}};
    for (LocalNode* const node : {&home_->node, &guest_node_}) node->connect(plan);
    return *third_;
  }
  /// What the agent of the queues' home does a few times a second.
  void sweep() { home_->node.sweep(); }
  template <class T>
  std::string audit_of(const Queue<T>& queue) const {
    return audit(home_->node.segment(), queue.channel().reference());
  }

 private:
  static std::string provider_of(const std::string& way) { return way == "local" ? "net" : way; }

  bool is_remote_ = GetParam() != std::string("local");
  JobKey key_ = JobKey::make();
  std::unique_ptr<ServingNode> third_;
  std::unique_ptr<ServingNode> home_ = std::make_unique<ServingNode>(
      key_, provider_of(GetParam()), HomeOptions{.limits = {}, .watch = {}, .report = {}});
  LocalNode guest_node_{std::uint64_t{256} << 20, 2};
  std::shared_ptr<Member> here_ = join();

  std::shared_ptr<Member> join() {
    if (!is_remote_) return home_->node.join();
    guest_node_.connect({.provider = GetParam(), .key = key_, .addresses = {home_->address()}});
    return guest_node_.join();
  }
};

inline std::string way_name(const ::testing::TestParamInfo<const char*>& info) { return info.param; }
inline auto all_ways() { return ::testing::ValuesIn(and_verbs_if_tested({"local", "tcp", "net", "shm"})); }

}  // namespace wyvern::test
