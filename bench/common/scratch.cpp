#include "bench/common/scratch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <type_traits>

namespace wyvern::bench {

static_assert(std::is_trivially_destructible_v<ScratchLayout>, "no process ends what others may still use");

Scratch::Scratch() : fd_(::memfd_create("bench", MFD_CLOEXEC)) {
  if (!fd_ || ::ftruncate(fd_.get(), sizeof(ScratchLayout)) != 0) {
    throw std::system_error(errno, std::generic_category(), "memory for the workers");
  }
  map();
}

Scratch::Scratch(const std::string& file) : fd_(::open(file.c_str(), O_RDWR | O_CLOEXEC)) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "opening " + file);
  map();
}

void Scratch::map() {
  void* memory = ::mmap(nullptr, sizeof(ScratchLayout), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                        fd_.get(), 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  // Zero bytes are what its members begin with.
  layout_ = static_cast<ScratchLayout*>(memory);
}

Scratch::~Scratch() { ::munmap(layout_, sizeof(ScratchLayout)); }

std::string Scratch::file() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
}

}  // namespace wyvern::bench
