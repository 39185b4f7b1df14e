#include "transport/remote_peer.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "support/stamped.hpp"
#include "transport/shm_files.hpp"

namespace wyvern::test {
namespace {

constexpr Puid sender{1};

void* map_memory(std::size_t bytes, int flags) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return memory;
}

}  // namespace

/// What the peer does, wherever it is.
class RemotePeer::Player : public EndpointHandler {
 public:
  Player(RemotePeerBoard& board, OpenedEndpoint opened, std::span<const std::byte> tester,
         const RemotePeerOptions& options)
      : board_(board),
        opened_(std::move(opened)),
        message_bytes_(options.message_bytes),
        memory_bytes_(options.memory_bytes) {
    tester_ = opened_.endpoint->add_peer(tester);
    if (memory_bytes_ != 0) {
      memory_ = static_cast<std::byte*>(map_memory(memory_bytes_, MAP_PRIVATE));
      registered_ = opened_.endpoint->register_memory({memory_, memory_bytes_});
      board_.memory = registered_->remote();
    }
    const auto& address = opened_.endpoint->address();
    std::ranges::copy(address, board_.address.begin());
    board_.address_bytes = address.size();
    board_.is_ready = true;
  }
  ~Player() override {
    registered_.reset();
    if (memory_ != nullptr) ::munmap(memory_, memory_bytes_);
  }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  /// Whether there was something to do.
  bool work() {
    ++board_.rounds;
    std::size_t events = 0;
    if (board_.polls) events = opened_.endpoint->poll(*this);
    board_.for_somebody_else = opened_.endpoint->counters().for_somebody_else;
    return send() || events != 0;
  }
  OpenedEndpoint& opened() { return opened_; }

 private:
  bool send() {
    if (!board_.sends) return false;
    const auto outcome = opened_.endpoint->send(tester_, make_stamped({sender, board_.sent}, message_bytes_));
    if (outcome == SendOutcome::done) ++board_.sent;
    return outcome == SendOutcome::done;
  }
  void message(PeerNumber, std::span<const std::byte> bytes) override {
    try {
      const bool is_next = read_stamped(bytes).sequence == board_.received;
      ++(is_next ? board_.received : board_.out_of_order);
    } catch (const std::runtime_error&) {
      ++board_.damaged;
    }
  }
  void send_failed(PeerNumber, int) override {}
  void read_ended(RemoteRead&, ReadResult, int) override {}

  RemotePeerBoard& board_;
  OpenedEndpoint opened_;
  PeerNumber tester_ = 0;
  std::size_t message_bytes_;
  std::size_t memory_bytes_;
  std::byte* memory_ = nullptr;
  std::unique_ptr<RegisteredMemory> registered_;
};

void RemotePeer::Unmap::operator()(RemotePeerBoard* board) const { ::munmap(board, sizeof *board); }

RemotePeer::RemotePeer(EndpointPath& path, std::span<const std::byte> tester,
                       const RemotePeerOptions& options)
    : path_(path), board_(new(map_memory(sizeof(RemotePeerBoard), MAP_SHARED)) RemotePeerBoard) {
  const auto open = [&] { return options.former ? path.open_where(*options.former) : path.open(); };
  if (!path.reaches_processes()) {
    player_ = std::make_unique<Player>(*board_, open(), tester, options);
    return;
  }
  child_.emplace([&]() -> int {
    Player player(*board_, open(), tester, options);
    while (true) {
      if (!player.work()) ::sched_yield();
    }
  });
  while (!board_->is_ready) work();
}

RemotePeer::~RemotePeer() {
  if (!is_killed_) kill();
  if (child_) remove_shm_files_of(child_->pid());
}

void RemotePeer::work() {
  if (is_killed_) return;
  if (player_) {
    player_->work();
  } else if (const auto status = child_->poll()) {
    throw std::runtime_error("the remote peer has ended with status " + std::to_string(*status));
  } else {
    ::sched_yield();
  }
}

void RemotePeer::tell(std::atomic<bool> RemotePeerBoard::*what, bool value) {
  (*board_).*what = value;
  // The round that is under way may have looked before.
  const std::uint64_t before = board_->rounds;
  while (board_->rounds < before + 2) work();
}

void RemotePeer::set_polls(bool polls) { tell(&RemotePeerBoard::polls, polls); }

void RemotePeer::set_sends(bool sends) { tell(&RemotePeerBoard::sends, sends); }

void RemotePeer::kill() {
  is_killed_ = true;
  if (player_) {
    path_.kill(player_->opened());
    player_.reset();
    return;
  }
  child_->send(SIGKILL);
  child_->wait();
}

std::uint64_t resident_bytes(const std::string& process) {
  std::ifstream file("/proc/" + process + "/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace wyvern::test
