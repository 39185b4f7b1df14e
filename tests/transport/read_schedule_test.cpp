#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/read_schedule.hpp>

#include "transport/mailbox.hpp"

namespace wyvern::test {
namespace {

constexpr std::uint64_t piece_bytes = 10;
constexpr PeerNumber peer = 0;
constexpr PeerNumber other_peer = 1;
constexpr std::uint64_t many_pieces = 1000;

/// A schedule, and in place of a provider a list of the pieces that are under way.
class ReadScheduleTest : public ::testing::Test {
 protected:
  ReadScheduleTest() : memory_(many_pieces * piece_bytes) {
    for (PeerNumber number = 0; number < 8; ++number) schedule_.peer_added(number);
  }

  /// The reads' destinations may be the same: nothing is written.
  RemoteRead& add(PeerNumber from, std::uint64_t bytes) {
    RemoteRead& read = reads_.emplace_back(from, RemoteMemory{.address = 1000, .key = 7, .size = bytes},
                                           std::span(memory_).first(bytes));
    schedule_.add(read, false);
    return read;
  }
  void go_on() {
    schedule_.go_on([this](ReadPiece& piece) {
      if (begin_error_ == 0) under_way_.push_back(&piece);
      return begin_error_;
    });
  }
  ReadPiece& take(std::size_t place = 0) {
    ReadPiece& piece = *under_way_.at(place);
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(place));
    return piece;
  }
  std::size_t under_way(const RemoteRead& read) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(under_way_, [&](const ReadPiece* piece) { return piece->read == &read; }));
  }
  std::size_t under_way_from(PeerNumber from) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        under_way_, [&](const ReadPiece* piece) { return piece->read->from() == from; }));
  }
  /// What was told since the last call.
  std::vector<Mailbox::ReadEnd> ends() {
    mailbox_.reads.clear();
    schedule_.tell(mailbox_);
    return mailbox_.reads;
  }
  void expect_one_end(const RemoteRead& read, ReadResult result, int error) {
    const auto told = ends();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].read, &read);
    EXPECT_EQ(told[0].result, result);
    EXPECT_EQ(told[0].error, error);
    EXPECT_EQ(read.is_running(), result == ReadResult::abandoned);
  }

  ReadSchedule schedule_{piece_bytes};
  Bytes memory_;
  std::deque<RemoteRead> reads_;
  std::vector<ReadPiece*> under_way_;
  int begin_error_ = 0;
  Mailbox mailbox_;
};

TEST_F(ReadScheduleTest, pieces_cover_the_read_and_the_last_one_is_the_rest) {
  RemoteRead& read = add(peer, 3 * piece_bytes + 4);
  std::map<std::uint64_t, std::uint64_t> covered;
  go_on();
  while (!under_way_.empty()) {
    ReadPiece& piece = take();
    EXPECT_EQ(piece.source().address, 1000 + piece.offset);
    EXPECT_EQ(piece.source().key, 7U);
    EXPECT_EQ(piece.destination().data(), memory_.data() + piece.offset);
    EXPECT_EQ(piece.destination().size(), piece.size);
    covered[piece.offset] = piece.size;
    schedule_.completed(piece, 0);
    go_on();
  }
  const std::map<std::uint64_t, std::uint64_t> expected{{0, 10}, {10, 10}, {20, 10}, {30, 4}};
  EXPECT_EQ(covered, expected);
  expect_one_end(read, ReadResult::done, 0);
}

TEST_F(ReadScheduleTest, read_of_one_byte_is_one_piece) {
  RemoteRead& read = add(peer, 1);
  go_on();
  ASSERT_EQ(under_way_.size(), 1U);
  EXPECT_TRUE(ends().empty());
  schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::done, 0);
  EXPECT_TRUE(ends().empty()) << "it is told once";
}

TEST_F(ReadScheduleTest, read_of_nothing_or_of_another_size_or_that_is_running_is_refused) {
  RemoteRead empty(peer, {}, {});
  EXPECT_THROW(schedule_.add(empty, false), InvalidArgument);
  RemoteRead shorter(peer, {.size = 4}, std::span(memory_).first(5));
  EXPECT_THROW(schedule_.add(shorter, false), InvalidArgument);
  EXPECT_FALSE(shorter.is_running());
  RemoteRead& read = add(peer, 5);
  EXPECT_THROW(schedule_.add(read, false), InvalidArgument);
  RemoteRead unregistered(peer, {.size = 5}, std::span(memory_).first(5));
  EXPECT_THROW(schedule_.add(unregistered, true), InvalidArgument);
}

TEST_F(ReadScheduleTest, of_one_read_only_some_pieces_are_under_way) {
  const RemoteRead& read = add(peer, many_pieces * piece_bytes);
  go_on();
  EXPECT_EQ(under_way(read), ReadSchedule::most_pieces_of_a_read);
  schedule_.completed(take(1), 0);
  go_on();
  EXPECT_EQ(under_way(read), ReadSchedule::most_pieces_of_a_read);
}

TEST_F(ReadScheduleTest, of_one_peer_only_as_many_are_under_way_as_are_free) {
  for (int i = 0; i < 100; ++i) add(peer, many_pieces * piece_bytes);
  for (int i = 0; i < 100; ++i) go_on();
  EXPECT_EQ(under_way_from(peer), ReadSchedule::most_pieces / 2);
}

TEST_F(ReadScheduleTest, silent_peers_leave_room_for_others) {
  for (PeerNumber silent = 1; silent < 5; ++silent) {
    for (int i = 0; i < 20; ++i) add(silent, many_pieces * piece_bytes);
    for (int i = 0; i < 100; ++i) go_on();
  }
  EXPECT_LT(under_way_.size(), ReadSchedule::most_pieces);
  // However many of theirs wait, one that answers gets on.
  RemoteRead& read = add(peer, 20 * piece_bytes);
  for (int i = 0; i < 1000 && !schedule_.has_ended(); ++i) {
    go_on();
    const auto piece = std::ranges::find_if(
        under_way_, [](const ReadPiece* candidate) { return candidate->read->from() == peer; });
    if (piece != under_way_.end())
      schedule_.completed(take(static_cast<std::size_t>(piece - under_way_.begin())), 0);
  }
  expect_one_end(read, ReadResult::done, 0);
}

TEST_F(ReadScheduleTest, reads_take_turns) {
  const RemoteRead& first = add(peer, many_pieces * piece_bytes);
  const RemoteRead& second = add(peer, many_pieces * piece_bytes);
  const RemoteRead& third = add(other_peer, many_pieces * piece_bytes);
  std::map<const RemoteRead*, int> completed;
  for (int i = 0; i < 600; ++i) {
    go_on();
    ReadPiece& piece = take();
    ++completed[piece.read];
    schedule_.completed(piece, 0);
  }
  EXPECT_NEAR(completed[&first], 200, 10);
  EXPECT_NEAR(completed[&second], 200, 10);
  EXPECT_NEAR(completed[&third], 200, 10);
}

TEST_F(ReadScheduleTest, short_read_behind_long_ones_does_not_wait_for_their_end) {
  for (int i = 0; i < 3; ++i) add(peer, many_pieces * piece_bytes);
  go_on();
  const RemoteRead& read = add(peer, 1);
  int completions = 0;
  for (; !schedule_.has_ended(); ++completions) {
    go_on();
    schedule_.completed(take(), 0);
  }
  expect_one_end(read, ReadResult::done, 0);
  EXPECT_LE(completions, 20);
}

TEST_F(ReadScheduleTest, provider_that_is_busy_is_asked_again_and_nothing_is_lost) {
  RemoteRead& read = add(peer, 2 * piece_bytes);
  begin_error_ = EAGAIN;
  go_on();
  go_on();
  EXPECT_TRUE(ends().empty());
  begin_error_ = 0;
  go_on();
  ASSERT_EQ(under_way_.size(), 2U);
  EXPECT_EQ(under_way_[0]->offset, 0U);
  EXPECT_EQ(under_way_[1]->offset, piece_bytes);
  schedule_.completed(take(1), 0);
  schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::done, 0);
}

TEST_F(ReadScheduleTest, error_at_the_beginning_of_a_piece_fails_the_read) {
  RemoteRead& read = add(peer, 20 * piece_bytes);
  begin_error_ = EIO;
  go_on();
  expect_one_end(read, ReadResult::failed, EIO);
  go_on();
  EXPECT_TRUE(ends().empty());
}

TEST_F(ReadScheduleTest, failed_read_is_told_when_nothing_of_it_is_under_way_with_its_first_error) {
  RemoteRead& read = add(peer, 20 * piece_bytes);
  go_on();
  schedule_.completed(take(2), EIO);
  EXPECT_TRUE(ends().empty());
  go_on();
  EXPECT_EQ(under_way(read), ReadSchedule::most_pieces_of_a_read - 1) << "no more of it is begun";
  schedule_.completed(take(), 0);
  schedule_.completed(take(), ENOTCONN);
  EXPECT_TRUE(ends().empty());
  schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::failed, EIO);
}

TEST_F(ReadScheduleTest, read_that_fails_while_it_waits_for_its_turn_is_begun_no_more) {
  RemoteRead& read = add(peer, 20 * piece_bytes);
  begin_error_ = 0;
  schedule_.go_on([this](ReadPiece& piece) {  // one piece only: then it waits
    if (!under_way_.empty()) return EAGAIN;
    under_way_.push_back(&piece);
    return 0;
  });
  schedule_.completed(take(), EIO);
  go_on();
  EXPECT_TRUE(under_way_.empty());
  expect_one_end(read, ReadResult::failed, EIO);
}

TEST_F(ReadScheduleTest, read_that_failed_can_be_begun_again) {
  RemoteRead& read = add(peer, 2 * piece_bytes);
  begin_error_ = EIO;
  go_on();
  expect_one_end(read, ReadResult::failed, EIO);
  begin_error_ = 0;
  schedule_.add(read, false);
  go_on();
  while (!under_way_.empty()) schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::done, 0);
}

TEST_F(ReadScheduleTest, peer_removed_before_anything_was_begun_fails_its_reads) {
  RemoteRead& read = add(peer, 2 * piece_bytes);
  const RemoteRead& others = add(other_peer, piece_bytes);
  schedule_.peer_removed(peer, ECONNRESET);
  expect_one_end(read, ReadResult::failed, ECONNRESET);
  go_on();
  ASSERT_EQ(under_way_.size(), 1U);
  EXPECT_EQ(under_way_[0]->read, &others);
}

TEST_F(ReadScheduleTest, peer_removed_while_a_read_is_under_way_abandons_it_until_the_provider_is_done) {
  RemoteRead& read = add(peer, 2 * piece_bytes);
  go_on();
  schedule_.peer_removed(peer, ECONNRESET);
  expect_one_end(read, ReadResult::abandoned, ECONNRESET);
  schedule_.completed(take(), 0);
  EXPECT_TRUE(ends().empty());
  schedule_.completed(take(), ECANCELED);
  expect_one_end(read, ReadResult::failed, ECONNRESET);
}

TEST_F(ReadScheduleTest, peer_removed_while_a_read_waits_with_pieces_under_way_abandons_it) {
  RemoteRead& read = add(peer, 20 * piece_bytes);
  go_on();
  schedule_.completed(take(), 0);
  schedule_.peer_removed(peer, ECONNRESET);
  go_on();
  EXPECT_EQ(under_way(read), ReadSchedule::most_pieces_of_a_read - 1) << "no more of it is begun";
  expect_one_end(read, ReadResult::abandoned, ECONNRESET);
  while (!under_way_.empty()) schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::failed, ECONNRESET);
}

TEST_F(ReadScheduleTest, peer_removed_when_all_has_come_but_was_not_told_leaves_the_read_done) {
  RemoteRead& read = add(peer, piece_bytes);
  go_on();
  schedule_.completed(take(), 0);
  schedule_.peer_removed(peer, ECONNRESET);
  expect_one_end(read, ReadResult::done, 0);
}

TEST_F(ReadScheduleTest, peer_removed_when_a_read_has_failed_in_part_tells_the_first_error) {
  RemoteRead& read = add(peer, 2 * piece_bytes);
  go_on();
  schedule_.completed(take(), EIO);
  schedule_.peer_removed(peer, ECONNRESET);
  expect_one_end(read, ReadResult::abandoned, EIO);
  schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::failed, EIO);
}

TEST_F(ReadScheduleTest, what_completes_between_removal_and_telling_is_told_once_as_failed) {
  RemoteRead& read = add(peer, piece_bytes);
  go_on();
  schedule_.peer_removed(peer, ECONNRESET);
  schedule_.completed(take(), 0);
  expect_one_end(read, ReadResult::failed, ECONNRESET);
  EXPECT_TRUE(ends().empty());
}

TEST_F(ReadScheduleTest, pieces_that_removed_peers_keep_are_made_up_for_and_given_back) {
  RemoteRead& read = add(peer, many_pieces * piece_bytes);
  go_on();
  const std::vector<ReadPiece*> kept = std::exchange(under_way_, {});
  schedule_.peer_removed(peer, ECONNRESET);
  expect_one_end(read, ReadResult::abandoned, ECONNRESET);
  for (int i = 0; i < 100; ++i) add(other_peer, many_pieces * piece_bytes);
  for (int i = 0; i < 100; ++i) go_on();
  EXPECT_EQ(under_way_from(other_peer), ReadSchedule::most_pieces / 2) << "as if nothing was missing";
  for (ReadPiece* piece : kept) schedule_.completed(*piece, ECANCELED);
  expect_one_end(read, ReadResult::failed, ECONNRESET);
  for (int i = 0; i < 100; ++i) go_on();
  EXPECT_EQ(under_way_from(other_peer), ReadSchedule::most_pieces / 2) << "nor more than there may be";
}

/// Begins another read when one has ended.
class Chain : public Mailbox {
 public:
  Chain(ReadSchedule& schedule, RemoteRead& next) : schedule_(schedule), next_(next) {}
  void read_ended(RemoteRead& read, ReadResult result, int error) override {
    Mailbox::read_ended(read, result, error);
    if (reads.size() == 1) schedule_.add(next_, false);
    schedule_.go_on([](ReadPiece&) { return EIO; });
  }

 private:
  ReadSchedule& schedule_;
  RemoteRead& next_;
};

TEST_F(ReadScheduleTest, read_that_is_begun_by_the_handler_and_ends_at_once_is_told_the_next_time) {
  RemoteRead& read = add(peer, piece_bytes);
  RemoteRead next(peer, {.size = 5}, std::span(memory_).first(5));
  go_on();
  schedule_.completed(take(), 0);
  Chain chain(schedule_, next);
  schedule_.tell(chain);
  ASSERT_EQ(chain.reads.size(), 1U);
  EXPECT_EQ(chain.reads[0].read, &read);
  EXPECT_TRUE(schedule_.has_ended());
  schedule_.tell(chain);
  ASSERT_EQ(chain.reads.size(), 2U);
  EXPECT_EQ(chain.reads[1].read, &next);
  EXPECT_EQ(chain.reads[1].result, ReadResult::failed);
}

}  // namespace
}  // namespace wyvern::test
