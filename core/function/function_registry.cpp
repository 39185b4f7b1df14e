#include <cstdio>
#include <cstdlib>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/function/function_registry.hpp>
#include <wyvern/core/function/image.hpp>
#include <wyvern/core/type_name.hpp>

namespace wyvern::detail {
namespace {

constexpr bool is_named(const FunctionToken& token) { return token.image >> 32U == named_image_marker; }

std::string describe_unknown(const FunctionToken& token) {
  if (is_named(token)) {
    return "no function is registered here under the name that was sent; this program must define the same "
           "wyvern::RegisteredFunction as the sender";
  }
  const std::string image = describe_image(token.image);
  if (!is_image_loaded(token.image)) {
    return "a function of the image with build-id " + image +
           "... is not known here: it was sent by another program or another build; run the same executable "
           "everywhere, "
           "load the same shared libraries, or use wyvern::RegisteredFunction";
  }
  return "no function is registered at offset " + std::to_string(token.offset) +
         " of the image with build-id " + image + "...: the message is corrupt";
}

}  // namespace

std::size_t FunctionRegistry::bucket_of(const FunctionToken& token) noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;  // spreads offsets, of which the low bits are mostly 0
  const std::uint64_t place = (std::uint64_t{token.signature} << 32U) | token.offset;
  return static_cast<std::size_t>(((token.image ^ place) * odd) >> 32U) % bucket_count;
}

FunctionRegistry& FunctionRegistry::instance() {
  static auto& registry =
      *new FunctionRegistry;  // never destroyed: other static objects may still call functions
  return registry;
}

FunctionRegistry::Node* FunctionRegistry::find_node(const FunctionToken& token,
                                                    const FunctionRecord* record) const noexcept {
  Node* node = buckets_[bucket_of(token)].load(std::memory_order_relaxed);
  while (node != nullptr &&
         !(node->token == token && node->record.load(std::memory_order_relaxed) == record)) {
    node = node->next;
  }
  return node;
}

void FunctionRegistry::add(const FunctionRecord& record) {
  const std::lock_guard lock(changing_);
  if (Node* unused = find_node(record.token, nullptr); unused != nullptr) {
    unused->record.store(&record, std::memory_order_release);
    return;
  }
  auto& bucket = buckets_[bucket_of(record.token)];
  Node* first = bucket.load(std::memory_order_relaxed);
  bucket.store(new Node{.token = record.token, .record = &record, .next = first}, std::memory_order_release);
}

void FunctionRegistry::remove(const FunctionRecord& record) noexcept {
  const std::lock_guard lock(changing_);
  if (Node* node = find_node(record.token, &record); node != nullptr) {
    node->record.store(nullptr, std::memory_order_release);
  }
}

const FunctionRecord* FunctionRegistry::find(const FunctionToken& token) const noexcept {
  const Node* node = buckets_[bucket_of(token)].load(std::memory_order_acquire);
  for (; node != nullptr; node = node->next) {
    if (node->token != token) continue;
    if (const auto* record = node->record.load(std::memory_order_acquire); record != nullptr) return record;
  }
  return nullptr;
}

const FunctionRecord& FunctionRegistry::look_up(const FunctionToken& token, std::uint64_t signature) const {
  const FunctionRecord* record = find(token);
  if (record == nullptr || token.image == 0) throw UnknownFunction(describe_unknown(token));
  if (record->signature != signature) {
    throw UnknownFunction("the function that was sent has another signature than the one expected here");
  }
  return *record;
}

FunctionToken token_of_name(std::string_view name, std::uint64_t signature) {
  const std::uint64_t hash = hash_text(name);
  return {.image = (named_image_marker << 32U) | (hash >> 32U),
          .offset = static_cast<std::uint32_t>(hash),
          .signature = short_signature(signature)};
}

FunctionRegistration::FunctionRegistration(void (*code)(), std::uint64_t signature,
                                           bool takes_bound_arguments)
    : record_{
          .code = code, .signature = signature, .takes_bound_arguments = takes_bound_arguments, .token = {}} {
  const ImageAddress place = locate(reinterpret_cast<const void*>(code));
  if (place.image != 0) {
    record_.token = {.image = place.image, .offset = place.offset, .signature = short_signature(signature)};
  }
  FunctionRegistry::instance().add(record_);
}

FunctionRegistration::FunctionRegistration(std::string_view name, void (*code)(), std::uint64_t signature)
    : record_{.code = code,
              .signature = signature,
              .takes_bound_arguments = false,
              .token = token_of_name(name, signature)} {
  const FunctionRecord* other = FunctionRegistry::instance().find(record_.token);
  if (other != nullptr && other->code != code) {
    std::fprintf(stderr, "wyvern: two functions are registered as \"%.*s\"; give one another name\n",
                 static_cast<int>(name.size()), name.data());
    std::abort();
  }
  FunctionRegistry::instance().add(record_);
}

}  // namespace wyvern::detail
