#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace wyvern {

/// What went wrong, one value per condition.
enum class ErrorCode {
  queue_closed,
  queue_lost,
  node_lost,
  unreachable,
  lease_lost,
  not_found,
  type_mismatch,
  too_large,
  out_of_memory,
  decode_error,
  version_mismatch,
  authentication_failed,
  unknown_function,
  spawn_failed,
  invalid_argument,
  not_a_member,
  fiber_ended,
};

/// The field's name of a code, for example "queue_closed". Never fails.
const char* to_string(ErrorCode code) noexcept;

/// Base of everything the library throws on purpose. `what()` names the object, the host where that matters,
/// what was expected, and what to try next.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// One exception type per code, so that a handler can name the condition it deals with.
template <ErrorCode error_code>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(error_code, message) {}
};

using QueueClosed = ErrorOf<ErrorCode::queue_closed>;
using QueueLost = ErrorOf<ErrorCode::queue_lost>;
using LeaseLost = ErrorOf<ErrorCode::lease_lost>;
using NodeLost = ErrorOf<ErrorCode::node_lost>;
using NotFound = ErrorOf<ErrorCode::not_found>;
using TypeMismatch = ErrorOf<ErrorCode::type_mismatch>;
using TooLarge = ErrorOf<ErrorCode::too_large>;
using OutOfMemory = ErrorOf<ErrorCode::out_of_memory>;
using VersionMismatch = ErrorOf<ErrorCode::version_mismatch>;
using UnknownFunction = ErrorOf<ErrorCode::unknown_function>;
using SpawnFailed = ErrorOf<ErrorCode::spawn_failed>;
using InvalidArgument = ErrorOf<ErrorCode::invalid_argument>;
using NotAMember = ErrorOf<ErrorCode::not_a_member>;
using FiberEnded = ErrorOf<ErrorCode::fiber_ended>;

/// A message whose bytes are not what its type expects. Carries the bytes, so that nothing is lost.
class DecodeError : public Error {
 public:
  explicit DecodeError(const std::string& message, std::vector<std::byte> bytes = {})
      : Error(ErrorCode::decode_error, message), bytes_(std::move(bytes)) {}
  const std::vector<std::byte>& bytes() const noexcept { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// Throws the exception type that belongs to `code`; for errors that arrive as bytes from the agent.
[[noreturn]] void throw_error(ErrorCode code, const std::string& message);

/// "open /x: No such file or directory": an operation's name and the text of an errno value.
std::string describe_errno(const std::string& operation, int error_number);

}  // namespace wyvern
