#include <gtest/gtest.h>

#include "transport/remote_peer.hpp"

// The tests; or one of the processes that they talk to.
int main(int argc, char** argv) {
  if (const auto status = wyvern::test::play_if_remote_peer(argc, argv)) return *status;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
