#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <stop_token>
#include <vector>

#include <gtest/gtest.h>

#include "fiber_scene.hpp"

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

using namespace std::chrono_literals;

/// How many allocations there were in `work`, which was done once before.
template <class Work>
std::uint64_t allocations_in(Work&& work) {
  work();
  const std::uint64_t before = allocations;
  work();
  return allocations - before;
}

TEST(FiberAllocation, counter_counts) {
  EXPECT_EQ(allocations_in([] { delete new int(1); }), 1U);
}

TEST(FiberAllocation, switches_allocate_nothing) {
  bool over = false;
  Fiber other([&over] {
    while (!over) this_fiber::yield();
  });
  EXPECT_EQ(allocations_in([] {
              for (int i = 0; i < 1000; ++i) this_fiber::yield();
            }),
            0U);
  over = true;
}

TEST(FiberAllocation, making_and_joining_allocates_nothing) {
  EXPECT_EQ(allocations_in([] {
              for (int i = 0; i < 1000; ++i) Fiber([] { return 1; }).join();
            }),
            0U);
}

TEST(FiberAllocation, sleeping_allocates_nothing) {
  EXPECT_EQ(allocations_in([] {
              Fiber first([] { this_fiber::sleep_for(100us); });
              Fiber second([] { this_fiber::sleep_for(50us); });
            }),
            0U);
}

TEST(FiberAllocation, waits_and_wakes_allocate_nothing) {
  CoreNode node;
  const auto member = node.join();
  auto tokens = std::make_unique<Tokens>();
  std::uint64_t taken = 0;
  std::vector<Fiber<>> takers;
  for (int i = 0; i < 20; ++i) {
    takers.emplace_back([&] {
      while (tokens->take(member)) ++taken;
    });
  }
  EXPECT_EQ(allocations_in([&] {
              const std::uint64_t wanted = taken + 1000;
              while (taken < wanted) {
                tokens->put(node.segment());
                this_fiber::yield();
              }
              EXPECT_FALSE(tokens->take(member, Deadline::after(100us)));
            }),
            0U);
  tokens->close(node.segment());
}

TEST(FiberAllocation, wait_with_a_stop_token_allocates_nothing) {
  CoreNode node;
  const auto member = node.join();
  auto tokens = std::make_unique<Tokens>();
  const std::stop_source source;
  const std::stop_token token = source.get_token();
  EXPECT_EQ(allocations_in([&] {
              Fiber taker([&] { EXPECT_TRUE(tokens->take(member, WaitLimit(token))); });
              this_fiber::yield();
              tokens->put(node.segment());
            }),
            0U);
}

}  // namespace
}  // namespace wyvern::test
