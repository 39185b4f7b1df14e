#include <cerrno>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

#include <wyvern/core/error.hpp>

#include "transport/endpoint_conformance.hpp"

namespace wyvern::test {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

class EndpointReads : public EndpointConformance {
 protected:
  /// Memory of b's that a reads, and a's for what was read.
  void register_both(std::size_t bytes) {
    memory_ = pattern(bytes);
    copy_.assign(bytes, std::byte{0});
    source_ = b_->endpoint.register_memory(memory_);
    destination_ = a_->endpoint.register_memory(copy_);
  }
  void TearDown() override {
    source_.reset();
    destination_.reset();
    EndpointConformance::TearDown();
  }
  /// A read of a part to the same part.
  RemoteRead part(std::size_t offset, std::size_t bytes) {
    return {to_b_, source_->remote().part(offset, bytes), std::span(copy_).subspan(offset, bytes),
            destination_.get()};
  }
  void expect_read(RemoteRead& remote_read) {
    const auto end = read(*a_, remote_read);
    EXPECT_EQ(end.read, &remote_read);
    EXPECT_EQ(end.result, ReadResult::done);
    EXPECT_EQ(end.error, 0);
  }
  /// The bytes from `offset` on are there, and those around them are as they were.
  void expect_only(std::size_t offset, std::size_t bytes) {
    Bytes expected(copy_.size());
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(offset), bytes,
                expected.begin() + static_cast<std::ptrdiff_t>(offset));
    EXPECT_TRUE(copy_ == expected);
  }

  Bytes memory_;
  Bytes copy_;
  std::unique_ptr<RegisteredMemory> source_;
  std::unique_ptr<RegisteredMemory> destination_;
};
INSTANTIATE_TEST_SUITE_P(Over, EndpointReads, every_path(), path_name);

TEST_P(EndpointReads, of_every_size_bring_the_bytes_and_no_others) {
  register_both(3 * mebibyte + 1000);
  // One byte, around a page and a piece, several pieces and a rest; mostly unaligned.
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{7}, std::size_t{4095}, std::size_t{4096}, std::size_t{4097},
        std::size_t{65'537}, mebibyte - 1, mebibyte, mebibyte + 1, 3 * mebibyte - 5}) {
    for (const std::size_t offset : {std::size_t{0}, std::size_t{13}}) {
      std::ranges::fill(copy_, std::byte{0});
      RemoteRead remote_read = part(offset, bytes);
      const std::uint64_t before = a_->endpoint.counters().bytes_read;
      expect_read(remote_read);
      expect_only(offset, bytes);
      EXPECT_EQ(a_->endpoint.counters().bytes_read, before + bytes);
    }
  }
  EXPECT_EQ(a_->endpoint.counters().failed_reads, 0U);
}

TEST_P(EndpointReads, of_64_MiB_bring_the_bytes) {
  register_both(path_->scaled(64) * mebibyte);
  RemoteRead remote_read = part(0, memory_.size());
  const std::uint64_t heard = a_->endpoint.heard_from(to_b_);
  expect_read(remote_read);
  EXPECT_TRUE(copy_ == memory_);
  EXPECT_GT(a_->endpoint.heard_from(to_b_), heard) << "bytes that were read are signs of life";
}

TEST_P(EndpointReads, side_by_side_and_with_messages_in_between_all_end_once) {
  constexpr std::size_t each = 300'001;
  constexpr std::size_t count = 40;
  register_both(count * each);
  std::deque<RemoteRead> reads;
  for (std::size_t i = 0; i < count; ++i) {
    RemoteRead& one = reads.emplace_back(to_b_, source_->remote().part(i * each, each),
                                         std::span(copy_).subspan(i * each, each), destination_.get());
    a_->endpoint.read(one);
    send(*a_, to_b_, pattern(100, static_cast<unsigned>(i)));
    send(*b_, to_a_, pattern(100, static_cast<unsigned>(i)));
  }
  poll_until([&] {
    return a_->mailbox.reads.size() == count && a_->mailbox.messages.size() == count &&
           b_->mailbox.messages.size() == count;
  });
  poll_for(100);
  EXPECT_EQ(a_->mailbox.reads.size(), count);
  for (const auto& end : a_->mailbox.reads) EXPECT_EQ(end.result, ReadResult::done);
  for (const RemoteRead& one : reads) EXPECT_FALSE(one.is_running());
  EXPECT_TRUE(copy_ == memory_);
}

TEST_P(EndpointReads, in_both_directions_at_a_time_bring_the_bytes) {
  register_both(5 * mebibyte + 1);
  Bytes memory_of_a = pattern(5 * mebibyte + 1, 9);
  Bytes copy_at_b(memory_of_a.size());
  const auto source = a_->endpoint.register_memory(memory_of_a);
  const auto destination = b_->endpoint.register_memory(copy_at_b);
  RemoteRead to_a = part(0, memory_.size());
  RemoteRead to_b(to_a_, source->remote(), copy_at_b, destination.get());
  a_->endpoint.read(to_a);
  b_->endpoint.read(to_b);
  poll_until([&] { return a_->mailbox.reads.size() == 1 && b_->mailbox.reads.size() == 1; });
  EXPECT_TRUE(copy_ == memory_);
  EXPECT_TRUE(copy_at_b == memory_of_a);
}

TEST_P(EndpointReads, see_what_is_in_the_memory_when_they_are_made) {
  register_both(1000);
  for (unsigned i = 0; i < 3; ++i) {
    std::ranges::copy(pattern(1000, i), memory_.begin());
    RemoteRead remote_read = part(0, 1000);
    expect_read(remote_read);
    EXPECT_EQ(copy_, pattern(1000, i));
  }
}

TEST_P(EndpointReads, into_memory_that_is_not_registered_are_done_or_refused_as_the_endpoint_says) {
  register_both(1000);
  RemoteRead remote_read(to_b_, source_->remote(), copy_);
  if (a_->endpoint.reads_into_registered_memory_only()) {
    EXPECT_THROW(a_->endpoint.read(remote_read), InvalidArgument);
    return;
  }
  expect_read(remote_read);
  EXPECT_EQ(copy_, memory_);
}

TEST_P(EndpointReads, that_cannot_be_meant_are_refused) {
  register_both(1000);
  Bytes elsewhere(1000);
  RemoteRead not_within(to_b_, source_->remote(), elsewhere, destination_.get());
  EXPECT_THROW(a_->endpoint.read(not_within), InvalidArgument);
  RemoteRead shorter(to_b_, source_->remote(), std::span(copy_).first(999), destination_.get());
  EXPECT_THROW(a_->endpoint.read(shorter), InvalidArgument);
  RemoteRead nothing(to_b_, source_->remote().part(0, 0), std::span(copy_).first(0), destination_.get());
  EXPECT_THROW(a_->endpoint.read(nothing), InvalidArgument);
  RemoteRead from_nobody(to_b_ + 1, source_->remote(), copy_, destination_.get());
  EXPECT_THROW(a_->endpoint.read(from_nobody), InvalidArgument);
  RemoteRead twice = part(0, 1000);
  a_->endpoint.read(twice);
  EXPECT_THROW(a_->endpoint.read(twice), InvalidArgument);
  poll_until([&] { return !a_->mailbox.reads.empty(); });
  EXPECT_THROW(a_->endpoint.register_memory({}), InvalidArgument);
  EXPECT_EQ(a_->mailbox.reads.size(), 1U);
}

TEST_P(EndpointReads, registrations_of_one_memory_have_keys_of_their_own) {
  register_both(1000);
  const auto second = b_->endpoint.register_memory(std::span(memory_).subspan(500));
  EXPECT_NE(second->remote().key, source_->remote().key);
  EXPECT_EQ(second->remote().size, 500U);
  RemoteRead remote_read(to_b_, second->remote(), std::span(copy_).subspan(500), destination_.get());
  expect_read(remote_read);
  expect_only(500, 500);
}

/// A read that has to fail; after it all works as before, or what is lost with it is what the table says.
class EndpointFailedReads : public EndpointReads {
 protected:
  void expect_failure(RemoteRead& remote_read) {
    expect_talk(*a_, to_b_, *b_);
    if (!traits().keys_are_checked) {
      const auto end = read(*a_, remote_read);
      EXPECT_EQ(end.result, ReadResult::done) << "if keys are checked now, say so in the table";
      return;
    }
    const auto end = read(*a_, remote_read);
    EXPECT_EQ(end.result, ReadResult::failed);
    EXPECT_NE(end.error, 0);
    EXPECT_GT(a_->endpoint.counters().failed_reads, 0U);
    if (!traits().connections_recover) return expect_lost_until_opened_anew();
    expect_talk_again(*b_, to_a_, *a_);
    expect_talk_again(*a_, to_b_, *b_);
  }
  /// The connection is lost for good, which both sides are told when they send; others lose nothing. With a
  /// new endpoint of one of them, which from then on is `a_`, all is as before.
  void expect_lost_until_opened_anew() {
    Side& other = open_side();
    const PeerNumber to_other = a_->endpoint.add_peer(other.endpoint.address());
    other.endpoint.add_peer(a_->endpoint.address());
    expect_send_fails(*a_, to_b_);
    expect_send_fails(*b_, to_a_);
    a_->endpoint.remove_peer(to_b_);
    expect_send_fails(*a_, a_->endpoint.add_peer(b_->endpoint.address()));
    expect_talk(*a_, to_other, other);

    destination_.reset();
    b_->endpoint.remove_peer(to_a_);
    a_->close();
    a_ = &open_side();
    to_b_ = a_->endpoint.add_peer(b_->endpoint.address());
    to_a_ = b_->endpoint.add_peer(a_->endpoint.address());
    destination_ = a_->endpoint.register_memory(copy_);
    expect_talk(*b_, to_a_, *a_);
    expect_talk(*a_, to_b_, *b_);
  }
  void expect_send_fails(Side& from, PeerNumber to) {
    const std::size_t failures = from.mailbox.failures.size();
    SendOutcome outcome = SendOutcome::retry;
    poll_until([&] {
      outcome = from.endpoint.send(to, pattern(300));
      return outcome != SendOutcome::retry;
    });
    if (outcome == SendOutcome::failed) return;
    const Side& receiver = &from == a_ ? *b_ : *a_;
    const std::size_t received = receiver.mailbox.messages.size();
    poll_until([&] {
      return from.mailbox.failures.size() != failures || receiver.mailbox.messages.size() != received;
    });
    ASSERT_NE(from.mailbox.failures.size(), failures) << "the connection came back: say so in the table";
    EXPECT_EQ(from.mailbox.failures.back().first, to);
  }
  /// Providers may close the connection of a read that fails; a message that is lost by that is told.
  void expect_talk_again(Side& from, PeerNumber to, Side& receiver) {
    const Bytes message = pattern(300);
    const std::size_t before = receiver.mailbox.messages.size();
    for (bool is_there = false; !is_there;) {
      const std::size_t failures = from.mailbox.failures.size();
      send(from, to, message);
      poll_until([&] {
        is_there = receiver.has_got(message, before);
        return is_there || from.mailbox.failures.size() != failures;
      });
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Over, EndpointFailedReads, every_path(), path_name);

TEST_P(EndpointFailedReads, with_a_wrong_key_end_as_failed) {
  register_both(1000);
  RemoteMemory wrong = source_->remote();
  wrong.key ^= 1;
  RemoteRead remote_read(to_b_, wrong, copy_, destination_.get());
  expect_failure(remote_read);
  RemoteRead right = part(0, 1000);
  expect_read(right);
  EXPECT_EQ(copy_, memory_);
}

TEST_P(EndpointFailedReads, of_several_pieces_with_a_wrong_key_end_once) {
  register_both(9 * mebibyte);
  RemoteMemory wrong = source_->remote();
  wrong.key ^= 1;
  RemoteRead remote_read(to_b_, wrong, copy_, destination_.get());
  const Side& reader = *a_;
  expect_failure(remote_read);
  poll_for(100);
  EXPECT_EQ(reader.mailbox.reads.size(), 1U);
}

TEST_P(EndpointFailedReads, of_memory_that_is_registered_no_more_end_as_failed) {
  register_both(1000);
  RemoteRead before = part(0, 1000);
  expect_read(before);
  const RemoteMemory was = source_->remote();
  source_.reset();
  RemoteRead remote_read(to_b_, was, copy_, destination_.get());
  expect_failure(remote_read);
  source_ = b_->endpoint.register_memory(memory_);
  RemoteRead again = part(0, 1000);
  expect_read(again);
}

TEST_P(EndpointFailedReads, beyond_what_is_registered_end_as_failed) {
  register_both(2000);
  source_ = b_->endpoint.register_memory(std::span(memory_).first(1000));
  const RemoteMemory beyond{
      .address = source_->remote().address + 500, .key = source_->remote().key, .size = 1000};
  RemoteRead remote_read(to_b_, beyond, std::span(copy_).first(1000), destination_.get());
  expect_failure(remote_read);
}

TEST_P(EndpointReads, under_way_when_their_peer_is_removed_end_and_others_get_on) {
  register_both(8 * mebibyte);
  RemoteRead remote_read = part(0, memory_.size());
  expect_talk(*a_, to_b_, *b_);
  a_->endpoint.read(remote_read);
  a_->endpoint.remove_peer(to_b_);
  poll_until([&] { return !a_->mailbox.reads.empty(); });
  EXPECT_NE(a_->mailbox.reads[0].result, ReadResult::done);
  EXPECT_NE(a_->mailbox.reads[0].error, 0);
  // The peer lives: whatever the provider has begun comes to its end.
  poll_until([&] { return !remote_read.is_running(); });
  EXPECT_EQ(a_->mailbox.reads.back().result, ReadResult::failed);
  poll_for(100);
  EXPECT_LE(a_->mailbox.reads.size(), 2U);

  const PeerNumber again = a_->endpoint.add_peer(b_->endpoint.address());
  RemoteRead second(again, source_->remote(), copy_, destination_.get());
  expect_read(second);
  EXPECT_TRUE(copy_ == memory_);
}

TEST_P(EndpointReads, of_which_a_part_has_come_do_not_keep_their_endpoint_from_being_closed) {
  register_both(8 * mebibyte);
  RemoteRead remote_read = part(0, memory_.size());
  expect_talk(*a_, to_b_, *b_);
  a_->endpoint.read(remote_read);
  for (int i = 0; i < 3; ++i) b_->poll();
  for (int i = 0; i < 3; ++i) a_->poll();
  destination_.reset();
  a_->close();
  poll_for(10);

  Side& another = open_side();
  const PeerNumber to_b = another.endpoint.add_peer(b_->endpoint.address());
  b_->endpoint.add_peer(another.endpoint.address());
  expect_talk(another, to_b, *b_);
}

TEST_P(EndpointReads, from_a_peer_that_does_not_poll_do_not_keep_others_from_being_read) {
  register_both(3 * mebibyte);
  Side& silent = open_side();
  const PeerNumber to_silent = a_->endpoint.add_peer(silent.endpoint.address());
  silent.endpoint.add_peer(a_->endpoint.address());
  expect_talk(*a_, to_silent, silent);
  Bytes its_memory = pattern(mebibyte, 5);
  const auto its_registered = silent.endpoint.register_memory(its_memory);
  Bytes its_copy(50 * its_memory.size());
  const auto its_destination = a_->endpoint.register_memory(its_copy);
  std::deque<RemoteRead> silent_reads;
  for (std::size_t i = 0; i < 50; ++i) {
    a_->endpoint.read(silent_reads.emplace_back(to_silent, its_registered->remote(),
                                                std::span(its_copy).subspan(i * mebibyte, mebibyte),
                                                its_destination.get()));
  }
  RemoteRead remote_read = part(0, memory_.size());
  a_->endpoint.read(remote_read);
  while (remote_read.is_running()) {
    a_->poll();
    b_->poll();
  }
  EXPECT_TRUE(copy_ == memory_);
  poll_until([&] { return a_->mailbox.reads.size() == 51; });
  for (const auto& end : a_->mailbox.reads) EXPECT_EQ(end.result, ReadResult::done);
}

}  // namespace
}  // namespace wyvern::test
