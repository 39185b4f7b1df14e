#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/sealed_file.hpp>

namespace wyvern::control {
namespace {

constexpr int sealed = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

[[noreturn]] void throw_failed(const char* step, const char* what) {
  throw OutOfMemory(describe_errno(std::string(step) + " " + what, errno));
}

}  // namespace

FileDescriptor make_sealed_file(const char* name, std::span<const std::byte> bytes, const char* what) {
  FileDescriptor fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) throw_failed("memfd_create for", what);
  for (std::size_t written = 0; written < bytes.size();) {
    const ssize_t count = ::write(fd.get(), bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_failed("storing", what);
    written += static_cast<std::size_t>(count);
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, sealed) != 0) throw_failed("sealing", what);
  return fd;
}

bool is_sealed_file(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & sealed) == sealed;
}

std::vector<std::byte> read_sealed_file(int fd, std::size_t most) {
  struct stat status {};
  if (!is_sealed_file(fd) || ::fstat(fd, &status) != 0)
    throw Malformed("it comes with a file that can change");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > most) throw Malformed("it comes with a file of " + std::to_string(size) + " bytes");
  std::vector<std::byte> bytes(size);
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw Malformed("it comes with a file that cannot be read");
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace wyvern::control
