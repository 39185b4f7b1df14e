#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <wyvern/core/job_key.hpp>
#include <wyvern/core/puid.hpp>

/// How a process makes itself known to the home of a queue on another node. Its first message is a hello,
/// which the home, that has not heard of it before, finds to be of somebody who has the job's key; the first
/// message that comes back is the welcome, which shows that the home has it too. Nothing of a message is
/// looked at before its tag is found right, but for its version. A hello that is sent again by somebody else,
/// word for word, introduces the same endpoint again, which cannot answer.
namespace wyvern::wire {

inline constexpr std::uint16_t wire_version = 6;

struct Introduced {
  Puid puid;
  std::vector<std::byte> address;  ///< of its endpoint
};

/// `home`: the address of the endpoint that it is for, so that it is good for no other. At most 64 KiB in
/// all: InvalidArgument.
std::vector<std::byte> make_hello(const JobKey& key, const Introduced& guest,
                                  std::span<const std::byte> home);
/// `home`: the own address. Throws DecodeError for what is no hello; VersionMismatch; AuthenticationFailed
/// for one that was made with another key, or for somebody else.
Introduced read_hello(const JobKey& key, std::span<const std::byte> home, std::span<const std::byte> message);

std::vector<std::byte> make_welcome(const JobKey& key, std::span<const std::byte> hello);
/// Whether it is the welcome that belongs to that hello. Throws VersionMismatch.
bool is_welcome(const JobKey& key, std::span<const std::byte> hello, std::span<const std::byte> message);

}  // namespace wyvern::wire
