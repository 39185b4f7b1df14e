#include <wyvern/core/error.hpp>
#include <wyvern/transport/peer_address.hpp>

#include "fuzz/input.hpp"

// Addresses of endpoints, which come from other nodes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    wyvern::decode_peer_address(wyvern::test::FuzzInput(data, size).rest());
  } catch (const wyvern::Error&) {
    return 0;  // no address, or one of another version
  }
  return 0;
}
