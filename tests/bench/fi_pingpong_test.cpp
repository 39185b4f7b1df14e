#include "bench/transport/fi_pingpong.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace wyvern::bench {
namespace {

TEST(FiPingpongTest, its_latency_is_found_by_the_column_s_name) {
  EXPECT_DOUBLE_EQ(
      fi_pingpong_usec("bytes   #sent   #ack     total       time     MB/sec    usec/xfer   Mxfers/sec\n"
                       "64      1k      =1k      125k        0.01s     12.87       4.97       0.20\n"),
      4.97);
  EXPECT_DOUBLE_EQ(fi_pingpong_usec("a warning\nbytes usec/xfer\n64 1.5\n"), 1.5);
}

TEST(FiPingpongTest, an_output_without_result_is_an_error_that_shows_it) {
  try {
    fi_pingpong_usec("fi_getinfo(): common/shared.c:1158, ret=-61 (No data available)\n");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("No data available"), std::string::npos) << error.what();
  }
  EXPECT_THROW(fi_pingpong_usec(""), std::runtime_error);
}

}  // namespace
}  // namespace wyvern::bench
