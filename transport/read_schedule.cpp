#include <algorithm>
#include <string>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/read_schedule.hpp>

namespace wyvern {

void ReadSchedule::List::push(RemoteRead& read) {
  read.following_ = nullptr;
  if (first == nullptr) {
    first = &read;
  } else {
    last->following_ = &read;
  }
  last = &read;
}

RemoteRead& ReadSchedule::List::pop() {
  RemoteRead& read = *first;
  first = read.following_;
  return read;
}

void ReadSchedule::add(RemoteRead& read, bool registered_only) {
  if (read.is_running_) throw InvalidArgument("read: this one has not ended yet");
  if (read.destination_.empty() || read.destination_.size() != read.source_.size) {
    throw InvalidArgument("read of " + std::to_string(read.source_.size) + " bytes into " +
                          std::to_string(read.destination_.size()) + ": both are to be the same, and not 0");
  }
  if (read.region_ == nullptr ? registered_only : !read.region_->contains(read.destination_)) {
    throw InvalidArgument("read of " + std::to_string(read.source_.size) +
                          " bytes: the destination has to lie in the memory whose registration is given" +
                          (registered_only ? ", and one has to be given here" : ""));
  }
  read.begun_ = 0;
  read.under_way_ = 0;
  read.error_ = 0;
  read.is_running_ = true;
  put(read, RemoteRead::Place::waiting);
}

/// Makes so many spare ones free, and new ones if there are too few. On std::bad_alloc nothing has changed.
void ReadSchedule::provide_pieces(std::size_t count) {
  const std::size_t from_spare = std::min(count, spare_.size());
  const std::size_t first_new = pieces_.size();
  const std::size_t all = first_new + count - from_spare;
  // Room for all pieces in either list, now and when they come back: what follows does not throw.
  free_.reserve(all);
  spare_.reserve(all);
  pieces_.resize(all);
  for (std::size_t i = first_new; i < all; ++i) {
    pieces_[i].index = i;
    free_.push_back(&pieces_[i]);
  }
  const auto provided = spare_.end() - static_cast<std::ptrdiff_t>(from_spare);
  free_.insert(free_.end(), provided, spare_.end());
  spare_.erase(provided, spare_.end());
}

bool ReadSchedule::propose(RemoteRead& read, ReadPiece& piece) const {
  if (peers_[read.from_].under_way >= free_.size()) return false;
  piece.read = &read;
  piece.offset = read.begun_;
  piece.size = std::min<std::uint64_t>(piece_bytes_, read.source_.size - read.begun_);
  return true;
}

void ReadSchedule::put(RemoteRead& read, RemoteRead::Place place) {
  read.place_ = place;
  (place == RemoteRead::Place::waiting ? waiting_ : ended_).push(read);
}

void ReadSchedule::begun(ReadPiece& piece) {
  RemoteRead& read = *piece.read;
  free_.pop_back();  // that was this one
  ++peers_[read.from_].under_way;
  ++under_way_;
  ++read.under_way_;
  read.begun_ += piece.size;
  const bool may_more = read.begun_ < read.source_.size && read.under_way_ < most_pieces_of_a_read;
  if (may_more) put(read, RemoteRead::Place::waiting);
}

void ReadSchedule::completed(ReadPiece& piece, int error) {
  RemoteRead& read = *piece.read;
  piece.read = nullptr;
  Peer& peer = peers_[read.from_];
  --peer.under_way;
  if (!peer.is_removed) --under_way_;
  (peer.is_removed ? spare_ : free_).push_back(&piece);
  --read.under_way_;
  if (error != 0 && read.error_ == 0) {
    read.error_ = error;
    if (read.place_ == RemoteRead::Place::waiting) {
      take_from_waiting([&](const RemoteRead& other) { return &other == &read; });
    }
  }
  if (read.place_ != RemoteRead::Place::nowhere) return;
  if (read.error_ == 0 && read.begun_ < read.source_.size) {
    put(read, RemoteRead::Place::waiting);
  } else if (read.under_way_ == 0) {
    put(read, RemoteRead::Place::ended);
  }
}

template <class Condition>
ReadSchedule::List ReadSchedule::take_from_waiting(Condition condition) {
  List taken;
  List left;
  while (waiting_.first != nullptr) {
    RemoteRead& read = waiting_.pop();
    if (condition(read)) {
      read.place_ = RemoteRead::Place::nowhere;
      taken.push(read);
    } else {
      left.push(read);
    }
  }
  waiting_ = left;
  return taken;
}

void ReadSchedule::peer_removed(PeerNumber peer, int error) {
  provide_pieces(peers_[peer].under_way);  // first, because there may be no memory
  const auto give_up = [&](RemoteRead& read) {
    if (read.error_ == 0) read.error_ = error;
    if (read.place_ == RemoteRead::Place::nowhere) put(read, RemoteRead::Place::ended);
  };
  List waiting = take_from_waiting([&](const RemoteRead& read) { return read.from_ == peer; });
  while (waiting.first != nullptr) give_up(waiting.pop());
  for (const ReadPiece& piece : pieces_) {
    if (piece.read != nullptr && piece.read->from_ == peer) give_up(*piece.read);
  }
  peers_[peer].is_removed = true;
  under_way_ -= peers_[peer].under_way;
}

void ReadSchedule::tell_all(EndpointHandler& handler) {
  List ended = std::exchange(ended_, {});
  while (ended.first != nullptr) {
    RemoteRead& read = ended.pop();
    read.place_ = RemoteRead::Place::nowhere;
    const int error = read.error_;
    if (read.under_way_ != 0) {
      handler.read_ended(read, ReadResult::abandoned, error);
      continue;
    }
    read.is_running_ = false;  // from here on the handler may do with it what it wants
    handler.read_ended(read, error == 0 ? ReadResult::done : ReadResult::failed, error);
  }
}

}  // namespace wyvern
