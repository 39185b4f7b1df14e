#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/shm_bell.hpp>

namespace wyvern {
namespace {

constexpr std::uint64_t magic = 0x4C4C'4542'4D59'5701;  // version 1, "WYMBELL"

struct BellAddress {
  sockaddr_un address{};
  socklen_t size = 0;
};

/// In the abstract namespace, which begins with NUL: gone with its socket.
BellAddress address_of(std::uint64_t name) {
  constexpr std::string_view prefix = "wyvern-bell-";
  BellAddress bell;
  bell.address.sun_family = AF_UNIX;
  char* const begin = bell.address.sun_path + 1;
  prefix.copy(begin, prefix.size());
  const auto end = std::to_chars(begin + prefix.size(), begin + prefix.size() + 16, name, 16).ptr;
  bell.size = static_cast<socklen_t>(end - reinterpret_cast<char*>(&bell.address));
  return bell;
}

MappedShmBell map(int file) {
  void* memory = ::mmap(nullptr, sizeof(ShmBellMemory), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return MappedShmBell(memory == MAP_FAILED ? nullptr : static_cast<ShmBellMemory*>(memory));
}

[[noreturn]] void fail(const char* what) {
  throw Error(ErrorCode::out_of_memory, describe_errno(std::string("a bell for shm: ") + what, errno));
}

}  // namespace

void UnmapShmBell::operator()(ShmBellMemory* memory) const noexcept {
  ::munmap(memory, sizeof(ShmBellMemory));
}

ShmBell::ShmBell()
    : memory_file_(::memfd_create("wyvern-bell", MFD_CLOEXEC | MFD_ALLOW_SEALING)),
      socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (!memory_file_ || !socket_) fail("no descriptor");
  // Sealed: who maps it need not fear that it shrinks.
  if (::ftruncate(memory_file_.get(), sizeof(ShmBellMemory)) != 0 ||
      ::fcntl(memory_file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    fail("no memory");
  memory_ = map(memory_file_.get());
  if (memory_ == nullptr) fail("no memory");
  if (::getrandom(&memory_->name, sizeof memory_->name, 0) != sizeof memory_->name) fail("getrandom");
  const BellAddress own = address_of(memory_->name);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own.address), own.size) != 0) fail("bind");
  memory_->magic = magic;
}

bool ShmBell::is_armed_or_arm() {
  // Always: who rang for an earlier sleep may be late.
  std::array<char, 8> datagram;
  bool was_rung = false;
  while (::recv(socket_.get(), datagram.data(), datagram.size(), 0) >= 0) was_rung = true;
  if (memory_->armed.load(std::memory_order_relaxed) != 0) return !was_rung;
  memory_->armed.store(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // the word before the look that follows, see ShmBell
  return false;
}

ShmBellRope::ShmBellRope(pid_t process, int memory_descriptor) {
  const std::string path = "/proc/" + std::to_string(process) + "/fd/" + std::to_string(memory_descriptor);
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!file) return;
  const int seals = ::fcntl(file.get(), F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0) return;
  if (::lseek(file.get(), 0, SEEK_END) != static_cast<off_t>(sizeof(ShmBellMemory))) return;
  memory_ = map(file.get());
  if (memory_ != nullptr && memory_->magic != magic) memory_.reset();
}

void ShmBellRope::ring(const ShmBell& own) {
  if (memory_->armed.exchange(0, std::memory_order_relaxed) == 0) return;  // somebody else rings
  const BellAddress bell = address_of(memory_->name);
  // A full queue of datagrams wakes as well, and one that has gone needs no waking.
  ::sendto(own.descriptor(), "", 1, MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&bell.address), bell.size);
}

}  // namespace wyvern
