#include <sodium.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include <wyvern/core/error.hpp>
#include <wyvern/core/job_key.hpp>

namespace wyvern {
namespace {

static_assert(JobKey::size == crypto_generichash_KEYBYTES);
static_assert(sizeof(JobKey::Tag) == crypto_generichash_BYTES);

void expect_sodium() {
  static const int state = ::sodium_init();
  if (state < 0) throw Error(ErrorCode::authentication_failed, "libsodium found no source of randomness");
}

const unsigned char* chars(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

}  // namespace

JobKey JobKey::make() {
  expect_sodium();
  JobKey key;
  ::randombytes_buf(key.bytes_.data(), key.bytes_.size());
  return key;
}

JobKey::JobKey(std::span<const std::byte> bytes) {
  if (bytes.size() != size) {
    throw InvalidArgument("a job key has " + std::to_string(size) + " bytes, not " +
                          std::to_string(bytes.size()));
  }
  expect_sodium();
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

JobKey::~JobKey() { ::sodium_memzero(bytes_.data(), bytes_.size()); }

JobKey::Tag JobKey::tag(std::string_view purpose, std::span<const std::byte> bytes) const {
  crypto_generichash_state state;
  ::crypto_generichash_init(&state, chars(bytes_.data()), bytes_.size(), sizeof(Tag));
  // With its length, so that no other purpose and bytes are the same together.
  const std::uint64_t length = purpose.size();
  ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(&length), sizeof length);
  ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(purpose.data()), purpose.size());
  ::crypto_generichash_update(&state, chars(bytes.data()), bytes.size());
  Tag tag;
  ::crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(tag.data()), tag.size());
  ::sodium_memzero(&state, sizeof state);
  return tag;
}

bool JobKey::is_tag(std::span<const std::byte> tag, std::string_view purpose,
                    std::span<const std::byte> bytes) const {
  const Tag right = this->tag(purpose, bytes);
  return tag.size() == right.size() && ::sodium_memcmp(tag.data(), right.data(), right.size()) == 0;
}

}  // namespace wyvern
