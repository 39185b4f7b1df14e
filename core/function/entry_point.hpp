#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/function/callable.hpp>
#include <wyvern/core/function/trampoline.hpp>
#include <wyvern/core/object_reference.hpp>
#include <wyvern/core/type_name.hpp>

namespace wyvern {

/// What a process is started on: a function and its arguments, as bytes, and the shared objects among the
/// arguments.
struct EncodedEntry {
  std::vector<std::byte> bytes;
  std::vector<ObjectReference> references;
};

/// Decodes the arguments, calls `ready` (if there is one), and then the function, in a process of the same
/// executable. Returns the exit status: what the function returns, or 0. Throws `DecodeError` for corrupt
/// bytes, `UnknownFunction` for a function that this program does not have, and what the function throws.
/// Thread-safe.
int run_entry(std::span<const std::byte> bytes, const std::function<void()>& ready = {});

namespace detail {

/// What the trampoline of an entry gets: for function pointers the function, and the encoded tuple of
/// arguments.
struct EntryCall {
  void (*function)() = nullptr;
  std::span<const std::byte> arguments;
  const std::function<void()>& ready;  ///< to be called when they are decoded, if it is callable
};
using EntryTrampoline = int(const EntryCall&);
/// Not a hash of the type: programs and this library may come from different compilers.
inline constexpr std::uint64_t entry_signature = hash_text("wyvern entry point");

/// Hands a decoded argument to a parameter of type P.
template <class P>
decltype(auto) pass(Carried<P>& value) {
  if constexpr (std::is_same_v<std::remove_cvref_t<P>, Carried<P>>) {
    return static_cast<P&&>(value);
  } else {
    return static_cast<P>(value);
  }
}

template <class... P, class F>
int call_entry(F&& function, const EntryCall& entry) {
  auto arguments = decode_from<std::tuple<Carried<P>...>>(entry.arguments);
  if (entry.ready) entry.ready();
  return std::apply(
      [&](Carried<P>&... values) {
        using Result = decltype(std::invoke(function, pass<P>(values)...));
        static_assert(std::is_void_v<Result> || std::is_same_v<Result, int>,
                      "wyvern: the function of a process returns void or its exit status as int");
        if constexpr (std::is_void_v<Result>) {
          std::invoke(function, pass<P>(values)...);
          return 0;
        } else {
          return std::invoke(function, pass<P>(values)...);
        }
      },
      arguments);
}

template <class C, class Parameters>
struct CallableEntry;
template <class C, class... P>
struct CallableEntry<C, TypeList<P...>> {
  static constexpr std::uint64_t signature = entry_signature;
  static constexpr bool takes_bound_arguments = true;
  static int call(const EntryCall& entry) {
    auto callable = stateless_object<C>();
    return call_entry<P...>(callable, entry);
  }
};

template <class R, class Parameters>
struct PointerEntry;
template <class R, class... P>
struct PointerEntry<R, TypeList<P...>> {
  static constexpr std::uint64_t signature = entry_signature;
  static constexpr bool takes_bound_arguments = true;
  static int call(const EntryCall& entry) {
    if (entry.function == nullptr) throw UnknownFunction("an entry for a function pointer names no function");
    return call_entry<P...>(reinterpret_cast<R (*)(P...)>(entry.function), entry);
  }
};

/// Begins an entry: everything before the arguments. `function` is null for stateless callables. Throws
/// `InvalidArgument` when one of the functions is in an image without build-id.
void begin_entry(std::vector<std::byte>& bytes, const FunctionRecord& trampoline, void (*function)());
/// Fills in the checksum when the arguments stand behind the beginning.
void finish_entry(std::vector<std::byte>& bytes);

template <class... P, class... Args>
EncodedEntry encode_entry(TypeList<P...>, const FunctionRecord& trampoline, void (*function)(),
                          Args&&... args) {
  static_assert(sizeof...(P) == sizeof...(Args),
                "wyvern: the function of a process needs exactly as many arguments as it has parameters");
  static_assert(((!std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>)&&...),
                "wyvern: the function of a process cannot have a parameter of type T&: the other process "
                "gets a copy of "
                "the argument; take it by value or by const reference");
  if constexpr (sizeof...(P) == sizeof...(Args)) {
    static_assert(
        (std::is_constructible_v<Carried<P>, Args> && ...),
        "wyvern: an argument cannot be converted to the type of the parameter of the process's function");
    EncodedEntry entry;
    begin_entry(entry.bytes, trampoline, function);
    encode_to(entry.bytes, std::tuple<Carried<P>...>(std::forward<Args>(args)...), &entry.references);
    finish_entry(entry.bytes);
    return entry;
  } else {
    return {};
  }
}

}  // namespace detail

/// Prepares a call of `callable(args...)` in another process. `callable` is a plain function or a stateless
/// callable, and returns void or int. The arguments are converted to the types of its parameters here (for a
/// generic callable: decayed), and travel by their codecs; handles to queues are allowed and collected.
/// Throws `InvalidArgument` when the program has no build-id, and what codecs throw. Thread-safe.
template <class F, class... Args>
EncodedEntry make_entry(F&& callable, Args&&... args) {
  using C = std::decay_t<F>;
  if constexpr (std::is_pointer_v<C> && detail::HasSignature<C>) {
    using Parameters = typename detail::Signature<C>::Parameters;
    using Trampoline = detail::PointerEntry<typename detail::Signature<C>::Result, Parameters>;
    return detail::encode_entry(Parameters(), detail::registered_record<Trampoline>(),
                                reinterpret_cast<void (*)()>(static_cast<C>(callable)),
                                std::forward<Args>(args)...);
  } else if constexpr (!detail::Stateless<C>) {
    static_assert(detail::Stateless<C>,
                  "wyvern: a process can only be started on a plain function or a lambda without captures; "
                  "pass what it "
                  "would capture as arguments");
  } else if constexpr (detail::HasSignature<C>) {
    using Parameters = typename detail::Signature<C>::Parameters;
    return detail::encode_entry(Parameters(),
                                detail::registered_record<detail::CallableEntry<C, Parameters>>(), nullptr,
                                std::forward<Args>(args)...);
  } else {
    using Parameters = detail::TypeList<detail::Carried<Args>...>;
    return detail::encode_entry(Parameters(),
                                detail::registered_record<detail::CallableEntry<C, Parameters>>(), nullptr,
                                std::forward<Args>(args)...);
  }
}

}  // namespace wyvern
