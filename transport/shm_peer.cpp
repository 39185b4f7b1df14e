#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include <wyvern/core/pidfd.hpp>
#include <wyvern/core/process_stat.hpp>
#include <wyvern/transport/shm_peer.hpp>

namespace wyvern {
namespace {

constexpr std::string_view scheme = "fi_shm://";

}  // namespace

ShmPeer::ShmPeer(std::span<const std::byte> name) {
  std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  text = text.substr(0, text.find('\0'));
  if (!text.starts_with(scheme)) return;
  text.remove_prefix(scheme.size());  // process:user:number, which is the file's name too
  pid_t process = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), process);
  const bool is_name = text.find_first_not_of("0123456789:") == std::string_view::npos;
  if (error != std::errc() || process <= 0 || !is_name || end == text.data() + text.size()) return;
  process_id_ = process;
  process_ = open_pidfd(process);
  had_ended_ = !process_ && errno == ESRCH;
  file_ = "/dev/shm/" + std::string(text);
}

bool ShmPeer::has_ended() const noexcept {
  if (had_ended_ || !process_) return had_ended_;
  pollfd wait{.fd = process_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 1;
}

bool ShmPeer::is_stopped() const {
  if (process_id_ == 0) return false;
  const auto stat = read_process_stat(process_id_);
  return stat && stat->is_stopped();
}

bool ShmPeer::remove_leftover() const noexcept {
  return !file_.empty() && has_ended() && ::unlink(file_.c_str()) == 0;
}

}  // namespace wyvern
