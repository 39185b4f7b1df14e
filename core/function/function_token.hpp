#pragma once

#include <cstdint>

namespace wyvern {

/// How a function is written into a message. It means something only to a program that has registered the
/// same function: one with the same executable or shared library in it, or the same name
/// (`RegisteredFunction`).
struct FunctionToken {
  /// The first 8 bytes of the GNU build-id of the image; or what `RegisteredFunction` makes of a name. 0: no
  /// image.
  std::uint64_t image = 0;
  /// Where in the image the function's trampoline begins.
  std::uint32_t offset = 0;
  /// A hash of the trampoline's signature: linkers may give functions with the same instructions the same
  /// address.
  std::uint32_t signature = 0;

  friend constexpr bool operator==(const FunctionToken&, const FunctionToken&) = default;
};
static_assert(sizeof(FunctionToken) == 16);

}  // namespace wyvern
