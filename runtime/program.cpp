#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/program.hpp>

namespace wyvern {
namespace {

std::vector<std::string>& stored_arguments() {
  static std::vector<std::string> arguments;
  return arguments;
}

FileDescriptor open_path(const char* path, int flags) {
  FileDescriptor fd(::open(path, O_PATH | O_CLOEXEC | flags));
  if (!fd) throw SpawnFailed(describe_errno(std::string("opening ") + path, errno));
  return fd;
}

std::string read_link(const char* link) {
  char path[PATH_MAX];
  const ssize_t length = ::readlink(link, path, sizeof path);
  if (length < 0) throw SpawnFailed(describe_errno(std::string("reading ") + link, errno));
  return {path, static_cast<std::size_t>(length)};
}

}  // namespace

const std::vector<std::string>& program_arguments() { return stored_arguments(); }
void set_program_arguments(std::vector<std::string> arguments) { stored_arguments() = std::move(arguments); }

std::vector<std::string> program_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  return variables;
}

void open_missing_streams() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR);  // the lowest number that is free
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

FileDescriptor open_program() { return open_path("/proc/self/exe", 0); }
FileDescriptor open_working_directory() { return open_path(".", O_DIRECTORY); }

std::string program_path() { return read_link("/proc/self/exe"); }
std::string working_directory() { return read_link("/proc/self/cwd"); }

}  // namespace wyvern
