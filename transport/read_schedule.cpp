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

void ReadSchedule::add_pieces(std::size_t count) {
  pieces_.resize(pieces_.size() + count);
  free_.reserve(pieces_.size());
  for (std::size_t i = pieces_.size() - count; i < pieces_.size(); ++i) {
    pieces_[i].index = i;
    free_.push_back(&pieces_[i]);
  }
}

bool ReadSchedule::propose(RemoteRead& read, ReadPiece& piece) const {
  if (under_way_of_[read.from_] >= free_.size()) return false;
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
  ++under_way_of_[read.from_];
  ++read.under_way_;
  read.begun_ += piece.size;
  const bool may_more = read.begun_ < read.source_.size && read.under_way_ < most_pieces_of_a_read;
  if (may_more) put(read, RemoteRead::Place::waiting);
}

void ReadSchedule::completed(ReadPiece& piece, int error) {
  RemoteRead& read = *piece.read;
  piece.read = nullptr;
  free_.push_back(&piece);
  --under_way_of_[read.from_];
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
  const auto give_up = [&](RemoteRead& read) {
    if (read.error_ == 0) read.error_ = error;
    if (read.place_ == RemoteRead::Place::nowhere) put(read, RemoteRead::Place::ended);
  };
  List waiting = take_from_waiting([&](const RemoteRead& read) { return read.from_ == peer; });
  while (waiting.first != nullptr) give_up(waiting.pop());
  for (const ReadPiece& piece : pieces_) {
    if (piece.read != nullptr && piece.read->from_ == peer) give_up(*piece.read);
  }
  add_pieces(under_way_of_[peer]);
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
