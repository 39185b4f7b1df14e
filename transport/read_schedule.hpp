#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include <wyvern/transport/endpoint.hpp>

namespace wyvern {

/// A part of a remote read that is fetched at once.
struct ReadPiece {
  std::size_t index = 0;       ///< among the schedule's, for what its user keeps for each
  RemoteRead* read = nullptr;  ///< null: not under way
  std::uint64_t offset = 0;
  std::uint64_t size = 0;

  RemoteMemory source() const { return read->source().part(offset, size); }
  std::span<std::byte> destination() const { return read->destination().subspan(offset, size); }
};

/// Which pieces of which remote reads an endpoint has under way: so many of a read, so many in all, reads by
/// turns. Of a peer only as many as there are free ones left: each silent one leaves half of what was left;
/// what a peer that is given up keeps is made up for by spare ones, for as long as it does.
///
/// Invariant: a read that is running is in `waiting_` if a piece of it may be begun, in `ended_` if the
/// handler is to be told of it, in neither if all that may be is under way; never in both.
class ReadSchedule {
 public:
  static constexpr std::size_t most_pieces = 32;
  static constexpr std::uint32_t most_pieces_of_a_read = 4;

  /// `piece_bytes`: what is fetched at once.
  explicit ReadSchedule(std::uint64_t piece_bytes) : piece_bytes_(piece_bytes) {
    provide_pieces(most_pieces);
  }

  /// Before reads from a peer begin.
  void peer_added(PeerNumber peer) {
    if (peer >= peers_.size()) peers_.resize(peer + 1);
  }
  /// Its reads end with `error`, a positive errno: what is under way may still write, see ReadResult. On
  /// std::bad_alloc nothing has changed.
  void peer_removed(PeerNumber peer, int error);

  /// `registered_only`: the destination has to lie in registered memory. Throws InvalidArgument.
  void add(RemoteRead& read, bool registered_only);
  /// `begin(ReadPiece&)` begins to fetch a piece and returns 0, EAGAIN if that cannot be done now, or another
  /// errno. Called for as many pieces as may be under way.
  template <class Begin>
  void go_on(Begin begin) {
    if (waiting_.first != nullptr) begin_pieces(begin);
  }
  /// `error`: 0, or a positive errno.
  void completed(ReadPiece& piece, int error);
  /// Whether there are pieces that could not be begun yet.
  bool is_waiting() const { return waiting_.first != nullptr; }
  /// The same, or pieces of peers that are still there are under way.
  bool is_busy() const { return under_way_ != 0 || is_waiting(); }
  /// Whether the provider has pieces, also of peers that were removed.
  bool any_under_way() const {
    return std::ranges::any_of(peers_, [](const Peer& peer) { return peer.under_way != 0; });
  }
  /// Whether there is an end to tell.
  bool has_ended() const { return ended_.first != nullptr; }
  /// Tells of reads that have ended; not of those that the handler ends by that.
  void tell(EndpointHandler& handler) {
    if (has_ended()) tell_all(handler);
  }

 private:
  struct Peer {
    std::uint32_t under_way = 0;  // pieces
    bool is_removed = false;
  };
  /// Singly linked through RemoteRead::following_.
  struct List {
    RemoteRead* first = nullptr;
    RemoteRead* last = nullptr;
    void push(RemoteRead& read);
    RemoteRead& pop();
  };

  /// In one go: reads of silent peers may stand before those that can go on.
  static constexpr int most_in_vain = 8;

  template <class Begin>
  void begin_pieces(Begin& begin) {
    for (int in_vain = 0; in_vain < most_in_vain && waiting_.first != nullptr && !free_.empty();) {
      RemoteRead& read = waiting_.pop();
      read.place_ = RemoteRead::Place::nowhere;
      ReadPiece& piece = *free_.back();
      const int error = propose(read, piece) ? begin(piece) : EAGAIN;
      if (error == EAGAIN) {
        ++in_vain;
        piece.read = nullptr;
        put(read, RemoteRead::Place::waiting);
        continue;
      }
      begun(piece);
      if (error != 0) completed(piece, error);
    }
  }
  bool propose(RemoteRead& read, ReadPiece& piece) const;
  void begun(ReadPiece& piece);
  void put(RemoteRead& read, RemoteRead::Place place);
  template <class Condition>
  List take_from_waiting(Condition condition);
  void tell_all(EndpointHandler& handler);
  void provide_pieces(std::size_t count);

  std::uint64_t piece_bytes_;
  std::deque<ReadPiece> pieces_;   // stay where they are
  std::vector<ReadPiece*> free_;   // of pieces_: not under way, nor spare
  std::size_t under_way_ = 0;      // pieces of peers that are there
  std::vector<ReadPiece*> spare_;  // given back by peers that were removed
  std::vector<Peer> peers_;        // by their numbers
  List waiting_;
  List ended_;
};

}  // namespace wyvern
