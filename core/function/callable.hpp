#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <wyvern/core/codec/fields.hpp>

namespace wyvern {

/// An empty callable that calls `f`. See `wyvern::function`.
template <auto f>
  requires std::is_pointer_v<decltype(f)>
struct FunctionConstant {
  template <class... Args>
    requires std::is_invocable_v<decltype(f), Args...>
  decltype(auto) operator()(Args&&... args) const {
    return f(std::forward<Args>(args)...);
  }
};

/// A plain function as a value without state, so that it can travel: `wyvern::function<to_upper>`.
template <auto f>
inline constexpr FunctionConstant<f> function{};

namespace detail {

/// Callables whose type says everything: captureless lambdas, empty function objects, `wyvern::function<f>`.
template <class C>
concept Stateless = std::is_class_v<C> && std::is_empty_v<C> && std::is_trivially_copyable_v<C>;

/// An object of a stateless type, also if it has no default constructor.
template <Stateless C>
C stateless_object() {
  if constexpr (std::default_initializable<C>) {
    return C{};
  } else {
    return std::bit_cast<C>(std::byte{0});
  }
}

/// Calls with the result converted to R, or dropped for void.
template <class R, class C, class... Args>
R invoke_as(C&& callable, Args&&... args) {
  if constexpr (std::is_void_v<R>) {
    static_cast<void>(std::invoke(std::forward<C>(callable), std::forward<Args>(args)...));
  } else {
    return std::invoke(std::forward<C>(callable), std::forward<Args>(args)...);
  }
}

/// The parameters and result of a function or of a class with exactly one call operator.
template <class F>
struct Signature {};
template <class R, class... P>
struct Signature<R (*)(P...)> {
  using Result = R;
  using Parameters = TypeList<P...>;
  using Type = R(P...);
};
template <class R, class... P>
struct Signature<R (*)(P...) noexcept> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...)> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) noexcept> : Signature<R (*)(P...)> {};
template <class R, class C, class... P>
struct Signature<R (C::*)(P...) const noexcept> : Signature<R (*)(P...)> {};
template <class C>
  requires requires { &C::operator(); }
struct Signature<C> : Signature<decltype(&C::operator())> {};
template <auto f>
struct Signature<FunctionConstant<f>> : Signature<decltype(f)> {};

template <class F>
concept HasSignature = requires { typename Signature<F>::Type; };

/// The type in which an argument travels: text by value, anything else decayed.
template <class T>
struct CarriedType {
  using Type = std::decay_t<T>;
};
template <class T>
  requires(std::is_same_v<std::decay_t<T>, const char*> || std::is_same_v<std::decay_t<T>, char*> ||
           std::is_same_v<std::decay_t<T>, std::string_view>)
struct CarriedType<T> {
  using Type = std::string;
};
template <class T>
using Carried = typename CarriedType<T>::Type;

}  // namespace detail
}  // namespace wyvern
