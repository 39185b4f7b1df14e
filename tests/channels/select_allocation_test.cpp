#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include <gtest/gtest.h>

#include <wyvern/channels/select.hpp>
#include <wyvern/core/fiber/fiber.hpp>

#include "support/local_node.hpp"

namespace {

constinit thread_local std::uint64_t allocations = 0;

void* allocate(std::size_t bytes) {
  ++allocations;
  void* const memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t /*bytes*/) noexcept { std::free(memory); }

namespace wyvern::test {
namespace {

constexpr auto nothing = [](auto&&) {};

class SelectAllocation : public ::testing::Test {
 protected:
  LocalNode node_;
  std::shared_ptr<Member> member_ = node_.join();
  Queue<int> first_ = make_queue<int>(member_);
  Queue<int> second_ = make_queue<int>(member_);
};

TEST_F(SelectAllocation, select_that_finds_a_message_or_none_allocates_nothing) {
  const auto work = [&] {
    second_.put(1);
    EXPECT_EQ(select(on(first_, nothing), on(second_, nothing)), 1U);
    EXPECT_FALSE(try_select(on(first_, nothing), on(second_, nothing)));
  };
  work();
  const std::uint64_t before = allocations;
  for (int i = 0; i < 100; ++i) work();
  EXPECT_EQ(allocations, before);
  delete new int(1);
  EXPECT_NE(allocations, before) << "nothing is counted";
}

TEST_F(SelectAllocation, select_that_waits_allocates_nothing) {
  constexpr int rounds = 100;
  std::uint64_t at_first = 0;
  std::uint64_t at_last = 0;
  Fiber selecter([&] {
    for (int i = 0; i < rounds; ++i) {
      select(on(first_, nothing), on(second_, nothing));
      if (i == 1) at_first = allocations;  // either queue has been used once
    }
    at_last = allocations;
  });
  for (int i = 0; i < rounds; ++i) {
    this_fiber::yield();
    (i % 2 == 0 ? first_ : second_).put(i);
  }
  selecter.join();
  EXPECT_EQ(at_first, at_last);
}

}  // namespace
}  // namespace wyvern::test
