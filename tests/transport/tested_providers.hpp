#pragma once

#include <string>
#include <vector>

namespace wyvern::test {

/// Those, and verbs where WYVERN_TEST_VERBS_NODE is the address of an RDMA device; elsewhere a test has no
/// case over verbs.
std::vector<const char*> and_verbs_if_tested(std::vector<const char*> providers);
/// Those that a test of every provider runs over, by the names that users request them by.
std::vector<const char*> tested_providers();

/// Where an endpoint of that provider is to listen.
std::string node_for(const std::string& provider);

}  // namespace wyvern::test
