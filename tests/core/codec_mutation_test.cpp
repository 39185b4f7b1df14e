// Valid messages with random damage: they decode to something or throw one of our errors, and nothing else
// happens. Worth most under the address and undefined-behaviour sanitizers.

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/function/function.hpp>

#include "core/codec_types.hpp"

namespace wyvern::test {
namespace {

constexpr int mutations = 200'000;

class Mutator {
 public:
  /// One to four changes: of a bit, of a byte to a telling value, of the length, or a copied piece.
  Bytes operator()(Bytes bytes) {
    for (auto changes = below(4) + 1; changes > 0; --changes) {
      if (bytes.empty()) bytes.push_back({});
      auto& byte = bytes[below(bytes.size())];
      switch (below(5)) {
        case 0: byte ^= static_cast<std::byte>(1U << below(8)); break;
        case 1: byte = telling_[below(telling_.size())]; break;
        case 2: bytes.resize(below(bytes.size() + 1)); break;
        case 3: bytes.resize(bytes.size() + below(20), byte); break;
        default: std::swap(byte, bytes[below(bytes.size())]);
      }
    }
    return bytes;
  }

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  std::mt19937_64 random_{20240607};  // the same damage in every run
  std::array<std::byte, 6> telling_{std::byte{0},    std::byte{1},    std::byte{2},
                                    std::byte{0x7f}, std::byte{0xfe}, std::byte{0xff}};
};

/// Calls `use` with damaged copies of `bytes`; counts the ones that it accepted.
template <class Use>
int survive_mutations(const Bytes& bytes, Use use) {
  Mutator mutate;
  int accepted = 0;
  for (int i = 0; i < mutations; ++i) {
    try {
      use(mutate(bytes));
      ++accepted;
    } catch (const Error&) {
    }
  }
  return accepted;
}

TEST(CodecMutation, damaged_messages_decode_or_throw_our_errors) {
  const int accepted = survive_mutations(encoded(make_everything()),
                                         [](const Bytes& bytes) { encoded(decode_from<Everything>(bytes)); });
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, mutations);
}

TEST(CodecMutation, damaged_functions_decode_or_throw_our_errors) {
  struct Work {
    std::string name;
    std::vector<Function<std::string(std::string)>> functions;
  };
  const Work work{"work",
                  {[](std::string text) { return text; },
                   wyvern::bind([](const std::vector<std::string>& texts,
                                   const std::string& text) { return texts.at(0) + text; },
                                std::vector<std::string>{"a", "b"})}};
  survive_mutations(encoded(work), [](const Bytes& bytes) {
    try {
      for (const auto& function : decode_from<Work>(bytes).functions) function("x");
    } catch (const std::out_of_range&) {  // from the function itself
    }
  });
}

int sum(const std::vector<int>& numbers, const std::string&) {
  int total = 0;
  for (const int number : numbers) total ^= number;
  return total;
}

TEST(CodecMutation, damaged_entries_throw_our_errors) {
  const auto entry = make_entry(sum, std::vector<int>{1, 2, 3}, "text");
  survive_mutations(entry.bytes, [&](const Bytes& bytes) {
    if (bytes == entry.bytes) return;
    EXPECT_THROW(run_entry(bytes), Error);
  });
}

}  // namespace
}  // namespace wyvern::test
