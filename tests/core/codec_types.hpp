#pragma once

// Types for the tests of the codec, and what those tests do with all of them.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <cereal/cereal.hpp>

#include <wyvern/core/codec/codec.hpp>

namespace wyvern::test {

using Bytes = std::vector<std::byte>;

template <class T>
Bytes encoded(const T& value) {
  Bytes bytes;
  encode_to(bytes, value);
  return bytes;
}

template <class T>
T round_trip(const T& value) {
  return decode_from<T>(encoded(value));
}

enum class Colour : std::uint8_t { red, green };

/// Trivially copyable, with an array and padding.
struct Sample {
  std::array<char, 3> name{};
  bool valid = false;
  double values[2]{};
  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Empty {
  friend bool operator==(Empty, Empty) = default;
};

/// Has neither a default constructor nor anything that could be looked into.
class Money {
 public:
  Money(std::int64_t cents, std::string unit) : cents_(cents), unit_(std::move(unit)) {}
  std::int64_t cents() const { return cents_; }
  const std::string& unit() const { return unit_; }
  friend auto operator<=>(const Money&, const Money&) = default;

 private:
  std::int64_t cents_;
  std::string unit_;
};

/// With functions for cereal and a version.
class Account {
 public:
  Account() = default;
  Account(std::string owner, std::vector<int> digits)
      : owner_(std::move(owner)), digits_(std::move(digits)) {}
  friend bool operator==(const Account&, const Account&) = default;

  template <class Archive>
  void serialize(Archive& archive, std::uint32_t version) {
    if (version != 7) throw cereal::Exception("unknown version");
    archive(cereal::make_nvp("owner", owner_), digits_, flags_);
  }

 private:
  std::string owner_;
  std::vector<int> digits_;
  bool flags_[2]{true, false};
};

/// With the split form of cereal, a container of its own, and a base class.
struct Basket : Account {
  std::vector<std::string> things;
  friend bool operator==(const Basket&, const Basket&) = default;
};
template <class Archive>
void save(Archive& archive, const Basket& basket) {
  archive(cereal::base_class<Account>(&basket), cereal::make_size_tag(basket.things.size()));
  for (const auto& thing : basket.things) archive(thing);
}
template <class Archive>
void load(Archive& archive, Basket& basket) {
  cereal::size_type size = 0;
  archive(cereal::base_class<Account>(&basket), cereal::make_size_tag(size));
  basket.things.resize(size);
  for (auto& thing : basket.things) archive(thing);
}

/// With the minimal form of cereal.
struct Celsius {
  float degrees = 0;
  friend bool operator==(const Celsius&, const Celsius&) = default;
};
template <class Archive>
std::string save_minimal(const Archive&, const Celsius& celsius) {
  return std::to_string(celsius.degrees);
}
template <class Archive>
void load_minimal(const Archive&, Celsius& celsius, const std::string& text) {
  celsius.degrees = text.empty() ? 0 : static_cast<float>(text.front());
}

/// Its codec throws an exception of its own when half of it is written.
struct Thrower {};

/// As a handle to a queue is.
struct Handle {
  ObjectReference reference;
  friend bool operator==(Handle, Handle) = default;
};

struct Tree {
  int value = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> left;
};

struct Leaf {
  std::string text;
  std::optional<Colour> colour;
  friend bool operator==(const Leaf&, const Leaf&) = default;
};

/// One of everything.
struct Everything {
  std::string text;
  std::vector<std::uint32_t> numbers;
  std::vector<bool> bits;
  std::vector<Leaf> leaves;
  std::map<std::string, std::vector<Leaf>> table;
  std::unordered_map<int, Sample> samples;
  std::set<std::pair<int, std::string>> pairs;
  std::variant<std::monostate, int, Leaf> choice;
  std::tuple<bool, std::string, Sample> tuple;
  std::array<std::string, 2> array;
  std::deque<std::list<int>> lists;
  std::shared_ptr<Leaf> pointer;
  std::chrono::nanoseconds duration{};
  Account account;
};

inline Everything make_everything() {
  return {.text = "text",
          .numbers = {1, 2, 3},
          .bits = {true, false, true},
          .leaves = {{"a", Colour::green}, {"b", std::nullopt}},
          .table = {{"x", {{"y", Colour::red}}}, {"z", {}}},
          .samples = {{4, {.name = {'a', 'b', 'c'}, .valid = true, .values = {1.5, 2.5}}}},
          .pairs = {{1, "one"}, {2, "two"}},
          .choice = Leaf{"chosen", Colour::red},
          .tuple = {true, "tuple", {}},
          .array = {"first", "second"},
          .lists = {{1, 2}, {}, {3}},
          .pointer = std::make_shared<Leaf>(Leaf{"pointed at", {}}),
          .duration = std::chrono::nanoseconds(42),
          .account = {"owner", {9, 8}}};
}

}  // namespace wyvern::test

CEREAL_CLASS_VERSION(wyvern::test::Account, 7)

// It inherits its base's function as well.
template <class Archive>
struct cereal::specialize<Archive, wyvern::test::Basket, cereal::specialization::non_member_load_save> {};

template <>
struct wyvern::Codec<wyvern::test::Money> {
  static void encode(Encoder& encoder, const test::Money& money) { encoder(money.cents(), money.unit()); }
  static test::Money decode(Decoder& decoder) {
    const auto cents = decoder.read<std::int64_t>();
    return {cents, decoder.read<std::string>()};
  }
};

template <>
struct wyvern::Codec<wyvern::test::Thrower> {
  static void encode(Encoder& encoder, const test::Thrower&) {
    encoder(std::string("half"));
    throw std::domain_error("user");
  }
  static test::Thrower decode(Decoder&) { throw std::domain_error("user"); }
};

template <>
struct wyvern::Codec<wyvern::test::Handle> {
  static void encode(Encoder& encoder, const test::Handle& handle) { encoder.carry(handle.reference); }
  static test::Handle decode(Decoder& decoder) { return {decoder.take_reference()}; }
};
