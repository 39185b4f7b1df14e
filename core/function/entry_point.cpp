#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <wyvern/core/error.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/function/image.hpp>
#include <wyvern/core/type_name.hpp>

namespace wyvern {
namespace {

/// Stands at the start of an encoded entry; the arguments follow.
struct EntryHeader {
  /// Of everything behind this field.
  std::uint64_t checksum = 0;
  FunctionToken trampoline;
  /// The function itself, if it is a function pointer; otherwise 0.
  std::uint64_t image = 0;
  std::uint32_t offset = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(EntryHeader) == 40 && std::is_trivially_copyable_v<EntryHeader>);

std::uint64_t checksum_of(std::span<const std::byte> entry) {
  const auto covered = entry.subspan(sizeof(EntryHeader::checksum));
  return hash_text({reinterpret_cast<const char*>(covered.data()), covered.size()});
}

}  // namespace

namespace detail {

void begin_entry(std::vector<std::byte>& bytes, const FunctionRecord& trampoline, void (*function)()) {
  EntryHeader header;
  header.trampoline = trampoline.token;
  ImageAddress place;
  if (function != nullptr) {
    place = locate(reinterpret_cast<const void*>(function));
    header.image = place.image;
    header.offset = place.offset;
  }
  if (trampoline.token.image == 0 || (function != nullptr && place.image == 0)) {
    throw InvalidArgument(
        "no process can be started on this function, because the program or shared library that it is in has "
        "no "
        "build-id: link with -Wl,--build-id");
  }
  encode_to(bytes, header);
}

void finish_entry(std::vector<std::byte>& bytes) {
  const std::uint64_t checksum = checksum_of(bytes);
  std::memcpy(bytes.data(), &checksum, sizeof checksum);
}

}  // namespace detail

int run_entry(std::span<const std::byte> bytes, const std::function<void()>& ready) {
  const auto refuse = [&](const std::string& problem) {
    throw DecodeError(
        "cannot start a process on these " + std::to_string(bytes.size()) + " bytes: " + problem,
        std::vector<std::byte>(bytes.begin(), bytes.end()));
  };
  if (bytes.size() < sizeof(EntryHeader)) refuse("they are too few");
  const auto header = decode_from<EntryHeader>(bytes.first(sizeof(EntryHeader)));
  if (header.checksum != checksum_of(bytes)) refuse("the checksum is wrong");

  const auto& trampoline =
      detail::FunctionRegistry::instance().look_up(header.trampoline, detail::entry_signature);
  detail::EntryCall call{
      .function = nullptr, .arguments = bytes.subspan(sizeof(EntryHeader)), .ready = ready};
  if (header.image != 0) {
    const auto code = detail::find_code({.image = header.image, .offset = header.offset});
    if (!code) {
      throw UnknownFunction(
          "the function to start a process on is not in this program: its image has build-id " +
          detail::describe_image(header.image) + "...; run the same build everywhere");
    }
    call.function = reinterpret_cast<void (*)()>(const_cast<void*>(*code));
  }
  return reinterpret_cast<detail::EntryTrampoline*>(trampoline.code)(call);
}

}  // namespace wyvern
