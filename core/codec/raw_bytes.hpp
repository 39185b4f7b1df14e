#pragma once

#include <array>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <wyvern/core/codec/cereal_archive.hpp>
#include <wyvern/core/codec/decoder.hpp>
#include <wyvern/core/codec/fields.hpp>

namespace wyvern::detail {

// Which types travel as a copy of their bytes: trivially copyable ones in which, as far as can be seen,
// nothing points to memory and nothing has a rule of its own about its bytes (std::variant's index, a type
// with a Codec).

template <class Rep, class Period>
inline constexpr bool is_standard_value<std::chrono::duration<Rep, Period>> = std::is_arithmetic_v<Rep>;
template <class Clock, class Duration>
inline constexpr bool is_standard_value<std::chrono::time_point<Clock, Duration>> =
    is_standard_value<Duration>;
template <class Number>
inline constexpr bool is_standard_value<std::complex<Number>> = std::is_arithmetic_v<Number>;

/// Trivially copyable standard types that only point to what they mean.
template <class T>
inline constexpr bool is_view = false;
template <class Character, class Traits>
inline constexpr bool is_view<std::basic_string_view<Character, Traits>> = true;
template <class Element, std::size_t extent>
inline constexpr bool is_view<std::span<Element, extent>> = true;
template <class T>
inline constexpr bool is_view<std::reference_wrapper<T>> = true;
template <class T>
inline constexpr bool is_view<std::initializer_list<T>> = true;

/// Lambdas with captures, and classes that cannot be told from them.
template <class T>
inline constexpr bool is_capturing =
    std::is_class_v<T> && !std::is_empty_v<T> && !std::is_aggregate_v<T> && requires { &T::operator(); };

template <class T>
consteval bool is_raw();

template <class... Fields>
consteval bool are_raw(TypeList<Fields...>) {
  return (is_raw<std::remove_cv_t<Fields>>() && ...);
}

/// Turns the arguments of `visit_fields` into the list of types alone.
inline constexpr auto only_types = [](auto types, const auto&...) { return types; };

template <class T>
using FieldTypes = decltype(visit_fields(std::declval<T&>(), only_types));

template <class T>
inline constexpr bool is_raw_array = false;
template <class Element, std::size_t size>
inline constexpr bool is_raw_array<Element[size]> = is_raw<std::remove_cv_t<Element>>();
template <class Element, std::size_t size>
inline constexpr bool is_raw_array<std::array<Element, size>> = is_raw<std::remove_cv_t<Element>>();

template <class T>
consteval bool is_raw() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || is_standard_value<T> || is_raw_array<T>) {
    return true;
  } else if constexpr (std::is_union_v<T>) {
    return std::is_trivially_copyable_v<T> && !HasOwnCodec<T>;
  } else if constexpr (!std::is_class_v<T> || !std::is_trivially_copyable_v<T> || is_view<T> ||
                       is_capturing<T>) {
    return false;
  } else if constexpr (HasOwnCodec<T>) {
    return false;
  } else if constexpr (has_cereal_functions<T>()) {
    return false;
  } else if constexpr (is_inspectable<T>) {
    return are_raw(FieldTypes<T>());
  } else {
    return true;
  }
}

template <class T>
consteval bool has_bool();

template <class... Fields>
consteval bool have_bool(TypeList<Fields...>) {
  return (has_bool<std::remove_cv_t<Fields>>() || ...);
}

/// A raw T has a bool inside, so not every pattern of bytes is a T.
template <class T>
consteval bool has_bool() {
  if constexpr (std::is_same_v<T, bool>) {
    return true;
  } else if constexpr (std::is_array_v<T>) {
    return has_bool<std::remove_cv_t<std::remove_all_extents_t<T>>>();
  } else if constexpr (is_raw_array<T>) {
    return has_bool<std::remove_cv_t<typename T::value_type>>();
  } else if constexpr (is_inspectable<T>) {
    return have_bool(FieldTypes<T>());
  } else {
    return false;
  }
}

template <class T>
inline constexpr bool is_bulk = is_raw<T>() && !has_bool<T>();

template <class T>
void check_bools(Decoder& decoder, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    unsigned char byte = 0;
    std::memcpy(&byte, &value, sizeof byte);
    if (byte > 1) decoder.fail("a bool is neither 0 nor 1");
  } else if constexpr (!has_bool<T>()) {
    return;
  } else if constexpr (std::is_array_v<T> || is_raw_array<T>) {
    for (const auto& element : value) check_bools(decoder, element);
  } else {
    visit_fields(value, [&](auto, const auto&... fields) { (check_bools(decoder, fields), ...); });
  }
}

/// Copies a raw T into the message.
template <class T>
void write_raw(Encoder& encoder, const T& value) {
  if constexpr (std::is_empty_v<T>) {
    encoder.write_bytes("", 1);  // its only byte has no value to copy
  } else {
    encoder.write_bytes(std::addressof(value), sizeof value);
  }
}

/// Copies a raw T out of the message.
template <class T>
T read_raw(Decoder& decoder) {
  if constexpr (std::is_trivially_default_constructible_v<T>) {
    T value;
    decoder.read_bytes(static_cast<void*>(&value), sizeof value);
    if constexpr (has_bool<T>()) check_bools(decoder, value);
    return value;
  } else {
    alignas(T) std::byte storage[sizeof(T)];
    decoder.read_bytes(storage, sizeof storage);  // begins the lifetime of a T, as memcpy does
    const T& value = *std::launder(reinterpret_cast<const T*>(storage));
    if constexpr (has_bool<T>()) check_bools(decoder, value);
    return value;
  }
}

/// The fewest bytes that an encoded T can have; 0 when that is not known.
template <class T>
consteval std::size_t minimum_size();

template <class... Fields>
consteval std::size_t sum_of_minimum_sizes(TypeList<Fields...>) {
  return (std::size_t{0} + ... + minimum_size<std::remove_cv_t<Fields>>());
}

template <class T>
consteval std::size_t minimum_size() {
  if constexpr (is_raw<T>()) {
    return sizeof(T);
  } else if constexpr (requires { Codec<T>::minimum_size(); }) {
    return Codec<T>::minimum_size();
  } else if constexpr (!HasOwnCodec<T> && !has_cereal_functions<T>() && is_inspectable<T>) {
    return sum_of_minimum_sizes(FieldTypes<T>());
  } else {
    return 0;
  }
}

}  // namespace wyvern::detail
