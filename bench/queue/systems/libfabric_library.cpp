#include "bench/queue/systems/libfabric_library.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace wyvern::bench {
namespace {

void* load() {
  // Its parts for PSM would print a back trace and write a file when a signal comes.
  ::setenv("IPATH_NO_BACKTRACE", "1", 0);
  ::setenv("HFI_NO_BACKTRACE", "1", 0);
  void* library = ::dlopen("libfabric.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error("libfabric-shm: " + std::string(::dlerror()));
  return library;
}

template <class Function>
Function find(void* library, const char* name) {
  void* found = ::dlsym(library, name);
  if (found == nullptr) throw std::runtime_error("libfabric-shm: " + std::string(::dlerror()));
  return reinterpret_cast<Function>(found);
}

}  // namespace

LibfabricLibrary::LibfabricLibrary() {
  void* library = load();
  getinfo = find<decltype(getinfo)>(library, "fi_getinfo");
  freeinfo = find<decltype(freeinfo)>(library, "fi_freeinfo");
  dupinfo = find<decltype(dupinfo)>(library, "fi_dupinfo");
  fabric = find<decltype(fabric)>(library, "fi_fabric");
  strerror = find<decltype(strerror)>(library, "fi_strerror");
}

void LibfabricLibrary::check(std::int64_t result, const char* what) const {
  if (result >= 0) return;
  throw std::runtime_error("libfabric-shm: " + std::string(what) + ": " +
                           strerror(static_cast<int>(-result)));
}

}  // namespace wyvern::bench
