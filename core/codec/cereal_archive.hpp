#pragma once

#include <cstddef>
#include <type_traits>

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>

#include <wyvern/core/codec/decoder.hpp>
#include <wyvern/core/codec/encoder.hpp>

namespace wyvern::detail {

// User types with functions for cereal (serialize, save and load, with versions or minimal) are given one of
// the two archives below. What such a function passes to the archive goes back to `Codec`, unless it is of
// that kind itself.

template <class T>
inline constexpr bool is_cereal_base = false;
template <class T>
inline constexpr bool is_cereal_base<cereal::base_class<T>> = true;
template <class T>
inline constexpr bool is_cereal_base<cereal::virtual_base_class<T>> = true;
template <class T>
inline constexpr bool is_cereal_base<cereal::DeferredData<T>> = true;

template <class T>
inline constexpr bool is_cereal_wrapper = is_cereal_base<T>;
template <class T>
inline constexpr bool is_cereal_wrapper<cereal::NameValuePair<T>> = true;
template <class T>
inline constexpr bool is_cereal_wrapper<cereal::SizeTag<T>> = true;
template <class T>
inline constexpr bool is_cereal_wrapper<cereal::BinaryData<T>> = true;

template <class T>
constexpr bool has_cereal_functions();

/// Writes to an Encoder, which must outlive it.
class EncoderArchive : public cereal::OutputArchive<EncoderArchive, cereal::AllowEmptyClassElision> {
 public:
  explicit EncoderArchive(Encoder& encoder) : OutputArchive(this), encoder_(encoder) {}

  template <class... Values>
  EncoderArchive& operator()(Values&&... values) {
    (route(values), ...);
    return *this;
  }
  template <class Value>
  EncoderArchive& operator&(Value&& value) {
    return (*this)(value);
  }
  template <class Value>
  EncoderArchive& operator<<(Value&& value) {
    return (*this)(value);
  }

  /// Encodes with the type's own functions for cereal.
  template <class T>
  void encode_with_cereal(const T& value) {
    OutputArchive::operator()(value);
  }

  Encoder& encoder() { return encoder_; }

 private:
  template <class T>
  void route(const T& value) {
    if constexpr (is_cereal_wrapper<T> || has_cereal_functions<T>()) {
      encode_with_cereal(value);
    } else if constexpr (std::is_array_v<T>) {
      for (const auto& element : value) route(element);
    } else {
      Codec<T>::encode(encoder_, value);
    }
  }

  Encoder& encoder_;
};

/// Reads from a Decoder, which must outlive it.
class DecoderArchive : public cereal::InputArchive<DecoderArchive, cereal::AllowEmptyClassElision> {
 public:
  explicit DecoderArchive(Decoder& decoder) : InputArchive(this), decoder_(decoder) {}

  template <class... Values>
  DecoderArchive& operator()(Values&&... values) {
    (route(values), ...);
    return *this;
  }
  template <class Value>
  DecoderArchive& operator&(Value&& value) {
    return (*this)(value);
  }
  template <class Value>
  DecoderArchive& operator>>(Value&& value) {
    return (*this)(value);
  }

  /// Decodes with the type's own functions for cereal.
  template <class T>
  void decode_with_cereal(T& value) {
    InputArchive::operator()(value);
  }

  Decoder& decoder() { return decoder_; }

 private:
  template <class T>
  void route(T& value) {
    if constexpr (is_cereal_wrapper<T> || has_cereal_functions<T>()) {
      decode_with_cereal(value);
    } else if constexpr (std::is_array_v<T>) {
      for (auto& element : value) route(element);
    } else {
      value = Codec<T>::decode(decoder_);
    }
  }

  Decoder& decoder_;
};

template <class Archive>
concept OwnArchive = std::is_same_v<Archive, EncoderArchive> || std::is_same_v<Archive, DecoderArchive>;

// What cereal itself passes on without asking `operator()`: numbers, names, sizes and blocks of bytes.

template <class T>
  requires std::is_arithmetic_v<T>
void save(EncoderArchive& archive, const T& value) {
  Codec<T>::encode(archive.encoder(), value);
}

template <class T>
  requires std::is_arithmetic_v<T>
void load(DecoderArchive& archive, T& value) {
  value = Codec<T>::decode(archive.decoder());
}

template <OwnArchive Archive, class T>
void serialize(Archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void save(EncoderArchive& archive, const cereal::SizeTag<T>& tag) {
  archive.encoder().write_size(static_cast<std::size_t>(tag.size));
}

template <class T>
void load(DecoderArchive& archive, cereal::SizeTag<T>& tag) {
  tag.size = archive.decoder().read_size(1);
}

template <class T>
void save(EncoderArchive& archive, const cereal::BinaryData<T>& data) {
  archive.encoder().write_bytes(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void load(DecoderArchive& archive, cereal::BinaryData<T>& data) {
  archive.decoder().read_bytes(data.data, static_cast<std::size_t>(data.size));
}

}  // namespace wyvern::detail

CEREAL_SETUP_ARCHIVE_TRAITS(wyvern::detail::DecoderArchive, wyvern::detail::EncoderArchive)

namespace wyvern::detail {

/// T is one of this library's, or of the standard library's, with a Codec of its own.
template <class T>
concept HasOwnCodec = !requires { typename Codec<T>::Default; };

/// Standard types without pointers inside that are copied as bytes, whether or not cereal's header for them
/// is included.
template <class T>
inline constexpr bool is_standard_value = false;

/// T is a class that the user (or an included header of cereal) has given functions for cereal; whether they
/// fit together, cereal checks when they are used.
template <class T>
constexpr bool has_cereal_functions() {
  if constexpr (!std::is_class_v<T> || is_standard_value<T> || is_cereal_wrapper<T>) {
    return false;
  } else if constexpr (HasOwnCodec<T>) {
    return false;
  } else {
    return cereal::traits::detail::count_output_serializers<T, EncoderArchive>::value != 0 ||
           cereal::traits::detail::count_input_serializers<T, DecoderArchive>::value != 0;
  }
}

}  // namespace wyvern::detail
