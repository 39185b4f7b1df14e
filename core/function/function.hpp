#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/function/callable.hpp>
#include <wyvern/core/function/function_registry.hpp>
#include <wyvern/core/function/registered_function.hpp>
#include <wyvern/core/function/trampoline.hpp>

namespace wyvern {

/// A stateless callable with its first arguments; what `bind` returns. Converts to `Function`.
template <class C, class... Bound>
struct BoundCallable {
  std::tuple<Bound...> arguments;
};

/// Gives a stateless callable its first arguments, so that the rest makes a `Function`:
///
///     Function<int(int)> add_five = wyvern::bind([](int a, int b) { return a + b; }, 5);
///
/// The arguments are kept decayed (text as std::string) and must have a Codec; handles to queues are refused
/// when the result becomes a `Function`.
template <class C, class... Args>
auto bind(C, Args&&... args) {
  static_assert(detail::Stateless<C>,
                "wyvern: only a stateless callable can be bound: a lambda without captures or "
                "wyvern::function<f>; what "
                "it would capture is given to wyvern::bind as arguments");
  return BoundCallable<C, detail::Carried<Args>...>{
      std::tuple<detail::Carried<Args>...>(std::forward<Args>(args)...)};
}

template <class Type>
class Function;

/// A function as a value that can travel: it can be a member of a message, an argument of a process, an
/// element of a queue. Made from a callable without state: a lambda without captures, an empty function
/// object, `wyvern::function<f>` for a plain function, a `RegisteredFunction`, or any of these with arguments
/// from `wyvern::bind`. Function pointers, std::function and lambdas with captures are refused by the
/// compiler, as their state cannot be seen.
///
/// The receiver must have the same image (executable or shared library, the same build) in it; anything else
/// is `UnknownFunction` where it is decoded. A shared library must take Wyvern from the program, which
/// exports its symbols (ENABLE_EXPORTS): a copy of its own would register functions where the program does
/// not look. A value has the size of a pointer and a vector; without bound arguments it allocates nothing.
/// Must not be used after its shared library was unloaded. Different objects may be used by different
/// threads; calls of one object at once are as safe as those of the callable.
template <class R, class... Args>
class Function<R(Args...)> {
 public:
  /// Empty.
  Function() = default;

  // NOLINTBEGIN(google-explicit-constructor): where a Function is expected, a callable is written
  template <detail::Stateless C>
    requires std::is_invocable_r_v<R, C&, Args...>
  Function(C) : record_(&detail::registered_record<detail::StatelessTrampoline<C, R(Args...)>>()) {}

  /// Encodes the bound arguments; throws what their codecs throw.
  template <class C, class... Bound>
    requires std::is_invocable_r_v<R, C&, Bound..., Args...>
  Function(const BoundCallable<C, Bound...>& bound)
      : record_(&detail::registered_record<detail::BoundTrampoline<C, std::tuple<Bound...>, R(Args...)>>()) {
    encode_to(bound_, bound.arguments);
  }

  template <class C>
    requires std::is_same_v<typename RegisteredFunction<C>::Type, R(Args...)>
  Function(const RegisteredFunction<C>& function) : record_(&function.record()) {}
  // NOLINTEND(google-explicit-constructor)

  // clang-format off
  template <class C>
    requires(!detail::Stateless<C> && !std::is_same_v<C, Function> && std::is_invocable_r_v<R, C&, Args...>)
  Function(C) = delete;  // Captures and function pointers cannot travel: use wyvern::bind(lambda, arguments...) or wyvern::function<f>.
  // clang-format on

  /// Throws `UnknownFunction` when empty, `DecodeError` when the bound arguments are corrupt (they are
  /// decoded on each call), and what the callable throws.
  R operator()(Args... args) const {
    if (record_ == nullptr) throw UnknownFunction("an empty wyvern::Function was called");
    using Call = R (*)(std::span<const std::byte>, Args&&...);
    return reinterpret_cast<Call>(record_->code)(bound_, std::forward<Args>(args)...);
  }

  explicit operator bool() const { return record_ != nullptr; }

  /// The same function with the same encoded arguments (padding inside a trivially copyable one counts).
  /// Callables that the linker has folded into one are equal.
  friend bool operator==(const Function& a, const Function& b) {
    return a.code() == b.code() && a.bound_ == b.bound_;
  }

 private:
  friend Codec<Function>;
  auto code() const { return record_ == nullptr ? nullptr : record_->code; }

  const detail::FunctionRecord* record_ = nullptr;
  std::vector<std::byte> bound_;
};

/// A token and the bytes of the bound arguments; a token of zeros for an empty function. Decoding throws
/// `UnknownFunction` for a function that is not registered here with this signature; nothing is ever called
/// that is not.
template <class R, class... Args>
struct Codec<Function<R(Args...)>> {
  using Value = Function<R(Args...)>;

  static consteval std::size_t minimum_size() { return sizeof(FunctionToken) + 1; }

  static void encode(Encoder& encoder, const Value& function) {
    FunctionToken token;
    if (function.record_ != nullptr) {
      token = function.record_->token;
      if (token.image == 0) {
        throw InvalidArgument(
            "a function cannot travel, because the program or shared library that it is in has no build-id: "
            "link with "
            "-Wl,--build-id");
      }
    }
    encoder(token, function.bound_);
  }

  static Value decode(Decoder& decoder) {
    const auto token = decoder.read<FunctionToken>();
    Value function;
    function.bound_ = decoder.read<std::vector<std::byte>>();
    if (token != FunctionToken()) {
      function.record_ = &detail::FunctionRegistry::instance().look_up(token, type_hash<R(Args...)>());
    }
    if (!function.bound_.empty() && (!function || !function.record_->takes_bound_arguments)) {
      decoder.fail("a function without bound arguments comes with some");
    }
    return function;
  }
};

}  // namespace wyvern
