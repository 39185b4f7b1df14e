#pragma once

#include <string>

#include <wyvern/core/error.hpp>

namespace wyvern {

/// A call of libfabric failed. Says which, on what, and what libfabric says of it.
class FabricError : public Error {
 public:
  /// `fabric_errno`: positive, FI_E...
  FabricError(const std::string& message, int fabric_errno)
      : Error(ErrorCode::unreachable, message), fabric_errno_(fabric_errno) {}
  int fabric_errno() const noexcept { return fabric_errno_; }

 private:
  int fabric_errno_;
};

}  // namespace wyvern
