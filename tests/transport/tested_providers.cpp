#include "transport/tested_providers.hpp"

#include <cstdlib>

namespace wyvern::test {
namespace {

const char* verbs_node() { return std::getenv("WYVERN_TEST_VERBS_NODE"); }

}  // namespace

std::vector<const char*> and_verbs_if_tested(std::vector<const char*> providers) {
  if (verbs_node() != nullptr) providers.push_back("verbs");
  return providers;
}

std::vector<const char*> tested_providers() { return and_verbs_if_tested({"tcp", "net", "shm"}); }

std::string node_for(const std::string& provider) { return provider == "verbs" ? verbs_node() : "127.0.0.1"; }

}  // namespace wyvern::test
