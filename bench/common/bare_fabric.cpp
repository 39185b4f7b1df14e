#include "bench/common/bare_fabric.hpp"

#include <wyvern/transport/fabric_error.hpp>

namespace wyvern::bench {

void BareFabric::connect(std::span<const std::byte> name) {
  if (::fi_av_insert(objects_.addresses.get(), name.data(), 1, &partner_, 0, nullptr) != 1)
    throw FabricError("fi_av_insert refused the other's address", FI_EINVAL);
}

bool BareFabric::may_sleep() {
#if FI_MAJOR_VERSION < 2
  if (objects_.wait_set != nullptr) return ::fi_wait(objects_.wait_set.get(), 0) != 0;
#endif
  fid* sleeps_on = &objects_.completions->fid;
  return ::fi_trywait(objects_.fabric.get(), &sleeps_on, 1) == 0;
}

void BareFabric::fail(std::int64_t result) {
  fi_cq_err_entry error{};
  const bool is_known = ::fi_cq_readerr(objects_.completions.get(), &error, 0) == 1 && error.err != 0;
  const auto fabric_errno = static_cast<int>(is_known ? error.err : -result);
  throw FabricError("a completion with an error: " + FabricLibrary::get().describe(fabric_errno),
                    fabric_errno);
}

}  // namespace wyvern::bench
