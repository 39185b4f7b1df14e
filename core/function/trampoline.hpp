#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/function/callable.hpp>
#include <wyvern/core/function/function_registry.hpp>
#include <wyvern/core/type_name.hpp>

namespace wyvern::detail {

// A trampoline is a static function `call` for one type of callable and one signature: plain code at a fixed
// place of the image, which is what a token names. It gets the bytes of the bound arguments and the arguments
// of the call.

/// For a stateless callable.
template <class C, class Type>
struct StatelessTrampoline;
template <class C, class R, class... Args>
struct StatelessTrampoline<C, R(Args...)> {
  static constexpr std::uint64_t signature = type_hash<R(Args...)>();
  static constexpr bool takes_bound_arguments = false;

  static R call(std::span<const std::byte>, Args&&... args) {
    auto callable = stateless_object<C>();
    return invoke_as<R>(callable, std::forward<Args>(args)...);
  }
};

/// For a stateless callable whose first arguments are bound.
template <class C, class BoundArguments, class Type>
struct BoundTrampoline;
template <class C, class... Bound, class R, class... Args>
struct BoundTrampoline<C, std::tuple<Bound...>, R(Args...)> {
  static constexpr std::uint64_t signature = type_hash<R(Args...)>();
  static constexpr bool takes_bound_arguments = true;

  static R call(std::span<const std::byte> bytes, Args&&... args) {
    auto bound = decode_from<std::tuple<Bound...>>(bytes);
    auto callable = stateless_object<C>();
    return std::apply(
        [&](Bound&... values) -> R {
          return invoke_as<R>(callable, std::move(values)..., std::forward<Args>(args)...);
        },
        bound);
  }
};

/// The registration of one trampoline. It is made before main (or when the shared library is loaded) in every
/// program in which this class is instantiated, also in those that only receive the function.
template <class Trampoline>
struct Registered {
  static const FunctionRecord& record() {
    static const FunctionRegistration registration(reinterpret_cast<void (*)()>(&Trampoline::call),
                                                   Trampoline::signature, Trampoline::takes_bound_arguments);
    return registration.record();
  }
  static inline const FunctionRecord& made_before_main = record();
};

/// The record of a trampoline; naming it is what registers it. Valid as long as the trampoline's image is
/// loaded.
template <class Trampoline>
const FunctionRecord& registered_record() {
  static_cast<void>(Registered<Trampoline>::made_before_main);
  return Registered<Trampoline>::record();  // already there, also when another static object is initialised
                                            // first
}

}  // namespace wyvern::detail
