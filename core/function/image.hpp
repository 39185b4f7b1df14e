#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wyvern::detail {

// The executable and the shared libraries that are loaded in this process, known by their GNU build-ids. All
// functions are thread-safe and may be used before main.

/// A place in an image, the same in every process that has loaded the image.
struct ImageAddress {
  /// The first 8 bytes of the image's build-id; 0 when it has none.
  std::uint64_t image = 0;
  std::uint32_t offset = 0;
};

/// Where `address` is; an image of 0 when it is in no image, in one without build-id, or farther than 4 GiB
/// in it.
ImageAddress locate(const void* address);

/// The address of an instruction of a loaded image; nothing if the image is not loaded or has no code there.
std::optional<const void*> find_code(ImageAddress place);

bool is_image_loaded(std::uint64_t image);

/// The first 8 bytes of the build-id as hexadecimal digits, as `readelf -n` and `file` print them.
std::string describe_image(std::uint64_t image);

}  // namespace wyvern::detail
