#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include <wyvern/core/error.hpp>

namespace wyvern::wire {

/// Bytes of a table, aligned as FlatBuffers need them, and verified.
template <class Table>
class VerifiedTable {
 public:
  /// Throws DecodeError; `what`: for its text.
  VerifiedTable(std::span<const std::byte> bytes, const char* what)
      : words_((bytes.size() + sizeof(Word) - 1) / sizeof(Word)) {
    auto* const start = reinterpret_cast<std::uint8_t*>(words_.data());
    if (!bytes.empty()) std::memcpy(start, bytes.data(), bytes.size());
    flatbuffers::Verifier verifier(start, bytes.size());
    if (bytes.empty() || !verifier.VerifyBuffer<Table>()) {
      throw DecodeError(std::to_string(bytes.size()) + " bytes that should be " + what +
                            " are none; do both nodes run the same version of Wyvern?",
                        {bytes.begin(), bytes.end()});
    }
    table_ = flatbuffers::GetRoot<Table>(start);
  }
  VerifiedTable(const VerifiedTable&) = delete;
  VerifiedTable& operator=(const VerifiedTable&) = delete;

  const Table* operator->() const { return table_; }

 private:
  using Word = std::uint64_t;
  std::vector<Word> words_;
  const Table* table_;
};

inline std::vector<std::byte> bytes_of(const flatbuffers::FlatBufferBuilder& builder) {
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace wyvern::wire
