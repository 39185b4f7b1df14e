#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include <wyvern/transport/shm_leftover.hpp>

namespace wyvern {
namespace {

constexpr std::string_view scheme = "fi_shm://";

}  // namespace

bool remove_shm_leftover(std::span<const std::byte> name) noexcept {
  std::string_view text(reinterpret_cast<const char*>(name.data()), name.size());
  text = text.substr(0, text.find('\0'));
  if (!text.starts_with(scheme)) return false;
  text.remove_prefix(scheme.size());  // process:user:number, which is the file's name too
  pid_t process = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), process);
  const bool is_name = text.find_first_not_of("0123456789:") == std::string_view::npos;
  if (error != std::errc() || process <= 0 || !is_name || end == text.data() + text.size()) return false;
  if (::kill(process, 0) == 0 || errno != ESRCH) return false;
  char path[64] = "/dev/shm/";
  constexpr std::size_t folder = 9;
  if (text.size() >= sizeof path - folder) return false;
  text.copy(path + folder, text.size());
  return ::unlink(path) == 0;
}

}  // namespace wyvern
