#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/runtime/observation/process_stat.hpp>

namespace wyvern::observation {

std::optional<ProcessStat> read_process_stat(pid_t pid, const std::string& proc) {
  const FileDescriptor file(
      ::open((proc + "/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  char bytes[512];  // what is looked at stands before that
  const ssize_t size = file ? ::read(file.get(), bytes, sizeof bytes) : 0;
  if (size <= 0) return std::nullopt;
  const std::string_view text(bytes, static_cast<std::size_t>(size));
  // "pid (name) state parent ...": the name may contain anything.
  const std::size_t begin = text.find('(');
  const std::size_t last = text.rfind(')');
  if (begin == std::string_view::npos || last == std::string_view::npos || text.size() < last + 5)
    return std::nullopt;
  ProcessStat stat{
      .pid = pid, .name = std::string(text.substr(begin + 1, last - begin - 1)), .state = text[last + 2]};
  std::from_chars(text.data() + last + 4, text.data() + text.size(), stat.parent);
  return stat;
}

}  // namespace wyvern::observation
