#include <dirent.h>
#include <fcntl.h>

#include <cstdlib>
#include <memory>

#include <wyvern/transport/process_state.hpp>

namespace wyvern {
namespace {

bool is_same(const struct sigaction& a, const struct sigaction& b) {
  // The two handlers share their memory; the flags say which of them is meant.
  return a.sa_handler == b.sa_handler && a.sa_flags == b.sa_flags;
}

/// Of this process; nothing if that cannot be seen.
std::optional<std::set<int>> open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), &::closedir);
  if (folder == nullptr) return std::nullopt;
  std::set<int> descriptors;
  while (const dirent* entry = ::readdir(folder.get())) {
    char* end = nullptr;
    const long number = std::strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0' && number != ::dirfd(folder.get()))
      descriptors.insert(static_cast<int>(number));
  }
  return descriptors;
}

}  // namespace

SignalHandlersKept::SignalHandlersKept() {
  // Those that cannot be asked for (some belong to the C library) cannot be changed either.
  for (int signal = 1; signal < signals; ++signal) {
    ::sigaction(signal, nullptr, &before_[static_cast<std::size_t>(signal)]);
  }
}

SignalHandlersKept::~SignalHandlersKept() {
  for (int signal = 1; signal < signals; ++signal) {
    const struct sigaction& before = before_[static_cast<std::size_t>(signal)];
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && !is_same(before, now))
      ::sigaction(signal, &before, nullptr);
  }
}

DescriptorsClosedOnExec::DescriptorsClosedOnExec() : before_(open_descriptors()) {}

DescriptorsClosedOnExec::~DescriptorsClosedOnExec() {
  const auto now = open_descriptors();
  if (!before_ || !now) return;
  for (const int descriptor : *now) {
    if (before_->contains(descriptor)) continue;
    const int flags = ::fcntl(descriptor, F_GETFD);
    if (flags >= 0) ::fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
  }
}

}  // namespace wyvern
