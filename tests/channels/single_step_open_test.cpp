#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/object_hold.hpp>

#include "support/local_node.hpp"
#include "support/single_step.hpp"

// A process is killed, or stopped, before every instruction of opening a channel and letting it go: who holds
// it is known all the same, so it lives as long as it must and no longer.
namespace wyvern::test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t stride = 53;
constexpr std::size_t most_strayed = 100;  // percent: the sanitizer's allocator goes its own ways
#else
constexpr std::size_t stride = 1;
constexpr std::size_t most_strayed = 25;
#endif

constexpr std::size_t most_instructions = 10'000;
constexpr int status_of_lost = 1;

class StepOpen : public ::testing::Test {
 protected:
  /// A process that opens a channel and lets it go.
  struct Opener {
    std::shared_ptr<Member> member;
    SteppedChild child;
  };
  static Opener start(const std::shared_ptr<Member>& member, const ObjectReference& channel) {
    return {member, SteppedChild([&](SteppedPart& part) {
              try {
                part.begin();
                open(member, channel);  // and lets it go
                part.end();
              } catch (const QueueLost&) {
                return status_of_lost;
              }
              return 0;
            })};
  }

  static Channel open(const std::shared_ptr<Member>& member, const ObjectReference& channel) {
    return Channel::open(member, channel, raw_bytes_type_hash, raw_bytes_type_name);
  }
  static Channel create(const std::shared_ptr<Member>& member, const std::string& name) {
    return Channel::create(member, {.capacity = 1, .inline_size = 64, .name = name}, raw_bytes_type_hash,
                           raw_bytes_type_name);
  }

  /// What the agent does when a process asks for a channel and dies before it has opened it.
  ObjectReference create_for(const Member& member, const std::string& name) {
    const std::lock_guard lock(node_.keeper_mutex());
    ChannelSpec spec;
    spec.capacity = 1;
    spec.inline_size = 64;
    spec.type_hash = raw_bytes_type_hash;
    spec.type_name = raw_bytes_type_name;
    spec.name = name;
    return node_.keeper().create_channel(member.process_index(), spec);
  }

  bool is_there(const ObjectReference& channel) const {
    const DirectoryEntry& entry = node_.segment().object(channel.index);
    return entry.id.load() == channel.id.value() && object_phase(entry.state.load()) == ObjectPhase::alive;
  }
  bool has_name(const std::string& name) {
    const auto looker = node_.join();
    const bool found = [&] {
      const std::lock_guard lock(node_.keeper_mutex());
      return node_.keeper().find_object(looker->process_index(), name).has_value();
    }();
    node_.bury(*looker);
    return found;
  }

  /// Calls `run` for each instruction of what an opener does; `run` brings one there with the function that
  /// it gets.
  template <class Run>
  void before_every_instruction(const char* title, Run run) {
    SteppedPath path;
    for (int i = 0; i < 2; ++i)  // the first one meets what happens once in a process
      run([&](SteppedChild& child) { path = child.walk(most_instructions); });
    std::size_t tried = 0;
    std::size_t strayed = 0;
    for (SteppedPlaces places(path.size(), stride); !places.has_ended() && !HasFailure(); places.advance()) {
      const std::size_t place = places.current();
      ++tried;
      SCOPED_TRACE(std::string(title) + " before instruction " + std::to_string(place));
      run([&](SteppedChild& child) { strayed += !child.go_to(path, place); });
    }
    std::printf("%s: %zu instructions, %zu tried, %zu strayed\n", title, path.size(), tried, strayed);
    EXPECT_LE(strayed * 100, tried * most_strayed) << "too many instructions were not seen";
  }

  OneCore one_core_;
  LocalNode node_;
};

TEST_F(StepOpen, killed_opener_holds_nothing_once_it_is_buried) {
  before_every_instruction("killed in open", [this](auto bring) {
    const auto owner = node_.join();
    Channel channel = create(owner, "opened");
    const ObjectReference reference = channel.reference();
    auto opener = start(node_.join(), reference);
    bring(opener.child);
    opener.child.kill();

    node_.bury(*opener.member);
    EXPECT_TRUE(is_there(reference)) << "its owner still has it";
    EXPECT_EQ(audit(node_.segment(), reference), "");

    channel = Channel();
    node_.bury(*owner);
    EXPECT_FALSE(is_there(reference));
    EXPECT_FALSE(has_name("opened"));
    EXPECT_EQ(audit_node(node_.segment()), "");
  });
}

TEST_F(StepOpen, killed_creator_leaves_no_channel_and_no_name) {
  before_every_instruction("killed in create", [this](auto bring) {
    const auto creator = node_.join();
    const ObjectReference reference = create_for(*creator, "created");
    auto opener = start(creator, reference);
    bring(opener.child);
    opener.child.kill();

    node_.bury(*creator);
    EXPECT_FALSE(is_there(reference));
    EXPECT_FALSE(has_name("created"));
    EXPECT_EQ(audit_node(node_.segment()), "");
  });
}

TEST_F(StepOpen, opener_that_is_stopped_while_the_channel_goes_has_it_or_finds_it_lost) {
  std::size_t had = 0;
  std::size_t lost = 0;
  before_every_instruction("stopped in open", [&, this](auto bring) {
    const auto owner = node_.join();
    Channel channel = create(owner, "going");
    const ObjectReference reference = channel.reference();
    auto opener = start(node_.join(), reference);
    bring(opener.child);
    channel = Channel();                   // the opener may be the only one that has it now
    Channel next = create(owner, "next");  // perhaps in the same place
    opener.child.let_go();
    const int status = opener.child.wait();
    EXPECT_TRUE(status == 0 || status == status_of_lost) << status;
    ++(status == 0 ? had : lost);
    node_.bury(*opener.member);

    EXPECT_FALSE(is_there(reference));
    EXPECT_FALSE(has_name("going"));
    EXPECT_TRUE(is_there(next.reference()));
    EXPECT_EQ(audit(node_.segment(), next.reference()), "");
    next = Channel();
    node_.bury(*owner);
    EXPECT_FALSE(has_name("next"));
    EXPECT_EQ(audit_node(node_.segment()), "");
  });
  EXPECT_NE(had, 0U);
  EXPECT_NE(lost, 0U);
}

}  // namespace
}  // namespace wyvern::test
