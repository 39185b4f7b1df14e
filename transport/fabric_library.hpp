#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <rdma/fabric.h>

namespace wyvern {

/// libfabric, loaded by the first process part that needs it and kept until the process ends: loading takes
/// 100 to 200 ms, which a process that stays on its node does not pay. Nearly all calls of libfabric are
/// inline functions that go through its objects; here are those that are not.
class FabricLibrary {
 public:
  /// Loads it the first time. Before that sets what libfabric and its providers read from the environment,
  /// unless the user has set it (`environment()`); signal handlers are the same afterwards, and no descriptor
  /// of its survives an exec. Other threads must not change handlers during the first call, nor change or
  /// read the environment (`getenv`). Throws FabricError if there is no libfabric, or one that is too old.
  static const FabricLibrary& get();

  FabricLibrary(const FabricLibrary&) = delete;
  FabricLibrary& operator=(const FabricLibrary&) = delete;

  /// As FI_VERSION(major, minor).
  std::uint32_t version() const { return version_; }
  /// Whether it was another process that loaded it, of which this one is a fork.
  bool is_forked() const;

  struct FreeInfo {
    const FabricLibrary* library = nullptr;
    void operator()(fi_info* info) const { library->freeinfo_(info); }
  };
  /// A list; what it says belongs to whoever has it.
  using Info = std::unique_ptr<fi_info, FreeInfo>;

  /// An empty one, for hints.
  Info make_info() const;
  /// What there is for those hints, best first as libfabric sees it; null if there is nothing. `node` and
  /// `service` (either may be null) are where to listen.
  Info find(const fi_info& hints, const char* node, const char* service) const;
  /// One entry of a list, by itself.
  Info copy(const fi_info& info) const;
  fid_fabric* open(fi_fabric_attr& attributes) const;

  /// The text of a positive FI_E... value.
  std::string describe(int fabric_errno) const;
  /// Throws FabricError, "<what>: <text>", if `result` is negative, as libfabric's functions return errors.
  void check(std::int64_t result, const std::string& what) const;

  /// A variable and the value that the library gives it unless the user has.
  struct Setting {
    const char* name;
    const char* value;
    const char* reason;
  };
  static const std::vector<Setting>& environment();

 private:
  FabricLibrary();

  decltype(&::fi_getinfo) getinfo_;
  decltype(&::fi_freeinfo) freeinfo_;
  decltype(&::fi_dupinfo) dupinfo_;
  decltype(&::fi_fabric) fabric_;
  decltype(&::fi_strerror) strerror_;
  std::uint32_t version_;
  pid_t loaded_by_;
};

/// Closes any object of libfabric.
struct CloseFabricObject {
  template <class T>
  void operator()(T* object) const {
    ::fi_close(&object->fid);
  }
};
/// Owns a fid_fabric, fid_domain, fid_ep, ...; to be closed in the opposite order of opening.
template <class T>
using FabricObject = std::unique_ptr<T, CloseFabricObject>;

/// "1.17" of FI_VERSION(1, 17).
std::string fabric_version_text(std::uint32_t version);

}  // namespace wyvern
