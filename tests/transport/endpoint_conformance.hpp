#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "transport/endpoint_path.hpp"
#include "transport/mailbox.hpp"
#include "transport/remote_peer.hpp"

namespace wyvern::test {

/// An endpoint and who is told of what comes.
struct Side {
  explicit Side(OpenedEndpoint its) : opened(std::move(its)), endpoint(*opened.endpoint) {}
  std::size_t poll() { return opened.endpoint == nullptr ? 0 : endpoint.poll(mailbox); }
  /// No more calls but poll, which does nothing.
  void close() { opened = {}; }
  bool has_got(const Bytes& message, std::size_t after = 0) const;

  OpenedEndpoint opened;
  Endpoint& endpoint;
  Mailbox mailbox;
};

/// What every endpoint has to do, over each path: two endpoints in this process that are peers, and whatever
/// else a test asks for.
class EndpointConformance : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Side& open_side() { return sides_.emplace_back(path_->open()); }
  /// A further peer of `a_`, and what number it has there.
  RemotePeer& play(const RemotePeerOptions& options = {});

  /// All sides and remote peers get on.
  void poll_all();
  template <class Condition>
  void poll_until(Condition condition) {
    while (!condition()) poll_all();  // the watchdog ends what never becomes true
  }
  /// So many rounds: for what may come but does not have to.
  void poll_for(int rounds);
  /// Sends until it is done.
  void send(Side& from, PeerNumber to, const Bytes& message);
  /// Reads all of it, and says how that ended.
  Mailbox::ReadEnd read(Side& reader, RemoteRead& read);
  /// That a message gets from one to the other.
  void expect_talk(Side& from, PeerNumber to, Side& receiver);

  const ProviderTraits& traits() const { return path_->traits(); }

  std::unique_ptr<EndpointPath> path_;
  std::deque<Side> sides_;
  std::deque<RemotePeer> remote_peers_;
  Side* a_ = nullptr;
  Side* b_ = nullptr;
  PeerNumber to_a_ = 0;  // b's number of a
  PeerNumber to_b_ = 0;
};

inline auto every_path() { return ::testing::ValuesIn(endpoint_paths()); }
inline std::string path_name(const ::testing::TestParamInfo<const char*>& path) { return path.param; }

}  // namespace wyvern::test
