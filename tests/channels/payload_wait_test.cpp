#include <cstddef>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/crash_point.hpp>

#include "support/local_node.hpp"

namespace wyvern::test {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// What takes the last slot just after a large put has claimed its extent; once.
Channel* intruder = nullptr;

void intrude(const char* point) {
  if (intruder == nullptr || std::strcmp(point, "payload.claimed") != 0) return;
  Channel& channel = *std::exchange(intruder, nullptr);
  channel.put(std::vector<std::byte>(1));
}

TEST(PayloadWait, large_put_that_lost_its_slot_goes_in_when_a_slot_is_free) {
  LocalNode node;
  auto large = Channel::create(node.join(), {.capacity = 1, .max_bytes = mebibyte}, raw_bytes_type_hash,
                               raw_bytes_type_name);
  auto small = Channel::open(node.join(), large.reference(), raw_bytes_type_hash, raw_bytes_type_name);
  intruder = &small;
  observe_crash_points(intrude);

  std::thread putter([&] { large.put(std::vector<std::byte>(mebibyte)); });
  const std::size_t first = small.get().size();
  const std::size_t second = small.get().size();
  putter.join();
  observe_crash_points(nullptr);

  EXPECT_EQ(first, 1U);
  EXPECT_EQ(second, mebibyte);
  EXPECT_EQ(audit(node.segment(), large.reference()), "");
}

}  // namespace
}  // namespace wyvern::test
