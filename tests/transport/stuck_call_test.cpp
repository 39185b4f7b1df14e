#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rdma/fi_errno.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/call_watchdog.hpp>
#include <wyvern/transport/fabric_setup.hpp>
#include <wyvern/transport/shm_peer.hpp>

#include "child_pipe.hpp"
#include "shm_files.hpp"
#include "support/child.hpp"
#include "two_endpoints.hpp"

// The fault of the provider shm that the watchdog is there for: a receiver is killed while it copies a large
// message, with the lock of its queue held, and the next send to it never returns.
namespace wyvern::test {
namespace {

constexpr std::size_t large = std::size_t{128} << 20;
constexpr int not_shown = 4;

/// Memory that a process and its children have in common.
class CommonMemory {
 public:
  CommonMemory() : begin_(::mmap(nullptr, large, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    if (begin_ == MAP_FAILED) throw OutOfMemory(describe_errno("mmap", errno));
  }
  ~CommonMemory() { ::munmap(begin_, large); }
  CommonMemory(const CommonMemory&) = delete;
  CommonMemory& operator=(const CommonMemory&) = delete;
  volatile std::byte& first() const { return *static_cast<volatile std::byte*>(begin_); }
  void* begin() const { return begin_; }

 private:
  void* begin_;
};

FabricObjects open_shm() { return open_fabric_objects({.provider = "shm"}, 4096); }

void poll(const FabricObjects& objects) {
  fi_cq_data_entry entry{};
  ::fi_cq_read(objects.completions.get(), &entry, 1);
}

/// Takes one large message into `memory`.
int receive(const CommonMemory& memory, const ChildPipe& name) {
  const FabricObjects objects = open_shm();
  fi_context2 context{};
  if (::fi_recv(objects.endpoint.get(), memory.begin(), large, nullptr, FI_ADDR_UNSPEC, &context) != 0 ||
      !name.write(objects.name))
    return 1;
  while (true) poll(objects);
}

/// Sends that message, kills who receives it while it does, and sends once more. Returns if that did: then
/// the receiver happened not to hold its lock.
void send_to_one_that_is_killed(const ChildPipe& report) {
  const CommonMemory memory;
  ChildPipe name_pipe;
  Child receiver([&] { return receive(memory, name_pipe); });
  const std::vector<std::byte> name = name_pipe.read();
  const ShmPeer peer(name);
  const FabricObjects objects = open_shm();
  fi_addr_t address = FI_ADDR_UNSPEC;
  if (::fi_av_insert(objects.addresses.get(), name.data(), 1, &address, 0, nullptr) != 1)
    throw Error(ErrorCode::unreachable, "the receiver's address was not taken");
  CallMark mark;
  CallWatchdog watchdog(
      mark, "shm", {.stuck_after = std::chrono::milliseconds(500), .handler = [&](const StuckCall& call) {
                      peer.remove_leftover();
                      const std::string text = describe(call);
                      report.write(std::as_bytes(std::span(text)));
                    }});
  watchdog.name_peer(7, reinterpret_cast<const char*>(name.data()));
  std::vector<std::byte> message(large, std::byte{1});
  fi_context2 context{};
  while (::fi_send(objects.endpoint.get(), message.data(), large, nullptr, address, &context) == -FI_EAGAIN)
    poll(objects);
  while (memory.first() == std::byte{0}) {
  }
  receiver.send(SIGKILL);
  receiver.wait();
  fi_context2 of_small{};
  mark.enter(7);
  ::fi_send(objects.endpoint.get(), message.data(), 8, nullptr, address, &of_small);
  mark.leave();
  peer.remove_leftover();
}

TEST(StuckCall, send_to_one_that_was_killed_while_it_copied_is_reported) {
  if (!is_offered("shm")) GTEST_SKIP() << "not offered by this libfabric";
  ChildPipe report;
  Child sender([&] {
    for (int attempt = 0; attempt < 20; ++attempt) send_to_one_that_is_killed(report);
    return not_shown;
  });
  const std::vector<std::byte> bytes = report.read();
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  sender.send(SIGKILL);
  const int status = sender.wait();
  remove_shm_files_of(sender.pid());
  if (status == not_shown) GTEST_SKIP() << "this libfabric does not seem to have the fault";
  EXPECT_EQ(status, -SIGKILL);
  EXPECT_TRUE(text.starts_with("a call to peer 7 (fi_shm://")) << text;
}

}  // namespace
}  // namespace wyvern::test
