#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_setup.hpp>

#include "transport/tested_providers.hpp"

// What only a machine with an RDMA device shows.
namespace wyvern::test {
namespace {

constexpr std::size_t largest_message = 1000;

class VerbsTest : public ::testing::TestWithParam<const char*> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VerbsTest);  // most machines have none

TEST_P(VerbsTest, device_is_taken_without_being_asked_for) {
  const FabricObjects objects = open_fabric_objects({.node = node_for(GetParam())}, largest_message);
  EXPECT_EQ(objects.traits->request, "verbs") << objects.explanation;
}

/// The one provider that shows whether everything that has to be registered is.
TEST_P(VerbsTest, every_way_of_registering_memory_is_demanded) {
  const FabricObjects objects =
      open_fabric_objects({.provider = GetParam(), .node = node_for(GetParam())}, largest_message);
  for (const int bit : {FI_MR_LOCAL, FI_MR_VIRT_ADDR, FI_MR_ALLOCATED, FI_MR_PROV_KEY})
    EXPECT_TRUE(objects.needs(static_cast<std::uint64_t>(bit))) << bit;
}

TEST_P(VerbsTest, address_of_the_device_is_found_without_being_named) {
  const FabricObjects objects = open_fabric_objects({.provider = GetParam()}, largest_message);
  EXPECT_FALSE(objects.name.empty());
  EXPECT_THROW(open_fabric_objects({.provider = GetParam(), .node = "192.0.2.1"}, largest_message), Error)
      << "that address is for documentation only";
}

INSTANTIATE_TEST_SUITE_P(Over, VerbsTest, ::testing::ValuesIn(and_verbs_if_tested({})),
                         [](const auto& provider) { return std::string(provider.param); });

}  // namespace
}  // namespace wyvern::test
