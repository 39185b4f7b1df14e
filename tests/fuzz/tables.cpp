#include <wire_generated.h>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/flat_table.hpp>
#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/core/error.hpp>

#include "fuzz/input.hpp"

// Tables between guest and home, a hello behind its tag included.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wyvern::wire;
  static const wyvern::JobKey key = wyvern::JobKey::make();
  wyvern::test::FuzzInput input(data, size);
  const std::size_t which = input.choose(5);
  try {
    switch (which) {
      case 0: decode_open(input.rest()); break;
      case 1: decode_opened(input.rest()); break;
      case 2: decode_refused(input.rest()); break;
      case 3: read_hello(key, {}, input.rest()); break;
      default: {
        const VerifiedTable<Hello> hello(input.rest(), "a hello");
        if (hello->home() == nullptr || hello->guest() == nullptr) __builtin_trap();
      }
    }
  } catch (const wyvern::Error&) {
    return 0;  // which is what most bytes are
  }
  return 0;
}
