#include <system_error>

#include <wyvern/core/error.hpp>

namespace wyvern {

const char* to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::queue_closed: return "queue_closed";
    case ErrorCode::queue_lost: return "queue_lost";
    case ErrorCode::node_lost: return "node_lost";
    case ErrorCode::unreachable: return "unreachable";
    case ErrorCode::lease_lost: return "lease_lost";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::type_mismatch: return "type_mismatch";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::out_of_memory: return "out_of_memory";
    case ErrorCode::decode_error: return "decode_error";
    case ErrorCode::version_mismatch: return "version_mismatch";
    case ErrorCode::authentication_failed: return "authentication_failed";
    case ErrorCode::unknown_function: return "unknown_function";
    case ErrorCode::spawn_failed: return "spawn_failed";
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_a_member: return "not_a_member";
    case ErrorCode::fiber_ended: return "fiber_ended";
  }
  return "unknown_code";
}

void throw_error(ErrorCode code, const std::string& message) {
  switch (code) {
    case ErrorCode::queue_closed: throw QueueClosed(message);
    case ErrorCode::queue_lost: throw QueueLost(message);
    case ErrorCode::node_lost: throw NodeLost(message);
    case ErrorCode::unreachable: throw ErrorOf<ErrorCode::unreachable>(message);
    case ErrorCode::lease_lost: throw ErrorOf<ErrorCode::lease_lost>(message);
    case ErrorCode::not_found: throw NotFound(message);
    case ErrorCode::type_mismatch: throw TypeMismatch(message);
    case ErrorCode::too_large: throw TooLarge(message);
    case ErrorCode::out_of_memory: throw OutOfMemory(message);
    case ErrorCode::decode_error: throw DecodeError(message);
    case ErrorCode::version_mismatch: throw VersionMismatch(message);
    case ErrorCode::authentication_failed: throw ErrorOf<ErrorCode::authentication_failed>(message);
    case ErrorCode::unknown_function: throw UnknownFunction(message);
    case ErrorCode::spawn_failed: throw SpawnFailed(message);
    case ErrorCode::invalid_argument: throw InvalidArgument(message);
    case ErrorCode::not_a_member: throw NotAMember(message);
    case ErrorCode::fiber_ended: throw FiberEnded(message);
  }
  throw Error(code, message);
}

std::string describe_errno(const std::string& operation, int error_number) {
  return operation + ": " + std::system_category().message(error_number);
}

}  // namespace wyvern
