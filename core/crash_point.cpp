#include <atomic>
#include <csignal>
#include <cstring>

#include <wyvern/core/crash_point.hpp>

namespace wyvern {
namespace {

std::atomic<const char*> armed_name = nullptr;
std::atomic<std::uint32_t> visits_left = 0;
std::atomic<int> armed_signal = 0;
std::atomic<void (*)(const char*)> observer = nullptr;

}  // namespace

void arm_crash_point(const char* name, std::uint32_t visit, int signal) {
  visits_left = visit;
  armed_signal = signal;
  armed_name = name;
}

void observe_crash_points(void (*report)(const char*)) { observer = report; }

void visit_crash_point(const char* name) {
  if (const auto report = observer.load()) report(name);
  const char* armed = armed_name.load();
  if (armed == nullptr || std::strcmp(armed, name) != 0) return;
  if (visits_left.fetch_sub(1) == 1) std::raise(armed_signal);
}

}  // namespace wyvern
