#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wyvern {

namespace detail {

template <class T>
constexpr std::string_view signature_text() {
  return __PRETTY_FUNCTION__;
}

/// Where the compiler writes the type inside `signature_text`, found out with a type whose spelling is known.
inline constexpr std::string_view probe_name = "double";
inline constexpr std::size_t name_prefix = signature_text<double>().find(probe_name);
inline constexpr std::size_t name_suffix = signature_text<double>().size() - name_prefix - probe_name.size();

}  // namespace detail

/// The compiler's spelling of T, for messages. It differs between compilers and is not unique for lambdas,
/// local types and types in unnamed namespaces. The characters live as long as the program.
template <class T>
constexpr std::string_view type_name() {
  const std::string_view text = detail::signature_text<T>();
  return text.substr(detail::name_prefix, text.size() - detail::name_prefix - detail::name_suffix);
}

/// 64-bit FNV-1a of `text`, continuing from `hash`.
constexpr std::uint64_t hash_text(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325U) {
  for (const char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3U;
  return hash;
}

/// A hash of `type_name<T>()` without spaces and without the inline namespace of libstdc++'s strings, so that
/// g++ and clang agree on user types, functions and templates of them (but not on every builtin type: `long
/// unsigned int`).
template <class T>
consteval std::uint64_t type_hash() {
  constexpr std::string_view inline_namespace = "__cxx11::";
  std::uint64_t hash = hash_text({});
  for (std::string_view rest = type_name<T>(); !rest.empty();) {
    if (rest.starts_with(inline_namespace)) {
      rest.remove_prefix(inline_namespace.size());
      continue;
    }
    if (rest.front() != ' ') hash = hash_text(rest.substr(0, 1), hash);
    rest.remove_prefix(1);
  }
  return hash;
}

}  // namespace wyvern
