#include <wire_generated.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>

#include <wyvern/channels/remote/flat_table.hpp>
#include <wyvern/channels/remote/introduction.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::wire {
namespace {

constexpr std::uint32_t hello_magic = 0x4859'5700;    // "WYH"
constexpr std::uint32_t welcome_magic = 0x5759'5700;  // "WYW"
constexpr const char* hello_purpose = "wyvern: hello of a guest";
constexpr const char* welcome_purpose = "wyvern: welcome of a home";
static_assert(sizeof(HelloHeader) == 40);

std::vector<std::byte> with_header(std::uint32_t magic, const JobKey::Tag& tag,
                                   std::span<const std::byte> rest) {
  std::array<std::uint8_t, sizeof(JobKey::Tag)> tag_bytes;
  std::memcpy(tag_bytes.data(), tag.data(), tag.size());
  const HelloHeader header(magic, wire_version, static_cast<std::uint16_t>(rest.size()),
                           flatbuffers::make_span(tag_bytes));
  std::vector<std::byte> message(sizeof header + rest.size());
  std::memcpy(message.data(), &header, sizeof header);
  std::copy(rest.begin(), rest.end(), message.begin() + sizeof header);
  return message;
}

struct Headed {
  HelloHeader header;
  std::span<const std::byte> rest;

  std::span<const std::byte> tag() const {
    return std::as_bytes(std::span(header.tag()->data(), header.tag()->size()));
  }
};

/// Throws DecodeError unless there is such a header; VersionMismatch.
Headed take_header(std::span<const std::byte> message, std::uint32_t magic) {
  Headed headed;
  if (message.size() >= sizeof headed.header)
    std::memcpy(&headed.header, message.data(), sizeof headed.header);
  if (message.size() < sizeof headed.header || headed.header.magic() != magic) {
    throw DecodeError("the first message from another node, of " + std::to_string(message.size()) +
                      " bytes, is no introduction");
  }
  if (headed.header.version() != wire_version) {
    throw VersionMismatch("a process on another node speaks version " +
                          std::to_string(headed.header.version()) +
                          " of the protocol between nodes, this one " + std::to_string(wire_version) +
                          ": install the same version of Wyvern on all nodes");
  }
  headed.rest = message.subspan(sizeof headed.header);
  if (headed.rest.size() != headed.header.hello_bytes())
    throw DecodeError("an introduction from another node has another length than it says");
  return headed;
}

std::vector<std::byte> to_bytes(const flatbuffers::Vector<std::uint8_t>& vector) {
  const auto bytes = std::as_bytes(std::span(vector.data(), vector.size()));
  return {bytes.begin(), bytes.end()};
}

flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> add_bytes(flatbuffers::FlatBufferBuilder& builder,
                                                                 std::span<const std::byte> bytes) {
  return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

std::vector<std::byte> make_hello(const JobKey& key, const Introduced& guest,
                                  std::span<const std::byte> home) {
  flatbuffers::FlatBufferBuilder builder;
  const auto home_bytes = add_bytes(builder, home);
  const auto guest_bytes = add_bytes(builder, guest.address);
  builder.Finish(CreateHello(builder, guest.puid.value(), home_bytes, guest_bytes));
  const std::vector<std::byte> hello = bytes_of(builder);
  if (hello.size() > std::numeric_limits<std::uint16_t>::max())
    throw InvalidArgument("addresses of " + std::to_string(hello.size()) + " bytes do not fit into a hello");
  return with_header(hello_magic, key.tag(hello_purpose, hello), hello);
}

Introduced read_hello(const JobKey& key, std::span<const std::byte> home,
                      std::span<const std::byte> message) {
  const Headed headed = take_header(message, hello_magic);
  if (!key.is_tag(headed.tag(), hello_purpose, headed.rest)) {
    throw ErrorOf<ErrorCode::authentication_failed>(
        "a process on another node has introduced itself with the key of another job");
  }
  const VerifiedTable<Hello> hello(headed.rest, "a hello");
  const std::vector<std::byte> meant = to_bytes(*hello->home());
  if (!std::equal(meant.begin(), meant.end(), home.begin(), home.end())) {
    throw ErrorOf<ErrorCode::authentication_failed>(
        "a process on another node has introduced itself to an agent that was at this address before");
  }
  return {.puid = Puid(hello->puid()), .address = to_bytes(*hello->guest())};
}

std::vector<std::byte> make_welcome(const JobKey& key, std::span<const std::byte> hello) {
  return with_header(welcome_magic, key.tag(welcome_purpose, hello), {});
}

bool is_welcome(const JobKey& key, std::span<const std::byte> hello, std::span<const std::byte> message) {
  try {
    const Headed headed = take_header(message, welcome_magic);
    return headed.rest.empty() && key.is_tag(headed.tag(), welcome_purpose, hello);
  } catch (const DecodeError&) {
    return false;
  }
}

}  // namespace wyvern::wire
