// Passes messages between two endpoints in this process, for counting instructions: see
// bench/transport_instructions.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "bench/common/stamped.hpp"
#include "bench/transport/links.hpp"

namespace wyvern::bench {
namespace {

/// Before counting begins: a connection is made, and what is done once has been done.
constexpr std::uint64_t warm_up_messages = 2000;

/// What the program is for: its name is what callgrind counts in.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void run(std::uint64_t messages) = 0;
  std::uint64_t polls_in_vain = 0;
};

}  // namespace

extern "C" [[gnu::noinline]] void wyvern_counted_exchange(void* exchange, std::uint64_t messages) {
  static_cast<Exchange*>(exchange)->run(messages);
}

namespace {

template <class Link>
class LinkExchange final : public Exchange {
 public:
  LinkExchange(Link& from, Link& to, std::size_t bytes) : from_(from), to_(to), bytes_(bytes) {}

  /// Each message is sent, its completion taken, and the message received, before the next one.
  void run(std::uint64_t messages) override {
    for (std::uint64_t i = 0; i < messages; ++i) {
      while (!from_.has_room()) poll(from_);
      write_stamp(from_.outgoing(bytes_), i);
      while (!from_.try_send(bytes_)) poll_both();
      poll(from_);
      for (come_ = false; !come_;) poll(to_);
      if (stamp_ != i) throw std::runtime_error("another message came than the one that was sent");
    }
  }

 private:
  void poll_both() {
    poll(from_);
    poll(to_);
  }
  void poll(Link& link) {
    const std::size_t events = link.poll([this](std::span<const std::byte> message) {
      stamp_ = read_stamp(message);
      come_ = true;
    });
    if (events == 0) ++polls_in_vain;
  }

  Link& from_;
  Link& to_;
  std::size_t bytes_;
  std::uint64_t stamp_ = 0;
  bool come_ = false;
};

TransportSystem parse_system(const std::string& name) {
  if (name == "wyvern") return TransportSystem::endpoint;
  if (name == "fabric") return TransportSystem::fabric;
  if (name == "fabric+16") return TransportSystem::fabric_same_bytes;
  throw std::runtime_error("there is no system '" + name + "', only wyvern, fabric, fabric+16");
}

void exchange(TransportSystem system, const std::string& provider, std::size_t bytes,
              std::uint64_t messages) {
  with_link(system, provider, bytes, [&](auto& from) {
    with_link(system, provider, bytes, [&]<class Other>(Other& to) {
      if constexpr (std::is_same_v<Other, std::remove_reference_t<decltype(from)>>) {
        from.connect(to.address());
        to.connect(from.address());
        LinkExchange exchange(from, to, bytes);
        exchange.run(warm_up_messages);
        exchange.polls_in_vain = 0;
        wyvern_counted_exchange(static_cast<Exchange*>(&exchange), messages);
        std::cout << messages << " messages, " << exchange.polls_in_vain << " polls in vain\n";
      }
    });
  });
}

}  // namespace
}  // namespace wyvern::bench

int main(int argc, char** argv) {
  constexpr int arguments = 5;
  if (argc != arguments) {
    std::cerr << "usage: transport_exchange wyvern|fabric|fabric+16 PROVIDER BYTES MESSAGES\n";
    return 2;
  }
  try {
    wyvern::bench::exchange(wyvern::bench::parse_system(argv[1]), argv[2], std::stoul(argv[3]),
                            std::stoul(argv[4]));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "transport_exchange: " << error.what() << '\n';
    return 1;
  }
}
