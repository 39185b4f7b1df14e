#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/peer_address.hpp>

namespace wyvern::test {
namespace {

PeerAddress some_address() {
  return {.provider = "tcp;ofi_rxm",
          .protocol = 7,
          .library_version = (1U << 16) | 17,
          .epoch = 0x0123'4567'89AB'CDEF,
          .name = {std::byte{2}, std::byte{0}, std::byte{127}, std::byte{1}}};
}

TEST(PeerAddress, is_the_same_after_a_journey_as_bytes) {
  const PeerAddress address = some_address();
  EXPECT_EQ(decode_peer_address(encode_peer_address(address)), address);
}

TEST(PeerAddress, largest_and_smallest_parts_travel) {
  PeerAddress address = some_address();
  address.provider = std::string(31, 'p');
  address.name.assign(256, std::byte{0xFF});
  address.epoch = ~std::uint64_t{0};
  const auto bytes = encode_peer_address(address);
  EXPECT_LE(bytes.size(), max_peer_address_bytes);
  EXPECT_EQ(decode_peer_address(bytes), address);
  address.provider = "p";
  address.name.clear();
  EXPECT_EQ(decode_peer_address(encode_peer_address(address)), address);
}

TEST(PeerAddress, parts_that_are_too_long_are_refused) {
  PeerAddress address = some_address();
  address.provider = std::string(32, 'p');
  EXPECT_THROW(encode_peer_address(address), InvalidArgument);
  address = some_address();
  address.name.resize(257);
  EXPECT_THROW(encode_peer_address(address), InvalidArgument);
}

TEST(PeerAddress, bytes_of_any_other_length_are_refused) {
  auto bytes = encode_peer_address(some_address());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::vector<std::byte> shorter(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(decode_peer_address(shorter), DecodeError) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_THROW(decode_peer_address(bytes), DecodeError);
}

TEST(PeerAddress, every_change_of_a_byte_is_refused_or_gives_an_address) {
  const auto bytes = encode_peer_address(some_address());
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    for (int value = 0; value < 256; ++value) {
      auto changed = bytes;
      changed[place] = static_cast<std::byte>(value);
      try {
        const PeerAddress address = decode_peer_address(changed);
        EXPECT_EQ(decode_peer_address(encode_peer_address(address)), address);
      } catch (const DecodeError& error) {
        EXPECT_EQ(error.bytes(), changed);
      } catch (const VersionMismatch&) {
        EXPECT_TRUE(place == 4 || place == 5) << "the version is there";
      }
    }
  }
}

TEST(PeerAddress, other_provider_or_protocol_cannot_talk_to_us) {
  const PeerAddress own = some_address();
  EXPECT_NO_THROW(check_same_protocol(own, own));
  PeerAddress other = own;
  other.protocol = 8;
  EXPECT_THROW(check_same_protocol(own, other), VersionMismatch);
  other = own;
  other.provider = "net";
  try {
    check_same_protocol(own, other);
    FAIL() << "they are different";
  } catch (const VersionMismatch& error) {
    EXPECT_NE(
        std::string(error.what()).find("one has tcp;ofi_rxm, protocol 7, libfabric 1.17, the other net"),
        std::string::npos)
        << error.what();
  }
}

TEST(PeerAddress, other_version_of_libfabric_matters_where_memory_is_shared) {
  PeerAddress own = some_address();
  PeerAddress other = own;
  other.library_version += 1;
  EXPECT_NO_THROW(check_same_protocol(own, other));
  own.provider = other.provider = "shm";
  EXPECT_THROW(check_same_protocol(own, other), VersionMismatch);
}

}  // namespace
}  // namespace wyvern::test
