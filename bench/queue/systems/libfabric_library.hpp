#pragma once

#include <cstdint>
#include <memory>

#include <rdma/fabric.h>

namespace wyvern::bench {

struct CloseFabricObject {
  template <class T>
  void operator()(T* object) const {
    ::fi_close(&object->fid);
  }
};
/// Owns a fid_fabric, fid_domain, fid_ep, ...
template <class T>
using FabricObject = std::unique_ptr<T, CloseFabricObject>;

/// libfabric, loaded at run time for the rest of the process. Nearly all of its calls are inline functions
/// that go through the objects; here are those that are not.
class LibfabricLibrary {
 public:
  /// Throws if it cannot be loaded.
  LibfabricLibrary();

  /// Throws, with `what`, if `result` is a negative error.
  void check(std::int64_t result, const char* what) const;

  decltype(&::fi_getinfo) getinfo;
  decltype(&::fi_freeinfo) freeinfo;
  decltype(&::fi_dupinfo) dupinfo;
  decltype(&::fi_fabric) fabric;
  decltype(&::fi_strerror) strerror;
};

}  // namespace wyvern::bench
