#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>

#include "fuzz/input.hpp"

// Messages: whatever the bytes are, they are a value or a DecodeError.
namespace wyvern::test {
struct Package {
  std::uint64_t number = 0;
  std::string text;
  std::vector<double> values;
  std::optional<std::pair<std::int32_t, std::string>> remark;
};

namespace {

template <class T>
void decode(std::span<const std::byte> bytes) {
  try {
    const T value = decode_from<T>(bytes);
    std::vector<std::byte> again;
    encode_to(again, value);
  } catch (const DecodeError&) {
    return;  // which is what most bytes are
  }
}

using Variant = std::variant<std::uint8_t, std::string, std::vector<std::uint16_t>>;
constexpr std::array decoders{
    &decode<Package>,
    &decode<std::string>,
    &decode<std::vector<std::vector<std::string>>>,
    &decode<std::map<std::string, std::set<std::uint32_t>>>,
    &decode<std::unordered_map<std::uint64_t, Package>>,
    &decode<std::vector<Variant>>,
    &decode<std::tuple<bool, std::unique_ptr<Package>, std::array<std::string, 3>>>,
};

}  // namespace
}  // namespace wyvern::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wyvern::test::FuzzInput input(data, size);
  const std::size_t which = input.choose(wyvern::test::decoders.size());
  wyvern::test::decoders[which](input.rest());
  return 0;
}
