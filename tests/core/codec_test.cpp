#include <bitset>
#include <complex>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <unordered_set>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>

#include "core/codec_types.hpp"

namespace wyvern::test {
namespace {

template <class T>
void expect_round_trip(const T& value) {
  EXPECT_EQ(round_trip(value), value) << type_name<T>();
}

template <class T>
void expect_decode_error(std::span<const std::byte> bytes) {
  EXPECT_THROW(decode_from<T>(bytes), DecodeError) << type_name<T>();
}

template <class T>
void expect_every_truncation_to_fail(const T& value) {
  const Bytes bytes = encoded(value);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes truncated(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(decode_from<T>(truncated), DecodeError) << "of " << bytes.size() << " bytes: " << size;
  }
}

Bytes bytes_of(std::initializer_list<int> values) {
  Bytes bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

TEST(Codec, trivially_copyable_values_are_copied_as_bytes) {
  expect_round_trip(0);
  expect_round_trip(std::numeric_limits<std::int64_t>::min());
  expect_round_trip(1.5L);
  expect_round_trip(true);
  expect_round_trip(Colour::green);
  expect_round_trip(std::chrono::system_clock::now());
  expect_round_trip(std::complex<double>(1, 2));
  expect_round_trip(Empty{});
  const Sample sample{.name = {'x', 'y', 'z'}, .valid = true, .values = {1, -1}};
  expect_round_trip(sample);
  EXPECT_EQ(encoded(sample).size(), sizeof sample);
}

TEST(Codec, containers_of_zero_one_and_many_elements_round_trip) {
  for (const std::size_t size : {0U, 1U, 2U, 254U, 255U, 256U, 70'000U}) {
    expect_round_trip(std::string(size, 'x'));
    expect_round_trip(std::u16string(size, u'x'));
    expect_round_trip(std::vector<std::uint64_t>(size, 7));
    expect_round_trip(std::vector<std::string>(size, "y"));
    expect_round_trip(std::vector<bool>(size, true));
    expect_round_trip(std::vector<Empty>(size));
    expect_round_trip(std::deque<int>(size, 3));
    expect_round_trip(std::list<Leaf>(size, Leaf{"z", Colour::red}));
  }
}

TEST(Codec, associative_containers_round_trip) {
  expect_round_trip(std::map<std::string, int>{});
  expect_round_trip(std::map<std::string, std::map<int, Leaf>>{{"a", {{1, {"x", {}}}}}, {"b", {}}});
  expect_round_trip(std::multimap<int, int>{{1, 2}, {1, 3}});
  expect_round_trip(std::unordered_map<std::string, Sample>{{"a", {}}, {"b", {}}});
  expect_round_trip(std::set<std::string>{"a", "b"});
  expect_round_trip(std::multiset<int>{1, 1, 2});
  expect_round_trip(std::unordered_set<int>{1, 2});
}

TEST(Codec, optional_variant_tuple_pair_array_and_bitset_round_trip) {
  expect_round_trip(std::optional<std::string>());
  expect_round_trip(std::optional<std::string>("x"));
  expect_round_trip(std::optional<std::optional<int>>(std::optional<int>()));
  expect_round_trip(std::variant<std::monostate, int, std::string>());
  expect_round_trip(std::variant<std::monostate, int, std::string>("x"));
  expect_round_trip(std::tuple<>());
  expect_round_trip(std::tuple<int, std::string, std::tuple<bool>>(1, "x", true));
  expect_round_trip(std::pair<const int, std::string>(1, "x"));
  expect_round_trip(std::array<int, 0>());
  expect_round_trip(std::array<std::string, 3>{"a", "b", "c"});
  expect_round_trip(std::bitset<70>(5));
}

TEST(Codec, owning_pointers_carry_their_object) {
  EXPECT_EQ(round_trip(std::unique_ptr<int>()), nullptr);
  EXPECT_EQ(*round_trip(std::make_unique<std::string>("x")), "x");
  EXPECT_EQ(*round_trip(std::make_shared<const Leaf>(Leaf{"x", {}})), (Leaf{"x", {}}));
}

TEST(Codec, user_codec_works_inside_everything) {
  const Money money(5, "EUR");
  expect_round_trip(money);
  expect_round_trip(std::vector<Money>{money, money});
  expect_round_trip(std::map<Money, Money>{{money, Money(1, "")}});
  expect_round_trip(std::optional<Money>(money));
  expect_round_trip(std::tuple<int, Money>(1, money));
  expect_round_trip(std::array<Money, 2>{money, money});
  expect_round_trip(std::variant<int, Money>(money));
  struct Order {
    int number;
    const Money price;
    std::vector<Money> parts;
    Money tip = Money(0, "EUR");
  };
  const auto order = round_trip(Order{.number = 1, .price = money, .parts = {money}});
  EXPECT_EQ(order.price, money);
  EXPECT_EQ(order.parts.size(), 1U);
}

TEST(Codec, types_with_functions_for_cereal_round_trip) {
  const Account account("me", {1, 2, 3});
  expect_round_trip(account);
  expect_round_trip(std::vector<Account>{account, Account()});
  Basket basket;
  basket.things = {"apple", "pear"};
  expect_round_trip(basket);
  EXPECT_EQ(round_trip(Celsius{1}).degrees, static_cast<float>('1'));
}

TEST(Codec, recursive_type_round_trips) {
  Tree tree{.value = 1, .children = {}, .left = std::make_unique<Tree>()};
  tree.children.resize(3);
  tree.children[2].left = std::make_unique<Tree>(Tree{.value = 9, .children = {}, .left = nullptr});
  EXPECT_EQ(round_trip(tree).children[2].left->value, 9);
}

TEST(Codec, encode_appends_and_leaves_what_is_there) {
  Bytes bytes = encoded(1);
  encode_to(bytes, 2);
  EXPECT_EQ(decode_from<int>(std::span(bytes).first(sizeof(int))), 1);
  EXPECT_EQ(decode_from<int>(std::span(bytes).last(sizeof(int))), 2);
}

TEST(Codec, decode_of_truncated_bytes_throws_decode_error) {
  expect_every_truncation_to_fail(make_everything());
  expect_every_truncation_to_fail(std::vector<Money>{{1, "EUR"}, {2, "USD"}});
  Basket basket;
  basket.things = {"apple"};
  expect_every_truncation_to_fail(basket);
}

TEST(Codec, decode_of_leftover_bytes_throws_decode_error) {
  for (auto bytes : {encoded(1), encoded(2)}) {
    bytes.push_back({});
    expect_decode_error<int>(bytes);
  }
  expect_decode_error<std::string>(bytes_of({1, 'a', 'b'}));
}

TEST(Codec, decode_error_names_the_type_and_carries_the_bytes) {
  const Bytes bytes = bytes_of({5, 'a'});
  try {
    decode_from<std::vector<Sample>>(bytes);
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_NE(std::string(error.what()).find("Sample"), std::string::npos) << error.what();
    EXPECT_EQ(error.bytes(), bytes);
  }
}

TEST(Codec, bytes_that_are_no_value_throw_decode_error) {
  expect_decode_error<bool>(bytes_of({2}));
  expect_decode_error<std::vector<bool>>(bytes_of({1, 7}));
  expect_decode_error<std::optional<int>>(bytes_of({3, 0, 0, 0, 0}));
  expect_decode_error<std::variant<bool, char>>(bytes_of({2, 0}));
  expect_decode_error<std::set<char>>(bytes_of({2, 'a', 'a'}));
  expect_decode_error<std::map<char, char>>(bytes_of({2, 'a', 1, 'a', 2}));
  Bytes sample = encoded(Sample{});
  sample[offsetof(Sample, valid)] = std::byte{0x40};
  expect_decode_error<Sample>(sample);
  Bytes account = encoded(Account());
  account[0] = std::byte{8};  // the version
  expect_decode_error<Account>(account);
}

template <class T>
void expect_impossible_length(std::span<const std::byte> bytes) {
  try {
    decode_from<T>(bytes);
    FAIL() << type_name<T>();
  } catch (const DecodeError& error) {
    EXPECT_NE(std::string(error.what()).find("a length of "), std::string::npos) << error.what();
  }
}

TEST(Codec, corrupt_length_does_not_allocate) {
  Bytes bytes = bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x00});
  bytes.resize(64);
  expect_impossible_length<std::string>(bytes);
  expect_impossible_length<std::vector<char>>(bytes);
  expect_impossible_length<std::vector<Sample>>(bytes);
  expect_impossible_length<std::vector<Empty>>(bytes);
  expect_impossible_length<std::vector<Money>>(bytes);
  expect_impossible_length<std::vector<std::vector<std::string>>>(bytes);
  expect_impossible_length<std::unordered_map<int, std::string>>(bytes);
  expect_impossible_length<std::deque<Leaf>>(bytes);
  Bytes basket = encoded(Account());
  basket.insert(basket.end(), bytes.begin(), bytes.end());
  expect_impossible_length<Basket>(basket);
}

TEST(Codec, length_is_checked_against_the_size_of_the_elements) {
  Bytes bytes = bytes_of({8});
  bytes.resize(1 + 63);
  expect_decode_error<std::vector<std::uint64_t>>(bytes);
  bytes.resize(1 + 64);
  EXPECT_EQ(decode_from<std::vector<std::uint64_t>>(bytes).size(), 8U);
}

TEST(Codec, nesting_has_a_limit_in_both_directions) {
  auto deepest = std::make_unique<Tree>();
  for (std::uint32_t depth = 1; depth < max_nesting; ++depth) {
    deepest = std::make_unique<Tree>(Tree{.value = 0, .children = {}, .left = std::move(deepest)});
  }
  EXPECT_NO_THROW(round_trip(*deepest));
  const Tree too_deep{
      .value = 0,
      .children = {},
      .left = std::make_unique<Tree>(Tree{.value = 0, .children = {}, .left = std::move(deepest)})};
  EXPECT_THROW(encoded(too_deep), InvalidArgument);

  Bytes bytes;
  for (int i = 0; i < 1'000'000; ++i) {  // value 0, one child, whose value is 0, ...
    bytes.resize(bytes.size() + sizeof(int));
    bytes.push_back(std::byte{1});
  }
  expect_decode_error<Tree>(bytes);
}

TEST(Codec, cycle_is_refused) {
  struct Link {
    std::string name;
    std::shared_ptr<Link> next;
  };
  auto link = std::make_shared<Link>();
  link->next = link;
  EXPECT_THROW(encoded(link), InvalidArgument);
  link->next.reset();
}

struct Bomb {
  explicit Bomb(int) { throw std::domain_error("bomb"); }
  Bomb() = default;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
  }
  std::string text;
};

TEST(Codec, valueless_variant_is_refused) {
  std::variant<std::string, Bomb> variant;
  EXPECT_THROW(variant.emplace<Bomb>(1), std::domain_error);
  ASSERT_TRUE(variant.valueless_by_exception());
  EXPECT_THROW(encoded(variant), InvalidArgument);
}

TEST(Codec, exceptions_of_user_codecs_pass_through) {
  EXPECT_THROW(decode_from<Thrower>(Bytes()), std::domain_error);
}

TEST(Codec, failed_encode_leaves_the_output_as_it_was) {
  Bytes bytes = encoded(1);
  std::vector<ObjectReference> references;
  EXPECT_THROW(encode_to(bytes, std::tuple<std::string, Thrower>("x", {}), &references), std::domain_error);
  EXPECT_EQ(bytes, encoded(1));
}

TEST(Codec, handles_are_collected_and_come_back) {
  const Handle first{{.id = ObjectId(1), .index = 2}};
  const Handle second{{.id = ObjectId(3), .index = 4}};
  const std::map<std::string, std::vector<Handle>> message{{"a", {first}}, {"b", {second, first}}};
  Bytes bytes;
  std::vector<ObjectReference> references;
  encode_to(bytes, message, &references);
  EXPECT_EQ(references, (std::vector{first.reference, second.reference, first.reference}));
  EXPECT_EQ((decode_from<std::map<std::string, std::vector<Handle>>>(bytes)), message);
}

TEST(Codec, handle_without_collector_is_refused) { EXPECT_THROW(encoded(Handle()), InvalidArgument); }

TEST(Codec, failed_encode_collects_no_handles) {
  Bytes bytes;
  std::vector<ObjectReference> references;
  EXPECT_THROW(encode_to(bytes, std::tuple<Handle, Thrower>(), &references), std::domain_error);
  EXPECT_TRUE(references.empty());
}

TEST(TypeName, is_what_the_compiler_calls_the_type) {
  static_assert(type_name<int>() == "int");
  EXPECT_EQ(type_name<Leaf>(), "wyvern::test::Leaf");
  EXPECT_EQ(type_name<std::vector<Leaf>*>().substr(0, 11), "std::vector");
}

TEST(TypeName, hashes_differ_between_types_and_leave_out_inline_namespaces) {
  static_assert(type_hash<int>() == hash_text("int"));
  static_assert(type_hash<Leaf>() != type_hash<Sample>());
  static_assert(type_hash<int(int)>() != type_hash<int()>());
  EXPECT_EQ(hash_text("abc"), 0xe71fa2190541574bU);
}

}  // namespace
}  // namespace wyvern::test
