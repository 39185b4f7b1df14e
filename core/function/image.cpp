#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string_view>

#include <wyvern/core/function/image.hpp>

namespace wyvern::detail {
namespace {

/// Calls `visit` for each image until it returns true. `visit` must not throw: the C library calls it.
template <class Visitor>
void for_each_image(Visitor visit) {
  dl_iterate_phdr([](dl_phdr_info* info, std::size_t,
                     void* visitor) { return (*static_cast<Visitor*>(visitor))(*info) ? 1 : 0; },
                  &visit);
}

std::size_t round_up(std::size_t size, std::size_t alignment) {
  return (size + alignment - 1) / alignment * alignment;
}

/// The id in one segment of notes, or 0.
std::uint64_t build_id_in(const std::byte* notes, std::size_t size, std::size_t alignment) {
  std::size_t at = 0;
  while (size - at >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) header;
    std::memcpy(&header, notes + at, sizeof header);
    const std::size_t name = at + sizeof header;
    const std::size_t description = at + round_up(sizeof header + header.n_namesz, alignment);
    const std::size_t end = description + header.n_descsz;
    if (end > size) return 0;
    if (header.n_type == NT_GNU_BUILD_ID && header.n_namesz == sizeof ELF_NOTE_GNU &&
        std::memcmp(notes + name, ELF_NOTE_GNU, sizeof ELF_NOTE_GNU) == 0) {
      std::uint64_t id = 0;
      std::memcpy(&id, notes + description, std::min<std::size_t>(sizeof id, header.n_descsz));
      return id;
    }
    at = std::min(round_up(end, alignment), size);
  }
  return 0;
}

/// The address lies in a segment of the image that has at least `flags`.
bool contains(const dl_phdr_info& info, std::uintptr_t address, ElfW(Word) flags) {
  return std::any_of(info.dlpi_phdr, info.dlpi_phdr + info.dlpi_phnum, [&](const ElfW(Phdr) & segment) {
    return segment.p_type == PT_LOAD && (segment.p_flags & flags) == flags &&
           address - (info.dlpi_addr + segment.p_vaddr) < segment.p_memsz;
  });
}

std::uint64_t build_id(const dl_phdr_info& info) {
  constexpr std::size_t wide_alignment = 8;  // any other stated alignment means 4, as the C library reads it
  for (std::size_t i = 0; i < info.dlpi_phnum; ++i) {
    const auto& segment = info.dlpi_phdr[i];
    const std::uintptr_t address = info.dlpi_addr + segment.p_vaddr;
    if (segment.p_type != PT_NOTE || !contains(info, address, PF_R)) continue;
    const auto* notes = reinterpret_cast<const std::byte*>(address);
    const auto id =
        build_id_in(notes, segment.p_memsz, segment.p_align == wide_alignment ? wide_alignment : 4);
    if (id != 0) return id;
  }
  return 0;
}

}  // namespace

ImageAddress locate(const void* address) {
  ImageAddress place;
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  for_each_image([&](const dl_phdr_info& info) {
    if (!contains(info, number, 0)) return false;
    const std::uintptr_t offset = number - info.dlpi_addr;
    if (offset <= std::numeric_limits<std::uint32_t>::max()) {
      place = {.image = build_id(info), .offset = static_cast<std::uint32_t>(offset)};
    }
    return true;
  });
  return place;
}

std::optional<const void*> find_code(ImageAddress place) {
  std::optional<const void*> found;
  for_each_image([&](const dl_phdr_info& info) {
    if (build_id(info) != place.image) return false;
    const std::uintptr_t address = info.dlpi_addr + place.offset;
    if (contains(info, address, PF_X)) found = reinterpret_cast<const void*>(address);
    return found.has_value();
  });
  return found;
}

bool is_image_loaded(std::uint64_t image) {
  bool loaded = false;
  for_each_image([&](const dl_phdr_info& info) { return loaded = build_id(info) == image; });
  return loaded;
}

std::string describe_image(std::uint64_t image) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < sizeof image; ++i) {
    const auto byte = static_cast<std::uint8_t>(image >> (8 * i));
    text += digits[byte >> 4U];
    text += digits[byte & 0xfU];
  }
  return text;
}

}  // namespace wyvern::detail
