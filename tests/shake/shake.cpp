// A library to preload, as ./dev shake does: calls of the system through which threads and processes meet
// take now and then up to some milliseconds longer, before or after they do what they do. So orders of events
// that are rare otherwise are met.
#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace {

/// Of calls that wait or send, one in so many; of those that a thread makes while it spins.
constexpr std::uint32_t odds = 32;
constexpr std::uint32_t odds_while_spinning = 2048;
constexpr std::uint32_t longest_pause_ns = 3'000'000;

/// xorshift; another sequence in each thread.
std::uint32_t next_random() {
  thread_local std::uint32_t state = 0;
  if (state == 0) {
    timespec now{};
    ::timespec_get(&now, TIME_UTC);
    state = (static_cast<std::uint32_t>(now.tv_nsec) ^ (static_cast<std::uint32_t>(::getpid()) << 12)) | 1U;
  }
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

void shake(std::uint32_t one_in) {
  if (next_random() % one_in != 0) return;
  const int error = errno;
  const timespec pause{.tv_sec = 0, .tv_nsec = static_cast<long>(next_random() % longest_pause_ns)};
  ::nanosleep(&pause, nullptr);
  errno = error;
}

/// The function of that name which would have been called. Looked up once, without a lock that a fork could
/// find held.
template <class Function>
class Next {
 public:
  constexpr explicit Next(const char* name) : name_(name) {}

  Function* get() {
    if (function_ == nullptr) function_ = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
    return function_;
  }

 private:
  const char* name_;
  Function* function_ = nullptr;
};

template <class Function, class... Arguments>
auto shaken(std::uint32_t one_in, Function* function, Arguments... arguments) {
  shake(one_in);
  const auto result = function(arguments...);
  shake(one_in);
  return result;
}

}  // namespace

// With the types that the C library declares them with.
extern "C" {

// Futexes, above all; the numbers of arguments differ, and six are always passed.
long syscall(long number, ...) {
  using SixArguments = long(long, long, long, long, long, long, long);
  static constinit Next<SixArguments> function("syscall");
  __builtin_va_list arguments;
  __builtin_va_start(arguments, number);
  long values[6];
  for (long& value : values) value = __builtin_va_arg(arguments, long);
  __builtin_va_end(arguments);
  return shaken(odds, function.get(), number, values[0], values[1], values[2], values[3], values[4],
                values[5]);
}

int poll(pollfd* descriptors, nfds_t number, int timeout) {
  static constinit Next<int(pollfd*, nfds_t, int)> function("poll");
  return shaken(timeout == 0 ? odds_while_spinning : odds, function.get(), descriptors, number, timeout);
}

int ppoll(pollfd* descriptors, nfds_t number, const timespec* timeout, const sigset_t* mask) {
  static constinit Next<int(pollfd*, nfds_t, const timespec*, const sigset_t*)> function("ppoll");
  return shaken(odds, function.get(), descriptors, number, timeout, mask);
}

int epoll_wait(int epoll, epoll_event* events, int number, int timeout) {
  static constinit Next<int(int, epoll_event*, int, int)> function("epoll_wait");
  return shaken(timeout == 0 ? odds_while_spinning : odds, function.get(), epoll, events, number, timeout);
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static constinit Next<ssize_t(int, const msghdr*, int)> function("sendmsg");
  return shaken(odds, function.get(), socket, message, flags);
}

ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static constinit Next<ssize_t(int, msghdr*, int)> function("recvmsg");
  return shaken(odds, function.get(), socket, message, flags);
}

ssize_t write(int file, const void* bytes, size_t size) {
  static constinit Next<ssize_t(int, const void*, size_t)> function("write");
  return shaken(odds, function.get(), file, bytes, size);
}

ssize_t read(int file, void* bytes, size_t size) {
  static constinit Next<ssize_t(int, void*, size_t)> function("read");
  return shaken(odds, function.get(), file, bytes, size);
}

int waitid(idtype_t type, id_t process, siginfo_t* info, int options) {
  static constinit Next<int(idtype_t, id_t, siginfo_t*, int)> function("waitid");
  return shaken(odds, function.get(), type, process, info, options);
}

int sched_yield() noexcept {
  static constinit Next<int()> function("sched_yield");
  return shaken(odds_while_spinning, function.get());
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static constinit Next<int(clockid_t, timespec*)> function("clock_gettime");
  return shaken(odds_while_spinning, function.get(), clock, time);
}

}  // extern "C"
