#include <dlfcn.h>

#include <atomic>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/function/function.hpp>
#include <wyvern/core/function/image.hpp>

#include "core/function_plugin.hpp"

namespace wyvern::test {
namespace {

using Bytes = std::vector<std::byte>;
using TextFunction = Function<std::string(std::string)>;

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

std::string to_upper(std::string text) {
  for (char& character : text) character = static_cast<char>(std::toupper(character));
  return text;
}

/// Stateless, but without a default constructor.
struct Twice {
  explicit Twice(int) {}
  int operator()(int number) const { return 2 * number; }
};

/// The bytes of a token with one field changed.
template <class Change>
Bytes with_changed_token(Bytes bytes, Change change) {
  FunctionToken token;
  std::memcpy(&token, bytes.data(), sizeof token);
  change(token);
  std::memcpy(bytes.data(), &token, sizeof token);
  return bytes;
}

template <class T>
std::string message_of_unknown_function(const Bytes& bytes) {
  try {
    decode_from<T>(bytes);
  } catch (const UnknownFunction& error) {
    return error.what();
  }
  return "no UnknownFunction";
}

TEST(Function, lambda_travels) {
  const TextFunction function = [](std::string text) { return "<" + text + ">"; };
  EXPECT_EQ(function("x"), "<x>");
  EXPECT_EQ(round_trip(function)("x"), "<x>");
}

TEST(Function, every_kind_of_stateless_callable_travels) {
  EXPECT_EQ(round_trip(TextFunction(wyvern::function<to_upper>))("abc"), "ABC");
  EXPECT_EQ(round_trip(Function<int(int)>(Twice(0)))(4), 8);
  EXPECT_EQ(round_trip(Function<int(int, int)>(std::plus<>()))(4, 5), 9);
  EXPECT_EQ(round_trip(Function<int(int)>([](auto number) mutable noexcept { return number + 1; }))(4), 5);
}

TEST(Function, arguments_and_results_keep_their_kind) {
  int number = 0;
  const Function<int&(int&)> same = [](int& value) -> int& { return value; };
  round_trip(same)(number) = 7;
  EXPECT_EQ(number, 7);
  const Function<std::unique_ptr<int>(std::unique_ptr<int>)> pass = [](auto pointer) { return pointer; };
  EXPECT_EQ(*pass(std::make_unique<int>(3)), 3);
  const Function<void(int&)> drop = [](int& value) { return ++value; };
  drop(number);
  EXPECT_EQ(number, 8);
}

TEST(Function, exceptions_of_the_callable_pass_through) {
  const Function<void()> function = [] { throw std::domain_error("user"); };
  EXPECT_THROW(round_trip(function)(), std::domain_error);
}

TEST(Function, functions_travel_inside_messages) {
  struct Package {
    std::string data;
    std::map<std::string, TextFunction> operations;
  };
  const Package package{
      "text",
      {{"upper", wyvern::function<to_upper>},
       {"twice", [](std::string text) { return text + text; }},
       {"more", wyvern::bind([](int n, std::string text) { return text + std::to_string(n); }, 3)}}};
  const auto copy = round_trip(package);
  EXPECT_EQ(copy.operations.at("upper")(copy.data), "TEXT");
  EXPECT_EQ(copy.operations.at("twice")(copy.data), "texttext");
  EXPECT_EQ(copy.operations.at("more")(copy.data), "text3");
}

TEST(Function, empty_function_travels_and_throws_when_called) {
  const TextFunction empty;
  EXPECT_FALSE(empty);
  EXPECT_FALSE(round_trip(empty));
  EXPECT_THROW(empty("x"), UnknownFunction);
}

TEST(Function, what_has_state_is_refused) {
  int state = 0;
  auto by_value = [state] { return state; };
  auto by_reference = [&state] { return state; };
  static_assert(!std::is_constructible_v<Function<int()>, decltype(by_value)>);
  static_assert(!std::is_constructible_v<Function<int()>, decltype(by_reference)>);
  static_assert(!std::is_constructible_v<Function<int()>, int (*)()>);
  static_assert(!std::is_constructible_v<Function<int()>, std::function<int()>>);
  static_assert(!std::is_constructible_v<Function<long()>, Function<int()>>);
  static_assert(!std::is_constructible_v<Function<int(std::string)>, Twice>);
  static_assert(std::is_convertible_v<Twice, Function<int(int)>>);
  static_assert(std::regular<Function<int()>>);
}

TEST(Function, bound_arguments_travel) {
  const Function<std::string(int)> function =
      wyvern::bind([](const std::string& text, std::vector<std::string> list,
                      int number) { return text + list.at(1) + std::to_string(number); },
                   "a", std::vector<std::string>{"x", "y"});
  EXPECT_EQ(function(1), "ay1");
  const auto copy = round_trip(function);
  EXPECT_EQ(copy(2), "ay2");
  EXPECT_EQ(copy(3), "ay3");
}

TEST(Function, bind_takes_views_functions_and_no_arguments_at_all) {
  constexpr std::string_view view = "view";
  EXPECT_EQ(round_trip(Function<std::size_t()>(
                wyvern::bind([](std::string_view text) { return text.size(); }, view)))(),
            4U);
  const TextFunction inner = wyvern::function<to_upper>;
  const TextFunction outer =
      wyvern::bind([](const TextFunction& f, std::string text) { return f(f(text)) + "!"; }, inner);
  EXPECT_EQ(round_trip(outer)("a"), "A!");
  EXPECT_EQ(round_trip(Function<int(int)>(wyvern::bind(Twice(0))))(2), 4);
}

TEST(Function, corrupt_bound_arguments_throw_decode_error_when_called) {
  Function<std::size_t()> function = wyvern::bind([](const std::string& text) { return text.size(); }, "abc");
  Bytes bytes = encoded(function);
  bytes[sizeof(FunctionToken) + 1] = std::byte{200};  // the length of the text
  EXPECT_THROW(decode_from<Function<std::size_t()>>(bytes)(), DecodeError);
}

TEST(Function, bound_arguments_of_a_function_without_any_throw_decode_error) {
  Bytes bytes = encoded(TextFunction(wyvern::function<to_upper>));
  bytes.back() = std::byte{1};
  bytes.push_back({});
  EXPECT_THROW(decode_from<TextFunction>(bytes), DecodeError);
  Bytes empty = encoded(TextFunction());
  empty.back() = std::byte{1};
  empty.push_back({});
  EXPECT_THROW(decode_from<TextFunction>(empty), DecodeError);
}

TEST(Function, equality_is_that_of_function_and_bound_arguments) {
  const auto add = [](int a, int b) { return a + b; };
  const Function<int(int)> add_one = wyvern::bind(add, 1);
  EXPECT_EQ(add_one, round_trip(add_one));
  EXPECT_NE(add_one, (Function<int(int)>(wyvern::bind(add, 2))));
  EXPECT_NE(add_one, (Function<int(int)>(Twice(0))));
  EXPECT_NE(add_one, (Function<int(int)>()));
  EXPECT_EQ((Function<int(int)>()), (Function<int(int)>()));
}

TEST(Function, lambdas_with_identical_bodies_are_right) {
  const Function<int(int)> first = [](int number) { return number * 3; };
  const Function<int(int)> second = [](int number) { return number * 3; };
  const Function<unsigned(unsigned)> third = [](unsigned number) { return number * 3; };
  EXPECT_EQ(round_trip(first)(2), 6);
  EXPECT_EQ(round_trip(second)(3), 9);
  EXPECT_EQ(round_trip(third)(3U), 9U);
  EXPECT_THROW((decode_from<Function<int(int)>>(encoded(third))), UnknownFunction);
}

volatile bool never_true = false;

TEST(Function, functions_are_registered_before_anyone_makes_one) {
  const auto never_made = [](int number) { return number + 41; };
  using Trampoline = detail::StatelessTrampoline<std::remove_const_t<decltype(never_made)>, int(int)>;
  if (never_true) {
    const Function<int(int)> function = never_made;
    FAIL() << function(1);
  }
  const auto place = detail::locate(reinterpret_cast<const void*>(&Trampoline::call));
  const FunctionToken token{.image = place.image,
                            .offset = place.offset,
                            .signature = detail::short_signature(type_hash<int(int)>())};
  EXPECT_NE(detail::FunctionRegistry::instance().find(token), nullptr);
}

TEST(Function, token_of_another_image_is_unknown) {
  const Bytes bytes = with_changed_token(encoded(TextFunction(wyvern::function<to_upper>)),
                                         [](FunctionToken& token) { token.image = 0x0807060504030201; });
  const auto message = message_of_unknown_function<TextFunction>(bytes);
  EXPECT_NE(message.find("build-id 0102030405060708"), std::string::npos) << message;
  EXPECT_NE(message.find("another program or another build"), std::string::npos) << message;
}

TEST(Function, corrupt_token_is_unknown) {
  const Bytes bytes = encoded(TextFunction(wyvern::function<to_upper>));
  const auto at_offset = with_changed_token(bytes, [](FunctionToken& token) { token.offset += 1; });
  EXPECT_NE(message_of_unknown_function<TextFunction>(at_offset).find("corrupt"), std::string::npos);
  const auto at_signature = with_changed_token(bytes, [](FunctionToken& token) { token.signature += 1; });
  EXPECT_NE(message_of_unknown_function<TextFunction>(at_signature).find("corrupt"), std::string::npos);
  const auto no_image = with_changed_token(bytes, [](FunctionToken& token) { token.image = 0; });
  EXPECT_THROW(decode_from<TextFunction>(no_image), UnknownFunction);
}

TEST(Function, function_of_another_signature_is_unknown) {
  EXPECT_THROW(decode_from<TextFunction>(encoded(Function<int(int)>(Twice(0)))), UnknownFunction);
}

TEST(Function, registry_may_be_changed_while_others_look_up) {
  const Bytes bytes = encoded(TextFunction(wyvern::function<to_upper>));
  std::atomic<bool> stop = false;
  std::thread changing([&] {
    while (!stop) {
      const detail::FunctionRegistration registration("test/changing", nullptr, 1);
    }
  });
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(decode_from<TextFunction>(bytes));
  stop = true;
  changing.join();
}

const RegisteredFunction shout{"test/shout", [](std::string text) { return to_upper(text) + "!"; }};
const RegisteredFunction plain{"test/plain", wyvern::function<to_upper>};

TEST(RegisteredFunction, travels_by_name) {
  EXPECT_EQ(round_trip(TextFunction(shout))("x"), "X!");
  EXPECT_EQ(round_trip(TextFunction(plain))("x"), "X");
  FunctionToken token;
  std::memcpy(&token, encoded(TextFunction(shout)).data(), sizeof token);
  EXPECT_EQ(token, detail::token_of_name("test/shout", type_hash<std::string(std::string)>()));
}

TEST(RegisteredFunction, unknown_name_is_unknown_function) {
  const Bytes bytes = with_changed_token(encoded(TextFunction(shout)), [](FunctionToken& token) {
    token = detail::token_of_name("test/nobody", type_hash<std::string(std::string)>());
  });
  EXPECT_NE(message_of_unknown_function<TextFunction>(bytes).find("RegisteredFunction"), std::string::npos);
}

TEST(RegisteredFunctionDeathTest, second_function_of_a_name_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH({ const RegisteredFunction again("test/shout", [](std::string text) { return text; }); },
               "test/shout");
}

/// A library as dlopen loads it, closed again at the end.
struct Plugin {
  explicit Plugin(const char* path) : handle(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {}
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() {
    if (handle != nullptr) dlclose(handle);
  }
  PluginFunction function() const {
    PluginFunction made;
    reinterpret_cast<MakePluginFunction*>(dlsym(handle, "plugin_function"))(made);
    return made;
  }
  void* handle;
};

TEST(FunctionInSharedLibrary, travels_while_the_library_is_loaded) {
  Bytes bytes;
  {
    const Plugin plugin(FUNCTION_PLUGIN);
    ASSERT_NE(plugin.handle, nullptr) << dlerror();
    encode_to(bytes, plugin.function());
    EXPECT_EQ(decode_from<PluginFunction>(bytes)(1), 1001);
  }
  if (void* handle = dlopen(FUNCTION_PLUGIN, RTLD_NOW | RTLD_NOLOAD); handle != nullptr) {
    dlclose(handle);
    GTEST_SKIP() << "this C++ library keeps shared libraries loaded";
  }
  EXPECT_THROW(decode_from<PluginFunction>(bytes), UnknownFunction);
}

TEST(FunctionInSharedLibrary, without_build_id_works_but_cannot_travel) {
  const Plugin plugin(FUNCTION_PLUGIN_WITHOUT_BUILD_ID);
  ASSERT_NE(plugin.handle, nullptr) << dlerror();
  const auto function = plugin.function();
  EXPECT_EQ(function(1), 1001);
  EXPECT_THROW(encoded(function), InvalidArgument);
}

}  // namespace
}  // namespace wyvern::test
