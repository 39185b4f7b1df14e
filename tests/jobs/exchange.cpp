// P producer processes put, C consumer processes get: every message exactly once, whole, and in order per
// producer. usage: exchange PRODUCERS CONSUMERS MESSAGES BYTES      (MESSAGES in all, each of BYTES >= 8)

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

namespace {

using Bits = std::vector<std::uint64_t>;

/// What one consumer has seen: a bit for each message of each producer, or what was wrong.
struct Report {
  std::vector<Bits> seen;
  std::string wrong;
};

/// The first 8 bytes say whose and which message this is; all others are one byte that follows from that.
constexpr unsigned sequence_bits = 40;

std::byte filling(std::uint64_t stamp) { return static_cast<std::byte>((stamp * 0x9e3779b97f4a7c15U) >> 56); }

std::uint64_t share(std::uint64_t messages, std::uint64_t producers, std::uint64_t producer) {
  return messages / producers + (producer < messages % producers ? 1 : 0);
}

void produce(wyvern::Channel channel, std::uint64_t producer, std::uint64_t messages, std::uint64_t bytes) {
  std::vector<std::byte> message(bytes);
  for (std::uint64_t sequence = 0; sequence < messages; ++sequence) {
    const std::uint64_t stamp = (producer << sequence_bits) | sequence;
    std::fill(message.begin(), message.end(), filling(stamp));
    std::memcpy(message.data(), &stamp, sizeof stamp);
    channel.put(message);
  }
}

std::string check(const std::vector<std::byte>& message, std::uint64_t bytes, std::vector<std::int64_t>& last,
                  Report& report) {
  std::uint64_t stamp = 0;
  if (message.size() != bytes) return "a message has " + std::to_string(message.size()) + " bytes";
  std::memcpy(&stamp, message.data(), sizeof stamp);
  const std::uint64_t producer = stamp >> sequence_bits;
  const std::uint64_t sequence = stamp & ((std::uint64_t{1} << sequence_bits) - 1);
  if (producer >= report.seen.size() || sequence / 64 >= report.seen[producer].size())
    return "a message that nobody put";
  const auto is_filling = [fill = filling(stamp)](std::byte byte) { return byte == fill; };
  if (!std::all_of(message.begin() + sizeof stamp, message.end(), is_filling))
    return "a message was changed on its way";
  if (static_cast<std::int64_t>(sequence) <= last[producer])
    return "messages of one producer came out of order";
  last[producer] = static_cast<std::int64_t>(sequence);
  report.seen[producer][sequence / 64] |= std::uint64_t{1} << (sequence % 64);
  return {};
}

void consume(wyvern::Channel channel, wyvern::Queue<Report> reports, std::uint64_t producers,
             std::uint64_t messages, std::uint64_t bytes) {
  Report report;
  report.seen.assign(producers, Bits(messages / producers / 64 + 1));
  std::vector<std::int64_t> last(producers, -1);
  try {
    while (report.wrong.empty()) report.wrong = check(channel.get(), bytes, last, report);
  } catch (const wyvern::QueueClosed&) {
    // Closed and drained: the end.
  }
  reports.put(report);
}

/// All reports together: each message in exactly one.
std::string verdict(const std::vector<Report>& reports, std::uint64_t producers, std::uint64_t messages) {
  for (const Report& report : reports) {
    if (!report.wrong.empty()) return report.wrong;
  }
  for (std::uint64_t producer = 0; producer < producers; ++producer) {
    for (std::uint64_t sequence = 0; sequence < share(messages, producers, producer); ++sequence) {
      const auto has_it = [=](const Report& report) {
        return (report.seen[producer][sequence / 64] >> (sequence % 64) & 1) != 0;
      };
      const auto times = std::count_if(reports.begin(), reports.end(), has_it);
      if (times != 1) {
        return "message " + std::to_string(sequence) + " of producer " + std::to_string(producer) +
               " was got " + std::to_string(times) + " times";
      }
    }
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: exchange PRODUCERS CONSUMERS MESSAGES BYTES\n";
    return 2;
  }
  const auto number = [argv](int position) { return std::strtoull(argv[position], nullptr, 10); };
  const std::uint64_t producers = number(1);
  const std::uint64_t consumers = number(2);
  const std::uint64_t messages = number(3);
  const std::uint64_t bytes = std::max<std::uint64_t>(number(4), sizeof(std::uint64_t));

  return wyvern::run(argc, argv, [&](wyvern::Runtime& runtime) {
    auto channel = runtime.make_channel();
    auto reports = runtime.make_queue<Report>();
    std::vector<wyvern::Process> producing;
    std::vector<wyvern::Process> consuming;
    for (std::uint64_t i = 0; i < producers; ++i) {
      producing.push_back(runtime.process(produce, channel, i, share(messages, producers, i), bytes));
    }
    for (std::uint64_t i = 0; i < consumers; ++i) {
      consuming.push_back(runtime.process(consume, channel, reports, producers, messages, bytes));
    }
    const auto start = std::chrono::steady_clock::now();
    for (auto& process : consuming) process.start();
    for (auto& process : producing) process.start();
    bool all_ended_well = true;
    for (auto& process : producing) all_ended_well = process.join() == 0 && all_ended_well;
    channel.close();
    std::vector<Report> collected;
    for (std::uint64_t i = 0; i < consumers; ++i) collected.push_back(reports.get());
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    for (auto& process : consuming) all_ended_well = process.join() == 0 && all_ended_well;

    const std::string wrong = verdict(collected, producers, messages);
    std::cout << producers << "x" << consumers << ", " << messages << " messages of " << bytes
              << " bytes: " << (wrong.empty() ? "each exactly once, in order per producer" : wrong) << ", "
              << static_cast<double>(messages) / elapsed.count() / 1e6 << " M/s with start and end"
              << std::endl;
    return wrong.empty() && all_ended_well ? 0 : 1;
  });
}
