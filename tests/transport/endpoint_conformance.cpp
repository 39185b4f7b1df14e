#include "transport/endpoint_conformance.hpp"

#include <algorithm>
#include <cstddef>

namespace wyvern::test {

void EndpointConformance::SetUp() {
  path_ = make_endpoint_path(GetParam());
  if (path_ == nullptr) GTEST_SKIP() << "not offered by this libfabric";
  a_ = &open_side();
  b_ = &open_side();
  to_b_ = a_->endpoint.add_peer(b_->endpoint.address());
  to_a_ = b_->endpoint.add_peer(a_->endpoint.address());
}

void EndpointConformance::TearDown() {
  // The peers go before the endpoints that talk to them, and all before the path.
  remote_peers_.clear();
  sides_.clear();
}

RemotePeer& EndpointConformance::play(const RemotePeerOptions& options) {
  return remote_peers_.emplace_back(*path_, a_->endpoint.address(), options);
}

void EndpointConformance::poll_all() {
  for (Side& side : sides_) side.poll();
  for (RemotePeer& peer : remote_peers_) peer.work();
}

void EndpointConformance::poll_for(int rounds) {
  for (int i = 0; i < rounds; ++i) poll_all();
}

void EndpointConformance::send(Side& from, PeerNumber to, const Bytes& message) {
  SendOutcome outcome = from.endpoint.send(to, message);
  while (outcome == SendOutcome::retry) {
    poll_all();
    outcome = from.endpoint.send(to, message);
  }
  ASSERT_EQ(outcome, SendOutcome::done);
}

Mailbox::ReadEnd EndpointConformance::read(Side& reader, RemoteRead& read) {
  reader.endpoint.read(read);
  const std::size_t before = reader.mailbox.reads.size();
  poll_until([&] { return reader.mailbox.reads.size() > before; });
  EXPECT_FALSE(read.is_running());
  return reader.mailbox.reads.back();
}

bool Side::has_got(const Bytes& message, std::size_t after) const {
  return std::any_of(mailbox.messages.begin() + static_cast<std::ptrdiff_t>(after), mailbox.messages.end(),
                     [&](const auto& got) { return got.second == message; });
}

void EndpointConformance::expect_talk(Side& from, PeerNumber to, Side& receiver) {
  const std::size_t before = receiver.mailbox.messages.size();
  const Bytes message = pattern(77, static_cast<unsigned>(before));
  send(from, to, message);
  poll_until([&] { return receiver.has_got(message, before); });
}

}  // namespace wyvern::test
