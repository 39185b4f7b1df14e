#include <cstdio>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_endpoint.hpp>
#include <wyvern/transport/fabric_error.hpp>

#include "support/child.hpp"
#include "transport/tested_providers.hpp"
#include "transport/two_endpoints.hpp"

// What is particular to endpoints of libfabric; what all endpoints do is in endpoint_*_test.cpp.
namespace wyvern::test {
namespace {

class FabricEndpointTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!is_offered(GetParam())) GTEST_SKIP() << "not offered by this libfabric";
  }
};
INSTANTIATE_TEST_SUITE_P(Over, FabricEndpointTest, ::testing::ValuesIn(tested_providers()),
                         [](const auto& provider) { return std::string(provider.param); });

TEST_P(FabricEndpointTest, address_with_a_name_of_another_length_is_refused) {
  TwoEndpoints endpoints(GetParam());
  PeerAddress torn = decode_peer_address(endpoints.b.endpoint.address());
  torn.epoch += 1;
  torn.name.pop_back();
  EXPECT_THROW(endpoints.a.endpoint.add_peer(encode_peer_address(torn)), DecodeError);
}

TEST_P(FabricEndpointTest, opens_in_a_forked_process_or_is_refused_as_the_table_says) {
  const EndpointSide here(GetParam());
  constexpr int opened = 10;
  constexpr int refused = 11;
  Child child([&] {
    try {
      const EndpointSide there(GetParam());
      return opened;
    } catch (const FabricError& error) {
      return std::string(error.what()).find("forked") != std::string::npos ? refused : 1;
    }
  });
  EXPECT_EQ(child.wait(), here.endpoint.traits().works_in_a_fork ? opened : refused);
}

TEST(FabricEndpoint, address_that_is_not_ours_is_an_error_that_names_it) {
  try {
    const FabricEndpoint endpoint({.provider = "tcp", .node = "192.0.2.1"});
    FAIL() << "that address is for documentation only";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("192.0.2.1"), std::string::npos) << error.what();
  }
}

/// How many descriptors a program has that is started now.
int inherited_descriptors() {
  const std::unique_ptr<FILE, int (*)(FILE*)> list(::popen("ls /proc/self/fd | wc -l", "r"), &::pclose);
  int count = -1;
  if (list == nullptr || std::fscanf(list.get(), "%d", &count) != 1) return -1;
  return count;
}

TEST(FabricEndpoint, descriptors_of_an_endpoint_are_closed_on_exec) {
  const int before = inherited_descriptors();
  ASSERT_GT(before, 0);
  const FabricEndpoint endpoint({.provider = "tcp"});
  EXPECT_EQ(inherited_descriptors(), before);
}

}  // namespace
}  // namespace wyvern::test
