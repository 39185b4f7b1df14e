#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/peer_address.hpp>

namespace wyvern {
namespace {

constexpr std::uint32_t magic = 0x5244'5957;  // "WYDR"
constexpr std::uint16_t current_version = 2;
constexpr std::size_t max_name_bytes = 256;

/// What stands before the name.
struct Header {
  std::uint32_t magic;
  std::uint16_t version;
  std::uint16_t name_bytes;
  std::uint32_t protocol;
  std::uint32_t library_version;
  std::uint64_t epoch;
  std::array<char, 32> provider;  // ends with NUL
  std::uint32_t bell;
  std::uint32_t reserved;  // 0
};
static_assert(std::endian::native == std::endian::little, "the header is little-endian");
static_assert(offsetof(Header, epoch) == 16 && offsetof(Header, provider) == 24 && sizeof(Header) == 64);
static_assert(sizeof(Header) + max_name_bytes <= max_peer_address_bytes);

std::string what_it_speaks(const PeerAddress& address) {
  return address.provider + ", protocol " + std::to_string(address.protocol) + ", libfabric " +
         fabric_version_text(address.library_version);
}

}  // namespace

std::vector<std::byte> encode_peer_address(const PeerAddress& address) {
  Header header{.magic = magic,
                .version = current_version,
                .name_bytes = static_cast<std::uint16_t>(address.name.size()),
                .protocol = address.protocol,
                .library_version = address.library_version,
                .epoch = address.epoch,
                .provider = {},
                .bell = address.bell,
                .reserved = 0};
  if (address.provider.size() >= header.provider.size() || address.name.size() > max_name_bytes) {
    throw InvalidArgument("the address of an endpoint of provider '" + address.provider + "' takes " +
                          std::to_string(address.name.size()) + " bytes: at most " +
                          std::to_string(max_name_bytes) + " fit, and 31 of the provider's name");
  }
  std::ranges::copy(address.provider, header.provider.begin());
  std::vector<std::byte> bytes(sizeof header + address.name.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(address.name, bytes.begin() + sizeof header);
  return bytes;
}

PeerAddress decode_peer_address(std::span<const std::byte> bytes) {
  const auto refuse = [bytes](const std::string& why) {
    throw DecodeError(
        "these " + std::to_string(bytes.size()) + " bytes are not the address of an endpoint: " + why,
        {bytes.begin(), bytes.end()});
  };
  Header header{};
  if (bytes.size() < sizeof header) refuse("too few");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != magic) refuse("they begin otherwise");
  if (header.version != current_version) {
    throw VersionMismatch("the address of an endpoint is of version " + std::to_string(header.version) +
                          ", this program knows " + std::to_string(current_version) +
                          ": both sides need the same version of Wyvern");
  }
  if (header.name_bytes > max_name_bytes || bytes.size() != sizeof header + header.name_bytes)
    refuse("their length is another than they say");
  const auto end = std::ranges::find(header.provider, '\0');
  if (end == header.provider.begin() || end == header.provider.end()) refuse("they name no provider");
  const auto name = bytes.subspan(sizeof header);
  return {.provider = {header.provider.begin(), end},
          .protocol = header.protocol,
          .library_version = header.library_version,
          .epoch = header.epoch,
          .bell = header.bell,
          .name = {name.begin(), name.end()}};
}

void check_same_protocol(const PeerAddress& own, const PeerAddress& other) {
  // Versions of libfabric differ in what shm has in memory without telling; elsewhere the protocol tells.
  const bool same = own.provider == other.provider && own.protocol == other.protocol &&
                    (own.provider != "shm" || own.library_version == other.library_version);
  if (!same) {
    throw VersionMismatch("two nodes cannot talk: one has " + what_it_speaks(own) + ", the other " +
                          what_it_speaks(other) +
                          "; ask for the same provider on both, or install the same libfabric");
  }
}

}  // namespace wyvern
