#include <string>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/runtime/protocol/network_plan.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/sealed_file.hpp>

namespace wyvern::control {
namespace {

constexpr std::size_t most_plan_bytes = std::size_t{64} << 20;

}  // namespace

/// As it lies in the file.
struct StoredPlan {
  std::string provider;
  std::vector<std::byte> key;
  std::vector<std::vector<std::byte>> addresses;
};

FileDescriptor write_network_plan(const NetworkPlan& plan) {
  const auto key = plan.key.bytes();
  std::vector<std::byte> bytes;
  encode_to(
      bytes,
      StoredPlan{.provider = plan.provider, .key = {key.begin(), key.end()}, .addresses = plan.addresses});
  return make_sealed_file("wyvern-network", bytes, "what processes are told of other nodes");
}

NetworkPlan read_network_plan(int fd) {
  try {
    auto stored = decode_from<StoredPlan>(read_sealed_file(fd, most_plan_bytes));
    return {.provider = std::move(stored.provider),
            .key = JobKey(stored.key),
            .addresses = std::move(stored.addresses)};
  } catch (const Error& error) {
    throw Malformed(error.what());
  }
}

}  // namespace wyvern::control
