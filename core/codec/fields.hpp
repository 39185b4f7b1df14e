#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace wyvern::detail {

// How many fields an aggregate has, of which types, and access to them, without any code of the user's.

/// Aggregates with more fields than this are not looked into.
inline constexpr std::size_t max_fields = 16;
/// What `field_count` says of an aggregate that has more than `max_fields`.
inline constexpr std::size_t too_many_fields = max_fields + 1;

template <class... Types>
struct TypeList {};

/// Initialises a field of any type. Only for unevaluated operands.
template <class Aggregate>
struct AnyField {
  template <class Field>
    requires(!std::is_same_v<Field, Aggregate>)
  operator Field() const noexcept;  // NOLINT(google-explicit-constructor): converts in an initialiser
};

/// Initialises a base class of Aggregate, but no field. Only for unevaluated operands.
template <class Aggregate>
struct AnyBase {
  template <class Base>
    requires(std::is_base_of_v<Base, Aggregate> && !std::is_same_v<Base, Aggregate>)
  operator Base() const noexcept;  // NOLINT(google-explicit-constructor): converts in an initialiser
};

template <class T, std::size_t... index>
consteval bool takes_initialisers(std::index_sequence<index...>) {
  return requires { T{(static_cast<void>(index), AnyField<T>{})...}; };
}

/// The number of initialisers that T takes when arrays take one for each element; at most `too_many_fields`.
template <class T, std::size_t count = 0>
consteval std::size_t flat_count() {
  if constexpr (count == too_many_fields) {
    return takes_initialisers<T>(std::make_index_sequence<count>()) ? too_many_fields : 0;
  } else if constexpr (takes_initialisers<T>(std::make_index_sequence<count>()) &&
                       !takes_initialisers<T>(std::make_index_sequence<count + 1>())) {
    return count;
  } else {
    return flat_count<T, count + 1>();
  }
}

/// The number of empty braces that T takes, one for an array. Too small if a field cannot be initialised so.
template <class T>
consteval std::size_t brace_count() {
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; })
    return 17;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 16;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 15;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 14;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 13;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 12;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 11;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 10;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}, {}}; }) return 9;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}, {}}; }) return 8;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}, {}}; }) return 7;
  if constexpr (requires { T{{}, {}, {}, {}, {}, {}}; }) return 6;
  if constexpr (requires { T{{}, {}, {}, {}, {}}; }) return 5;
  if constexpr (requires { T{{}, {}, {}, {}}; }) return 4;
  if constexpr (requires { T{{}, {}, {}}; }) return 3;
  if constexpr (requires { T{{}, {}}; }) return 2;
  if constexpr (requires { T{{}}; }) return 1;
  return 0;
}

template <class T, std::size_t... before, std::size_t... inside, std::size_t... after>
consteval bool takes_nested(std::index_sequence<before...>, std::index_sequence<inside...>,
                            std::index_sequence<after...>) {
  return requires {
    T{(static_cast<void>(before), AnyField<T>{})...,
      {(static_cast<void>(inside), AnyField<T>{})...},
      (static_cast<void>(after), AnyField<T>{})...};
  };
}

/// How many of T's `flat` initialisers belong to the field that the one at `place` begins. Braces around
/// exactly those of an array leave room for the rest and no more; braces around a class that takes as many
/// stand for one.
template <class T, std::size_t flat, std::size_t place, std::size_t size = flat - place>
consteval std::size_t initialisers_of_field() {
  if constexpr (size <= 1) {
    return 1;
  } else {
    constexpr auto before = std::make_index_sequence<place>();
    constexpr auto inside = std::make_index_sequence<size>();
    if constexpr (takes_nested<T>(before, inside, std::make_index_sequence<flat - place - size>()) &&
                  !takes_nested<T>(before, inside, std::make_index_sequence<flat - place - size + 1>())) {
      return size;
    } else {
      return initialisers_of_field<T, flat, place, size - 1>();
    }
  }
}

template <class T, std::size_t flat, std::size_t place = 0>
consteval std::size_t count_with_arrays() {
  if constexpr (place >= flat) {
    return 0;
  } else {
    return 1 + count_with_arrays<T, flat, place + initialisers_of_field<T, flat, place>()>();
  }
}

/// The number of fields of an aggregate, `too_many_fields` if there are more than `max_fields`.
template <class T>
consteval std::size_t field_count() {
  constexpr std::size_t braces = brace_count<T>();
  constexpr std::size_t flat = flat_count<T>();
  if constexpr (flat <= braces) {
    return braces;
  } else if constexpr (flat <= max_fields) {
    return count_with_arrays<T, flat>();
  } else {
    return braces == 0 ? flat : braces;
  }
}

template <class T>
inline constexpr bool has_base = requires { T{AnyBase<T>{}}; };

/// Aggregates whose fields can be visited.
template <class T>
inline constexpr bool is_inspectable = [] {
  if constexpr (std::is_class_v<T> && std::is_aggregate_v<T>) {
    return !has_base<T> && field_count<T>() <= max_fields;
  } else {
    return false;
  }
}();

/// An aggregate with C arrays among its fields.
template <class T>
inline constexpr bool has_array_field = flat_count<T>() > field_count<T>();

/// Calls `visitor(TypeList<types of the fields>, fields...)`. The list alone tells references from values.
template <class T, class Visitor>
constexpr decltype(auto) visit_fields(T& value, Visitor&& visitor) {
  constexpr std::size_t count = field_count<std::remove_const_t<T>>();
  static_assert(count <= max_fields);
  if constexpr (count == 0) {
    return visitor(TypeList<>());
  } else if constexpr (count == 1) {
    auto& [f0] = value;
    return visitor(TypeList<decltype(f0)>(), f0);
  } else if constexpr (count == 2) {
    auto& [f0, f1] = value;
    return visitor(TypeList<decltype(f0), decltype(f1)>(), f0, f1);
  } else if constexpr (count == 3) {
    auto& [f0, f1, f2] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2)>(), f0, f1, f2);
  } else if constexpr (count == 4) {
    auto& [f0, f1, f2, f3] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3)>(), f0, f1, f2, f3);
  } else if constexpr (count == 5) {
    auto& [f0, f1, f2, f3, f4] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4)>(), f0, f1,
                   f2, f3, f4);
  } else if constexpr (count == 6) {
    auto& [f0, f1, f2, f3, f4, f5] = value;
    return visitor(
        TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5)>(), f0,
        f1, f2, f3, f4, f5);
  } else if constexpr (count == 7) {
    auto& [f0, f1, f2, f3, f4, f5, f6] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6)>(),
                   f0, f1, f2, f3, f4, f5, f6);
  } else if constexpr (count == 8) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6), decltype(f7)>(),
                   f0, f1, f2, f3, f4, f5, f6, f7);
  } else if constexpr (count == 9) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6), decltype(f7), decltype(f8)>(),
                   f0, f1, f2, f3, f4, f5, f6, f7, f8);
  } else if constexpr (count == 10) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9)>(),
                   f0, f1, f2, f3, f4, f5, f6, f7, f8, f9);
  } else if constexpr (count == 11) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10] = value;
    return visitor(
        TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
                 decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10)>(),
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10);
  } else if constexpr (count == 12) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11] = value;
    return visitor(
        TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
                 decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11)>(),
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11);
  } else if constexpr (count == 13) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                            decltype(f10), decltype(f11), decltype(f12)>(),
                   f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12);
  } else if constexpr (count == 14) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                            decltype(f10), decltype(f11), decltype(f12), decltype(f13)>(),
                   f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13);
  } else if constexpr (count == 15) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14] = value;
    return visitor(TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4),
                            decltype(f5), decltype(f6), decltype(f7), decltype(f8), decltype(f9),
                            decltype(f10), decltype(f11), decltype(f12), decltype(f13), decltype(f14)>(),
                   f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14);
  } else if constexpr (count == 16) {
    auto& [f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15] = value;
    return visitor(
        TypeList<decltype(f0), decltype(f1), decltype(f2), decltype(f3), decltype(f4), decltype(f5),
                 decltype(f6), decltype(f7), decltype(f8), decltype(f9), decltype(f10), decltype(f11),
                 decltype(f12), decltype(f13), decltype(f14), decltype(f15)>(),
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15);
  }
}

}  // namespace wyvern::detail
