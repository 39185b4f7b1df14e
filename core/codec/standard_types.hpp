#pragma once

// Codecs of the standard library's types; included by codec.hpp. Containers are a length and the elements,
// and need neither default-constructible nor copyable elements. Comparators, hashers and allocators are
// default-constructed.

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <wyvern/core/codec/codec.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

namespace detail {

/// An element that may encode to nothing is followed by a byte, so that a length can always be checked
/// against the bytes of the message.
template <class Element>
inline constexpr bool needs_padding = minimum_size<Element>() == 0;

template <class Element>
void encode_element(Encoder& encoder, const Element& element) {
  Codec<Element>::encode(encoder, element);
  if constexpr (needs_padding<Element>) encoder(std::byte{0});
}

template <class Element>
Element decode_element(Decoder& decoder) {
  if constexpr (needs_padding<Element>) {
    Element element = Codec<Element>::decode(decoder);
    decoder.take_bytes(1);
    return element;
  } else {
    return Codec<Element>::decode(decoder);
  }
}

/// std::vector and std::basic_string of elements whose bytes can be copied all at once.
template <class Container>
struct BulkCodec {
  using Element = typename Container::value_type;

  static consteval std::size_t minimum_size() { return 1; }
  static void encode(Encoder& encoder, const Container& container) {
    encoder.write_size(container.size());
    encoder.write_bytes(container.data(), container.size() * sizeof(Element));
  }
  static Container decode(Decoder& decoder) {
    const std::size_t size = decoder.read_size(sizeof(Element));
    if constexpr (sizeof(Element) == 1) {
      const auto* first = reinterpret_cast<const Element*>(decoder.take_bytes(size).data());
      return Container(first, first + size);
    } else {
      Container container(size, Element());
      decoder.read_bytes(container.data(), size * sizeof(Element));
      return container;
    }
  }
};

template <class Container>
struct SequenceCodec {
  using Element = typename Container::value_type;

  static consteval std::size_t minimum_size() { return 1; }
  static void encode(Encoder& encoder, const Container& container) {
    const Encoder::Nesting nesting(encoder);
    encoder.write_size(container.size());
    for (const Element& element : container) encode_element<Element>(encoder, element);
  }
  static Container decode(Decoder& decoder) {
    const Decoder::Nesting nesting(decoder);
    const std::size_t size = decoder.read_size(needs_padding<Element> ? 1 : detail::minimum_size<Element>());
    Container container;
    if constexpr (requires { container.reserve(size); }) container.reserve(size);
    for (std::size_t i = 0; i < size; ++i) container.push_back(decode_element<Element>(decoder));
    return container;
  }
};

template <class Container>
struct SetCodec {
  using Element = typename Container::value_type;

  static consteval std::size_t minimum_size() { return 1; }
  static void encode(Encoder& encoder, const Container& container) {
    SequenceCodec<Container>::encode(encoder, container);
  }
  static Container decode(Decoder& decoder) {
    const Decoder::Nesting nesting(decoder);
    const std::size_t size = decoder.read_size(needs_padding<Element> ? 1 : detail::minimum_size<Element>());
    Container container;
    for (std::size_t i = 0; i < size; ++i)
      container.emplace_hint(container.end(), decode_element<Element>(decoder));
    if (container.size() != size) decoder.fail("an element is there twice");
    return container;
  }
};

template <class Container>
struct MapCodec {
  using Key = typename Container::key_type;
  using Value = typename Container::mapped_type;
  static consteval std::size_t pair_size() {
    return detail::minimum_size<Key>() + detail::minimum_size<Value>();
  }
  static consteval bool pads() { return pair_size() == 0; }

  static consteval std::size_t minimum_size() { return 1; }
  static void encode(Encoder& encoder, const Container& container) {
    const Encoder::Nesting nesting(encoder);
    encoder.write_size(container.size());
    for (const auto& [key, value] : container) {
      encoder(key, value);
      if constexpr (pads()) encoder(std::byte{0});
    }
  }
  static Container decode(Decoder& decoder) {
    const Decoder::Nesting nesting(decoder);
    const std::size_t size = decoder.read_size(pads() ? 1 : pair_size());
    Container container;
    for (std::size_t i = 0; i < size; ++i) {
      Key key = Codec<Key>::decode(decoder);
      Value value = Codec<Value>::decode(decoder);
      if constexpr (pads()) decoder.take_bytes(1);
      container.emplace_hint(container.end(), std::move(key), std::move(value));
    }
    if (container.size() != size) decoder.fail("a key is there twice");
    return container;
  }
};

/// Owning pointers: a byte that says whether there is an object, and the object.
template <class Pointer, class T>
struct OwnerCodec {
  static_assert(!std::is_polymorphic_v<T>,
                "wyvern: a pointer to a polymorphic class cannot travel, as the receiver would have to know "
                "its dynamic "
                "type; send a std::variant of the possible classes");
  static_assert(!std::is_array_v<T>, "wyvern: send std::vector instead of a pointer to an array");

  static consteval std::size_t minimum_size() { return 1; }
  static void encode(Encoder& encoder, const Pointer& pointer) {
    const Encoder::Nesting nesting(encoder);
    encoder(pointer != nullptr);
    if (pointer != nullptr) encoder(*pointer);
  }
  static Pointer decode(Decoder& decoder) {
    const Decoder::Nesting nesting(decoder);
    if (!decoder.read<bool>()) return nullptr;
    return Pointer(new T(decoder.read<std::remove_cv_t<T>>()));
  }
};

}  // namespace detail

template <class Character, class Traits, class Allocator>
struct Codec<std::basic_string<Character, Traits, Allocator>>
    : detail::BulkCodec<std::basic_string<Character, Traits, Allocator>> {};

template <class T, class Allocator>
struct Codec<std::vector<T, Allocator>> : detail::SequenceCodec<std::vector<T, Allocator>> {};
template <class T, class Allocator>
  requires(detail::is_bulk<T> && std::is_default_constructible_v<T>)
struct Codec<std::vector<T, Allocator>> : detail::BulkCodec<std::vector<T, Allocator>> {};
template <class T, class Allocator>
struct Codec<std::deque<T, Allocator>> : detail::SequenceCodec<std::deque<T, Allocator>> {};
template <class T, class Allocator>
struct Codec<std::list<T, Allocator>> : detail::SequenceCodec<std::list<T, Allocator>> {};

template <class T, class... Policies>
struct Codec<std::set<T, Policies...>> : detail::SetCodec<std::set<T, Policies...>> {};
template <class T, class... Policies>
struct Codec<std::multiset<T, Policies...>> : detail::SetCodec<std::multiset<T, Policies...>> {};
template <class T, class... Policies>
struct Codec<std::unordered_set<T, Policies...>> : detail::SetCodec<std::unordered_set<T, Policies...>> {};
template <class K, class V, class... Policies>
struct Codec<std::map<K, V, Policies...>> : detail::MapCodec<std::map<K, V, Policies...>> {};
template <class K, class V, class... Policies>
struct Codec<std::multimap<K, V, Policies...>> : detail::MapCodec<std::multimap<K, V, Policies...>> {};
template <class K, class V, class... Policies>
struct Codec<std::unordered_map<K, V, Policies...>>
    : detail::MapCodec<std::unordered_map<K, V, Policies...>> {};

template <class T>
struct Codec<std::unique_ptr<T>> : detail::OwnerCodec<std::unique_ptr<T>, T> {};
/// The object travels once for each pointer to it: the receiver's pointers do not share.
template <class T>
struct Codec<std::shared_ptr<T>> : detail::OwnerCodec<std::shared_ptr<T>, T> {};

template <std::size_t size>
struct Codec<std::bitset<size>> {
  static consteval std::size_t minimum_size() { return sizeof(std::bitset<size>); }
  static void encode(Encoder& encoder, const std::bitset<size>& bits) {
    encoder.write_bytes(&bits, sizeof bits);
  }
  static std::bitset<size> decode(Decoder& decoder) {
    std::bitset<size> bits;
    decoder.read_bytes(static_cast<void*>(&bits), sizeof bits);
    return bits & std::bitset<size>().set();  // clears what lies behind the last bit
  }
};

template <class T, std::size_t size>
struct Codec<std::array<T, size>> {
  using Array = std::array<T, size>;

  static consteval std::size_t minimum_size() { return size * detail::minimum_size<T>(); }
  static void encode(Encoder& encoder, const Array& array) {
    if constexpr (detail::is_raw<Array>()) {
      detail::write_raw(encoder, array);
    } else {
      for (const T& element : array) encoder(element);
    }
  }
  static Array decode(Decoder& decoder) {
    if constexpr (detail::is_raw<Array>()) {
      return detail::read_raw<Array>(decoder);
    } else {
      return [&]<std::size_t... index>(std::index_sequence<index...>) {
        return Array{(static_cast<void>(index), Codec<T>::decode(decoder))...};
      }(std::make_index_sequence<size>());
    }
  }
};

template <class First, class Second>
struct Codec<std::pair<First, Second>> {
  static consteval std::size_t minimum_size() {
    return detail::minimum_size<First>() + detail::minimum_size<Second>();
  }
  static void encode(Encoder& encoder, const std::pair<First, Second>& pair) {
    encoder(pair.first, pair.second);
  }
  static std::pair<First, Second> decode(Decoder& decoder) {
    return {Codec<std::remove_cv_t<First>>::decode(decoder),
            Codec<std::remove_cv_t<Second>>::decode(decoder)};
  }
};

template <class... Elements>
struct Codec<std::tuple<Elements...>> {
  static consteval std::size_t minimum_size() {
    return (std::size_t{0} + ... + detail::minimum_size<Elements>());
  }
  static void encode(Encoder& encoder, const std::tuple<Elements...>& tuple) {
    std::apply([&](const auto&... elements) { encoder(elements...); }, tuple);
  }
  static std::tuple<Elements...> decode([[maybe_unused]] Decoder& decoder) {
    return std::tuple<Elements...>{Codec<Elements>::decode(decoder)...};
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static consteval std::size_t minimum_size() { return 1; }
  static void encode(Encoder& encoder, const std::optional<T>& optional) {
    encoder(optional.has_value());
    if (optional) encoder(*optional);
  }
  static std::optional<T> decode(Decoder& decoder) {
    if (!decoder.read<bool>()) return std::nullopt;
    return std::optional<T>(std::in_place, Codec<T>::decode(decoder));
  }
};

template <class... Alternatives>
struct Codec<std::variant<Alternatives...>> {
  using Variant = std::variant<Alternatives...>;
  static_assert(sizeof...(Alternatives) <= 256, "wyvern: the index of a variant is one byte in a message");

  static consteval std::size_t minimum_size() {
    return 1 + std::min({detail::minimum_size<Alternatives>()...});
  }
  static void encode(Encoder& encoder, const Variant& variant) {
    if (variant.valueless_by_exception())
      throw InvalidArgument("a std::variant without a value cannot be encoded");
    encoder(static_cast<std::uint8_t>(variant.index()));
    std::visit([&](const auto& value) { encoder(value); }, variant);
  }
  static Variant decode(Decoder& decoder) {
    return decode_alternative<0>(decoder, decoder.read<std::uint8_t>());
  }

 private:
  template <std::size_t candidate>
  static Variant decode_alternative(Decoder& decoder, std::size_t index) {
    if constexpr (candidate == sizeof...(Alternatives)) {
      decoder.fail("a std::variant has no alternative " + std::to_string(index));
    } else {
      if (index != candidate) return decode_alternative<candidate + 1>(decoder, index);
      using Alternative = std::variant_alternative_t<candidate, Variant>;
      return Variant(std::in_place_index<candidate>, Codec<Alternative>::decode(decoder));
    }
  }
};

}  // namespace wyvern
