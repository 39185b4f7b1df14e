

#include <wyvern/channels/remote/put_run.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern::wire {

PutRun::PutRun(std::span<const std::byte> body) : rest_(body) {
  for (std::span<const std::byte> rest = body; !rest.empty(); ++count_) {
    if (rest.size() < bytes_of(0) || rest.size() - bytes_of(0) < first_bytes(rest))
      throw DecodeError("of messages that are put together, one is longer than what is left of the frame");
    rest = rest.subspan(bytes_of(first_bytes(rest)));
  }
  if (count_ == 0) throw DecodeError("no message where some are put together");
}

}  // namespace wyvern::wire
