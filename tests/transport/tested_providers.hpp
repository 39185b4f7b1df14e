#pragma once

#include <string>
#include <vector>

namespace wyvern::test {

/// Those that a test of every provider runs over, by the names that users request them by. Verbs is one of
/// them where WYVERN_TEST_VERBS_NODE is the address of an RDMA device.
std::vector<const char*> tested_providers();

/// Where an endpoint of that provider is to listen.
std::string node_for(const std::string& provider);

}  // namespace wyvern::test
