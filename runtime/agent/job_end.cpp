#include <wyvern/runtime/agent/job_end.hpp>

namespace wyvern::agent {

void JobEnd::head_returned() {
  waits_ = true;
  if (stage_ == Stage::running) stage_ = Stage::waiting;
}

void JobEnd::head_ends_early(Clock::time_point now) {
  early_ = true;
  start_ending(now);
}

void JobEnd::head_disconnected(Clock::time_point now) {
  disconnected_ = true;
  start_ending(now);
}

void JobEnd::head_gone(bool by_signal, Clock::time_point now) {
  const bool waited = waits_;
  waits_ = disconnected_ = false;
  if (early_) return;
  // A head that dies of the signal which everybody got does not cut the others' grace short.
  const bool expected = by_signal && signalled_;
  if ((waited || by_signal) && !expected) {
    start_killing(now);
  } else {
    start_ending(now);
  }
}

void JobEnd::asked_to_end(Clock::time_point now) {
  waits_ = false;
  start_ending(now);
}

void JobEnd::asked_to_kill(Clock::time_point now) {
  waits_ = false;
  start_killing(now);
}

void JobEnd::owner_lost(Clock::time_point now) {
  waits_ = false;
  hurried_ = true;
  start_killing(now);
}

void JobEnd::signalled(Clock::time_point now) {
  if (signalled_) {
    owner_lost(now);
    return;
  }
  signalled_ = true;
  if (stage_ < Stage::ending) deadline_ = now + signal_grace;
}

void JobEnd::head_released() {
  stage_ = Stage::running;
  waits_ = early_ = disconnected_ = asked_ = false;
  deadline_.reset();
}

JobEnd::Step JobEnd::next(Clock::time_point now, std::size_t awaited, bool left) {
  if (stage_ == Stage::waiting && awaited == 0) start_ending(now);
  const bool late = deadline_ && now >= *deadline_;
  if (late && stage_ == Stage::killing) gave_up_ = true;
  if (stage_ >= Stage::ending && (!left || gave_up_)) {
    deadline_.reset();
    return Step::finish;
  }
  if (late) {
    waits_ = waits_ && stage_ == Stage::ending;  // else it is the user's signal that was not heeded
    start_killing(now);
  }
  if (stage_ == Stage::killing) return Step::kill;
  if (stage_ == Stage::ending && !asked_) {
    asked_ = true;
    return Step::ask_to_end;
  }
  return Step::none;
}

void JobEnd::start_ending(Clock::time_point now) {
  if (stage_ >= Stage::ending) return;
  stage_ = Stage::ending;
  deadline_ = now + grace;
}

void JobEnd::start_killing(Clock::time_point now) {
  if (stage_ == Stage::killing) return;
  stage_ = Stage::killing;
  deadline_ = now + kill_patience;
}

}  // namespace wyvern::agent
