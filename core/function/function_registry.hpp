#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include <wyvern/core/function/function_token.hpp>

namespace wyvern::detail {

/// What is known of one function that may be called because of a message.
struct FunctionRecord {
  /// The trampoline, cast back to its own type before it is called.
  void (*code)() = nullptr;
  /// `type_hash` of the function's signature; the token holds only half of it.
  std::uint64_t signature = 0;
  /// The trampoline decodes arguments that travel with the function.
  bool takes_bound_arguments = false;
  /// An image of 0 means that the function cannot travel.
  FunctionToken token;
};

/// The functions of this process that messages can name: those of the executable and of every shared library
/// that is loaded at the moment. Thread-safe; usable before main and until the process ends. Looking up waits
/// for nobody and takes constant time up to some thousands of functions: nodes are added at the head of a
/// bucket's list, never removed, and used again when a library with the same function is loaded again.
class FunctionRegistry {
 public:
  static FunctionRegistry& instance();

  /// The record must stay where it is until `remove`. Records of equal tokens (folded functions) may be
  /// added.
  void add(const FunctionRecord& record);
  void remove(const FunctionRecord& record) noexcept;

  /// A registered function with this token, or null.
  const FunctionRecord* find(const FunctionToken& token) const noexcept;
  /// The registered function with this token and signature. Throws `UnknownFunction`.
  const FunctionRecord& look_up(const FunctionToken& token, std::uint64_t signature) const;

 private:
  static constexpr std::size_t bucket_count =
      4096;  // 32 KiB of address space, of which few pages are ever used

  struct Node {
    FunctionToken token;
    std::atomic<const FunctionRecord*> record;  // null: was removed
    Node* next;
  };

  static std::size_t bucket_of(const FunctionToken& token) noexcept;
  /// The first node with this token whose record is `record`, or null.
  Node* find_node(const FunctionToken& token, const FunctionRecord* record) const noexcept;

  std::mutex changing_;
  std::array<std::atomic<Node*>, bucket_count> buckets_{};
};

/// What `FunctionToken::signature` holds of a signature's hash.
constexpr std::uint32_t short_signature(std::uint64_t signature) {
  return static_cast<std::uint32_t>(signature ^ (signature >> 32U));
}

/// The token's image of the function registered as `name`: the marker of names, and half of the name's hash.
constexpr std::uint64_t named_image_marker = 0x5779'7665U;  // "Wyve"
FunctionToken token_of_name(std::string_view name, std::uint64_t signature);

/// Registers a function for as long as the image that it is in is loaded.
class FunctionRegistration {
 public:
  /// Under the place of `code` in its image.
  FunctionRegistration(void (*code)(), std::uint64_t signature, bool takes_bound_arguments);
  /// Under a name. Ends the process with a message if another function already has the name.
  FunctionRegistration(std::string_view name, void (*code)(), std::uint64_t signature);
  ~FunctionRegistration() { FunctionRegistry::instance().remove(record_); }
  FunctionRegistration(const FunctionRegistration&) = delete;
  FunctionRegistration& operator=(const FunctionRegistration&) = delete;

  const FunctionRecord& record() const { return record_; }

 private:
  FunctionRecord record_;
};

}  // namespace wyvern::detail
