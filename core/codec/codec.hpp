#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <wyvern/core/codec/cereal_archive.hpp>
#include <wyvern/core/codec/decoder.hpp>
#include <wyvern/core/codec/encoder.hpp>
#include <wyvern/core/codec/fields.hpp>
#include <wyvern/core/codec/raw_bytes.hpp>
#include <wyvern/core/type_name.hpp>

namespace wyvern {

/// How T becomes bytes and back. Works without any code for
///  - trivially copyable types, which are one copy of their bytes,
///  - aggregates of at most 16 fields, each of which has a Codec,
///  - classes with functions for cereal (`serialize`, or `save` and `load`) and a default constructor,
///  - the standard types listed in `standard_types.hpp`.
///
/// For any other type, or to do it differently, specialise it before the type is first sent:
///
///     template <>
///     struct wyvern::Codec<Money> {
///       static void encode(Encoder& encoder, const Money& money) { encoder(money.cents(), money.unit()); }
///       static Money decode(Decoder& decoder) {
///         const auto cents = decoder.read<std::int64_t>();
///         return Money(cents, decoder.read<std::string>());
///       }
///     };
///
/// A specialisation may also have `static consteval std::size_t minimum_size()`, the fewest bytes that it
/// writes (at least 1), which saves a byte for each element of a container. `decode` must throw `DecodeError`
/// (or use `Decoder::fail`) when the bytes are no T. Types are refused at compile time when they are
/// pointers, references or views, or cannot be taken apart.
template <class T>
struct Codec {
  /// Tells the primary template from specialisations.
  using Default = void;

  static void encode(Encoder& encoder, const T& value);
  static T decode(Decoder& decoder);
};

template <class T>
  requires std::is_array_v<T>
struct Codec<T> {
  static_assert(
      !std::is_array_v<T>,
      "wyvern: a C array can only travel inside a trivially copyable type; use std::array or std::string");
};

/// Appends `value` to `out`; `references`, if given, gets the handles to shared objects in it. When a codec
/// throws, both are as they were. Throws what the codecs of user types throw, and `InvalidArgument` for
/// values nested deeper than `max_nesting` and for handles without `references`. Thread-safe for different
/// arguments.
template <class T>
void encode_to(std::vector<std::byte>& out, const T& value,
               std::vector<ObjectReference>* references = nullptr) {
  if constexpr (detail::is_raw<T>()) {
    Encoder encoder(out);
    detail::write_raw(encoder, value);
  } else {
    const std::size_t size_before = out.size();
    const std::size_t references_before = references == nullptr ? 0 : references->size();
    try {
      Encoder encoder(out, references);
      Codec<T>::encode(encoder, value);
    } catch (...) {
      out.resize(size_before);
      if (references != nullptr) references->resize(references_before);
      throw;
    }
  }
}

/// The value that `encode_to` made `bytes` from. Throws `DecodeError`, which names T and carries the bytes,
/// if they are not exactly one T; never reads past them and never allocates for more elements than they can
/// hold. Other exceptions of the codecs of user types pass through. Thread-safe.
template <class T>
T decode_from(std::span<const std::byte> bytes) {
  try {
    Decoder decoder(bytes);
    T value = Codec<T>::decode(decoder);
    decoder.expect_end();
    return value;
  } catch (...) {
    detail::rethrow_decode_failure(type_name<T>(), bytes);
  }
}

namespace detail {

/// Explains at compile time why T cannot travel; true if nothing is known against it.
template <class T>
consteval bool may_travel() {
  constexpr bool is_pointer =
      std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>;
  static_assert(!is_pointer && !std::is_reference_v<T>,
                "wyvern: a pointer or reference means nothing in another process; send the value itself, a "
                "std::unique_ptr to it, a wyvern::Function, or a queue handle");
  static_assert(
      !is_view<T>,
      "wyvern: a view (string_view, span, reference_wrapper) points to memory of this process; send "
      "std::string or std::vector instead");
  static_assert(!is_capturing<T>,
                "wyvern: a lambda with captures cannot travel; use wyvern::Function and wyvern::bind");
  return !is_pointer && !std::is_reference_v<T> && !is_view<T> && !is_capturing<T>;
}

template <class T>
consteval bool can_be_taken_apart() {
  if constexpr (is_inspectable<T>) {
    static_assert(!has_array_field<T>,
                  "wyvern: a C array can only be a field of a trivially copyable type without pointers; use "
                  "std::array");
    return !has_array_field<T>;
  } else {
    static_assert(
        is_inspectable<T>,
        "wyvern: this type has no Codec: it is neither trivially copyable nor an aggregate of at most 16 "
        "fields without base classes; give it a serialize function for cereal or specialise wyvern::Codec");
    return false;
  }
}

template <class T, class... Fields>
T decode_fields(Decoder& decoder, TypeList<Fields...>) {
  static_assert((!std::is_reference_v<Fields> && ...),
                "wyvern: an aggregate with a reference inside cannot travel");
  return T{Codec<std::remove_cv_t<Fields>>::decode(decoder)...};
}

}  // namespace detail

template <class T>
void Codec<T>::encode(Encoder& encoder, const T& value) {
  if constexpr (!detail::may_travel<T>()) {
    return;
  } else if constexpr (detail::has_cereal_functions<T>()) {
    const Encoder::Nesting nesting(encoder);
    detail::EncoderArchive(encoder).encode_with_cereal(value);
  } else if constexpr (detail::is_raw<T>()) {
    detail::write_raw(encoder, value);
  } else if constexpr (detail::can_be_taken_apart<T>()) {
    detail::visit_fields(value, [&](auto, const auto&... fields) { encoder(fields...); });
  }
}

template <class T>
T Codec<T>::decode(Decoder& decoder) {
  if constexpr (!detail::may_travel<T>()) {
    decoder.fail("not decodable");
  } else if constexpr (detail::has_cereal_functions<T>()) {
    static_assert(
        std::is_default_constructible_v<T>,
        "wyvern: a type with functions for cereal is decoded into a default-constructed object; give it a "
        "default constructor or specialise wyvern::Codec");
    const Decoder::Nesting nesting(decoder);
    T value{};
    detail::DecoderArchive(decoder).decode_with_cereal(value);
    return value;
  } else if constexpr (detail::is_raw<T>()) {
    return detail::read_raw<T>(decoder);
  } else if constexpr (detail::can_be_taken_apart<T>()) {
    return detail::decode_fields<T>(decoder, detail::FieldTypes<T>());
  } else {
    decoder.fail("not decodable");
  }
}

}  // namespace wyvern

#include <wyvern/core/codec/standard_types.hpp>
