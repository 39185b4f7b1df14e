#include "transport/remote_peer.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <wyvern/core/file_descriptor.hpp>

#include "support/stamped.hpp"
#include "transport/shm_files.hpp"

namespace wyvern::test {
namespace {

constexpr Puid sender{1};

/// The argument after which the board's descriptor comes.
constexpr const char* as_remote_peer = "--as-remote-peer";

void* map_memory(std::size_t bytes, int flags, int descriptor) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  return memory;
}

FileDescriptor make_board_memory() {
  FileDescriptor memory(::memfd_create("remote peer", MFD_CLOEXEC));
  if (!memory || ::ftruncate(memory.get(), sizeof(RemotePeerBoard)) != 0)
    throw std::system_error(errno, std::generic_category(), "memory for a remote peer's board");
  return memory;
}

[[noreturn]] void start_anew(int board_memory) {
  ::fcntl(board_memory, F_SETFD, 0);
  ::execl("/proc/self/exe", "remote_peer", as_remote_peer, std::to_string(board_memory).c_str(), nullptr);
  throw std::system_error(errno, std::generic_category(), "execl");
}

OpenedEndpoint open(EndpointPath& path, const RemotePeerBoard& board) {
  return board.former.size != 0 ? path.open_where(decode_peer_address(board.former.get())) : path.open();
}

}  // namespace

void SharedAddress::set(std::span<const std::byte> address) {
  std::ranges::copy(address, bytes.begin());
  size = address.size();
}

/// What the peer does, wherever it is.
class RemotePeer::Player : public EndpointHandler {
 public:
  Player(RemotePeerBoard& board, OpenedEndpoint opened) : board_(board), opened_(std::move(opened)) {
    tester_ = opened_.endpoint->add_peer(board_.tester.get());
    if (board_.memory_bytes != 0) {
      memory_ = static_cast<std::byte*>(map_memory(board_.memory_bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1));
      registered_ = opened_.endpoint->register_memory({memory_, board_.memory_bytes});
      board_.memory = registered_->remote();
    }
    board_.address.set(opened_.endpoint->address());
    board_.is_ready = true;
  }
  ~Player() override {
    registered_.reset();
    if (memory_ != nullptr) ::munmap(memory_, board_.memory_bytes);
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
    const auto outcome =
        opened_.endpoint->send(tester_, make_stamped({sender, board_.sent}, board_.message_bytes));
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
  std::byte* memory_ = nullptr;
  std::unique_ptr<RegisteredMemory> registered_;
};

void RemotePeer::Unmap::operator()(RemotePeerBoard* board) const { ::munmap(board, sizeof *board); }

RemotePeer::RemotePeer(EndpointPath& path, std::span<const std::byte> tester,
                       const RemotePeerOptions& options)
    : path_(path) {
  const FileDescriptor memory = make_board_memory();
  board_.reset(new (map_memory(sizeof(RemotePeerBoard), MAP_SHARED, memory.get())) RemotePeerBoard);
  path.traits().request.copy(board_->path.data(), board_->path.size() - 1);
  board_->tester.set(tester);
  if (options.former) board_->former.set(encode_peer_address(*options.former));
  board_->message_bytes = options.message_bytes;
  board_->memory_bytes = options.memory_bytes;
  if (!path.reaches_processes()) {
    player_ = std::make_unique<Player>(*board_, open(path, *board_));
    return;
  }
  child_.emplace([&] {
    if (!path.traits().works_in_a_fork) start_anew(memory.get());
    return play(*board_, path);
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
  if (path_.traits().sends_to_the_dead_return) {
    child_->send(SIGKILL);
  } else {
    board_->dies = true;
  }
  child_->wait();
}

int RemotePeer::play(RemotePeerBoard& board, EndpointPath& path) {
  Player player(board, open(path, board));
  while (true) {
    if (!player.work()) ::sched_yield();
    if (board.dies) ::raise(SIGKILL);
  }
}

std::optional<int> play_if_remote_peer(int argc, char** argv) {
  if (argc != 3 || std::string_view(argv[1]) != as_remote_peer) return std::nullopt;
  try {
    void* memory = map_memory(sizeof(RemotePeerBoard), MAP_SHARED, std::stoi(argv[2]));
    auto& board = *static_cast<RemotePeerBoard*>(memory);
    const auto path = make_endpoint_path(board.path.data());
    if (path == nullptr) throw std::runtime_error("there is no " + std::string(board.path.data()));
    RemotePeer::play(board, *path);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "remote peer %d: %s\n", static_cast<int>(::getpid()), error.what());
  }
  return EXIT_FAILURE;
}

std::uint64_t resident_bytes(const std::string& process) {
  std::ifstream file("/proc/" + process + "/statm");
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace wyvern::test
