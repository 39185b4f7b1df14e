#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include <wyvern/core/error.hpp>
#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

#include "fuzz/input.hpp"

// What a process that is started gets from its starter.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wyvern::FileDescriptor file(::memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) return 0;
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return 0;
  try {
    const wyvern::control::StartPayload payload(file.get());
    for (const char* argument : payload.arguments()) {
      if (argument == nullptr) break;
    }
    using Kind = wyvern::StandardStream::Kind;
    if (payload.input().kind() == Kind::inherit || payload.input().kind() == Kind::append) std::abort();
    for (const auto& stream : {payload.input(), payload.output(), payload.error()}) {
      if (stream.is_file() == stream.path().empty()) std::abort();
    }
  } catch (const wyvern::control::Malformed&) {
    return 0;  // which is what most bytes are
  }
  return 0;
}
