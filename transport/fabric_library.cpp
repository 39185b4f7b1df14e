#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>

#include <rdma/fi_errno.h>

#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/process_state.hpp>

namespace wyvern {
namespace {

constexpr const char* file = "libfabric.so.1";
/// The one whose structures we ask for; a later library keeps them for us.
constexpr std::uint32_t oldest_version = FI_VERSION(1, 17);

void* load() {
  void* library = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw FabricError(
        "reaching other nodes needs libfabric, which cannot be loaded: " + std::string(::dlerror()) +
            "; install it (Debian: libfabric1), or LD_LIBRARY_PATH must name its folder",
        FI_ENODATA);
  }
  return library;
}

template <class Function>
Function find_function(void* library, const char* name) {
  void* found = ::dlsym(library, name);
  if (found == nullptr) throw FabricError(std::string(file) + " is not libfabric: " + ::dlerror(), FI_ENOSYS);
  return reinterpret_cast<Function>(found);
}

}  // namespace

const std::vector<FabricLibrary::Setting>& FabricLibrary::environment() {
  static const std::vector<Setting> settings{
      {"IPATH_NO_BACKTRACE", "1", "libpsm_infinipath would take over signals and write a file on a crash"},
      {"HFI_NO_BACKTRACE", "1", "the same for libpsm2"},
      {"FI_MR_CACHE_MONITOR", "disabled",
       "registrations end before their memory: nobody has to watch munmap"},
      {"FI_OFI_RXM_EAGER_LIMIT", "65536", "rxm would send messages of more than 16 KiB in several steps"},
      {"FI_OFI_RXM_MSG_RX_SIZE", "256", "rxm would take 64 MiB of receive buffers an endpoint"},
      {"FI_OFI_RXM_USE_SRX", "1",
       "rxm over tcp shares receive buffers between peers, over verbs it must be told"},
      {"FI_UNIVERSE_SIZE", "64", "rxm would ask for a completion queue longer than some devices have"},
  };
  return settings;
}

const FabricLibrary& FabricLibrary::get() {
  static const FabricLibrary library;
  return library;
}

FabricLibrary::FabricLibrary() : loaded_by_(::getpid()) {
  for (const Setting& setting : environment()) ::setenv(setting.name, setting.value, 0);
  const SignalHandlersKept signals;
  const DescriptorsClosedOnExec descriptors;
  void* library = load();
  getinfo_ = find_function<decltype(getinfo_)>(library, "fi_getinfo");
  freeinfo_ = find_function<decltype(freeinfo_)>(library, "fi_freeinfo");
  dupinfo_ = find_function<decltype(dupinfo_)>(library, "fi_dupinfo");
  fabric_ = find_function<decltype(fabric_)>(library, "fi_fabric");
  strerror_ = find_function<decltype(strerror_)>(library, "fi_strerror");
  version_ = find_function<decltype(&::fi_version)>(library, "fi_version")();
  if (FI_VERSION_LT(version_, oldest_version)) {
    throw FabricError("libfabric " + fabric_version_text(version_) + " is too old: at least " +
                          fabric_version_text(oldest_version) + " is needed",
                      FI_ENOSYS);
  }
}

bool FabricLibrary::is_forked() const { return ::getpid() != loaded_by_; }

FabricLibrary::Info FabricLibrary::make_info() const {
  Info info(dupinfo_(nullptr), FreeInfo{this});
  if (info == nullptr) throw OutOfMemory("libfabric has no memory for an empty fi_info");
  return info;
}

FabricLibrary::Info FabricLibrary::find(const fi_info& hints, const char* node, const char* service) const {
  const SignalHandlersKept signals;  // the first call loads the providers
  const DescriptorsClosedOnExec descriptors;
  const bool listens = node != nullptr || service != nullptr;
  fi_info* found = nullptr;
  const int result =
      getinfo_(oldest_version, node, service, listens ? FI_SOURCE : std::uint64_t{0}, &hints, &found);
  if (result == -FI_ENODATA) return Info(nullptr, FreeInfo{this});
  check(result, "fi_getinfo");
  return Info(found, FreeInfo{this});
}

FabricLibrary::Info FabricLibrary::copy(const fi_info& info) const {
  Info copied(dupinfo_(&info), FreeInfo{this});
  if (copied == nullptr) throw OutOfMemory("libfabric has no memory for a copy of a fi_info");
  return copied;
}

fid_fabric* FabricLibrary::open(fi_fabric_attr& attributes) const {
  fid_fabric* fabric = nullptr;
  check(fabric_(&attributes, &fabric, nullptr), "fi_fabric of provider " + std::string(attributes.prov_name));
  return fabric;
}

std::string FabricLibrary::describe(int fabric_errno) const { return strerror_(fabric_errno); }

void FabricLibrary::check(std::int64_t result, const std::string& what) const {
  if (result >= 0) return;
  const int fabric_errno = static_cast<int>(-result);
  throw FabricError(what + ": " + describe(fabric_errno), fabric_errno);
}

std::string fabric_version_text(std::uint32_t version) {
  return std::to_string(FI_MAJOR(version)) + "." + std::to_string(FI_MINOR(version));
}

}  // namespace wyvern
