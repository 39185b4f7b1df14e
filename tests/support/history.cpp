#include "history.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <stdexcept>
#include <system_error>

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::test {
namespace {

std::string name_of(MessageId id) {
  return "message " + std::to_string(id.sequence) + " of " + to_string(id.producer);
}

/// What the workers' logs say about one producer.
struct Producer {
  std::uint64_t ended = 0;
  std::vector<bool> got = {};  // of each message that may have been put
};

void check_puts(const WorkerHistory& worker, HistoryRules rules, std::vector<std::string>& problems) {
  const std::uint64_t open = worker.puts_begun - worker.puts_ended;
  if (open > (worker.killed || worker.undecided ? rules.at_once : 0)) {
    problems.push_back(std::to_string(open) + " puts of " + to_string(worker.worker) + " never ended");
  }
}

void check_gets(const WorkerHistory& worker, HistoryRules rules, std::map<Puid, Producer>& producers,
                std::vector<std::string>& problems) {
  std::map<Puid, std::uint64_t> last;
  for (const MessageId id : worker.got) {
    const auto producer = producers.find(id.producer);
    if (producer == producers.end() || id.sequence >= producer->second.got.size()) {
      problems.push_back(name_of(id) + " was got and never put");
      continue;
    }
    if (producer->second.got[id.sequence]) problems.push_back(name_of(id) + " was got twice");
    producer->second.got[id.sequence] = true;
    const auto [before, first] = last.try_emplace(id.producer, id.sequence);
    if (!first && id.sequence < before->second && !rules.leases) {
      problems.push_back(name_of(id) + " came after " + std::to_string(before->second) + " to " +
                         to_string(worker.worker));
    }
    before->second = id.sequence;
  }
}

}  // namespace

std::vector<std::string> check_history(const std::vector<WorkerHistory>& workers, HistoryRules rules) {
  std::vector<std::string> problems;
  std::map<Puid, Producer> producers;
  for (const WorkerHistory& worker : workers) {
    producers[worker.worker] = {.ended = worker.puts_ended, .got = std::vector<bool>(worker.puts_begun)};
    check_puts(worker, rules, problems);
  }
  for (const WorkerHistory& worker : workers) check_gets(worker, rules, producers, problems);

  std::vector<std::string> lost;
  for (const auto& [puid, producer] : producers) {
    for (std::uint64_t sequence = 0; sequence < producer.ended; ++sequence) {
      if (!producer.got[sequence]) lost.push_back(name_of({puid, sequence}) + " was lost");
    }
  }
  std::uint64_t excused = 0;
  for (const WorkerHistory& worker : workers) {
    const bool consumer = worker.puts_begun == 0 || !worker.got.empty();
    if (worker.killed) excused += worker.held.value_or(consumer ? rules.at_once : 0);
  }
  if (lost.size() > excused) {
    problems.push_back(std::to_string(lost.size()) + " messages were lost, the killed may have held " +
                       std::to_string(excused));
    problems.insert(problems.end(), lost.begin(), lost.end());
  }
  return problems;
}

History::History(std::size_t most_workers, std::size_t most_gets_per_worker)
    : most_workers_(most_workers),
      most_gets_(most_gets_per_worker),
      stride_((sizeof(Log) + most_gets_per_worker * sizeof(MessageId) + 63) / 64 * 64) {
  map(-1);
}

History::History(const std::string& file, std::size_t most_workers, std::size_t most_gets_per_worker)
    : most_workers_(most_workers),
      most_gets_(most_gets_per_worker),
      stride_((sizeof(Log) + most_gets_per_worker * sizeof(MessageId) + 63) / 64 * 64) {
  const FileDescriptor fd(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(most_workers_ * stride_)) != 0) {
    throw std::system_error(errno, std::generic_category(), file);
  }
  map(fd.get());
}

void History::map(int fd) {
  void* memory = ::mmap(nullptr, most_workers_ * stride_, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_NORESERVE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  memory_ = static_cast<std::byte*>(memory);
}

History::~History() { ::munmap(memory_, most_workers_ * stride_); }

History::Log& History::log(std::size_t number) const {
  return *reinterpret_cast<Log*>(memory_ + number * stride_);
}

History::Writer History::add(Puid worker) {
  if (count_ == most_workers_) throw std::length_error("the history has no log for a further worker");
  Log& added = log(count_++);
  added.worker = worker.value();
  return {added, most_gets_};
}

void History::mark_killed(Puid worker) {
  for (std::size_t i = 0; i < count_; ++i) {
    if (log(i).worker == worker.value()) log(i).killed = 1;
  }
}

std::uint64_t History::total_got() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count_; ++i) sum += log(i).got_count;
  return sum;
}

std::vector<WorkerHistory> History::workers() const {
  std::vector<WorkerHistory> result;
  for (std::size_t i = 0; i < count_; ++i) {
    Log& from = log(i);
    result.push_back({.worker = Puid(from.worker),
                      .puts_begun = from.puts_begun,
                      .puts_ended = from.puts_ended,
                      .got = {from.got(), from.got() + from.got_count.load()},
                      .killed = from.killed != 0,
                      .held = from.held == 0 ? std::nullopt : std::optional(from.held - 1),
                      .undecided = from.undecided != 0});
  }
  return result;
}

std::string History::problems(HistoryRules rules) const {
  constexpr std::size_t most_lines = 20;
  const auto problems = check_history(workers(), rules);
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), most_lines); ++i) text += problems[i] + "\n";
  return problems.size() > most_lines ? text + "... " + std::to_string(problems.size()) + " in all" : text;
}

MessageId History::Writer::begin_put() { return {Puid(log_->worker), log_->puts_begun.fetch_add(1)}; }

void History::Writer::put_ended() { log_->puts_ended.store(log_->puts_begun); }

void History::Writer::put_refused() { log_->puts_begun.store(log_->puts_ended); }

void History::Writer::puts_undecided() { log_->undecided = 1; }

void History::Writer::may_hold(std::uint64_t messages) { log_->held = messages + 1; }

void History::Writer::puts_ended(std::uint64_t count) {
  log_->puts_begun.store(log_->puts_ended + count);
  log_->puts_ended.store(log_->puts_begun);
}

bool History::Writer::has_room_for(std::size_t gets) const { return log_->got_count + gets <= most_gets_; }

void History::Writer::got(MessageId id) {
  if (full()) throw std::length_error("a worker's log is full");
  log_->got()[log_->got_count] = id;  // counted after it is there: who dies in between has lost it
  log_->got_count.fetch_add(1);
}

}  // namespace wyvern::test
