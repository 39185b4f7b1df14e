#pragma once

namespace wyvern::test {

/// Programs for a sanitizer start and fork many times slower: what is tried very often is tried less often
/// there.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace wyvern::test
