#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/core/error.hpp>
#include <wyvern/core/function/entry_point.hpp>
#include <wyvern/core/function/function.hpp>

#include "core/codec_types.hpp"

namespace wyvern::test {
namespace {

std::string called;

void note(const std::string& text, int number) { called = text + std::to_string(number); }
int status_of(std::unique_ptr<int> pointer) { return *pointer; }
int take(std::string&& text) noexcept { return static_cast<int>(text.size()); }
void fail() { throw std::domain_error("user"); }
std::vector<ObjectReference> seen;
void see(Handle handle, const std::vector<Handle>& more) {
  seen = {handle.reference};
  for (const auto& other : more) seen.push_back(other.reference);
}

/// An encoded entry with other bytes but a right checksum.
std::vector<std::byte> with_checksum(std::vector<std::byte> bytes) {
  detail::finish_entry(bytes);
  return bytes;
}

constexpr std::size_t place_of_pointer = 24;
constexpr std::size_t place_of_arguments = 40;

TEST(EntryPoint, function_pointer_is_called_with_its_arguments) {
  EXPECT_EQ(run_entry(make_entry(note, "text", 5).bytes), 0);
  EXPECT_EQ(called, "text5");
  EXPECT_EQ(run_entry(make_entry(&note, std::string("more"), 6U).bytes), 0);
  EXPECT_EQ(called, "more6");
}

TEST(EntryPoint, int_is_the_exit_status) {
  EXPECT_EQ(run_entry(make_entry(status_of, std::make_unique<int>(42)).bytes), 42);
  EXPECT_EQ(run_entry(make_entry([] { return -1; }).bytes), -1);
}

TEST(EntryPoint, every_kind_of_callable_is_called) {
  EXPECT_EQ(run_entry(make_entry(take, "four").bytes), 4);
  EXPECT_EQ(run_entry(make_entry(wyvern::function<take>, "five!").bytes), 5);
  EXPECT_EQ(
      run_entry(make_entry([](std::string_view text) { return static_cast<int>(text.size()); }, "six").bytes),
      3);
  EXPECT_EQ(
      run_entry(
          make_entry([](auto a, const auto& b) { return static_cast<int>(a + b.size()); }, 1U, "xx").bytes),
      3);
  const auto apply = [](const Function<int(int)>& function, int number) { return function(number); };
  EXPECT_EQ(run_entry(make_entry(
                          apply, [](int number) { return number * 2; }, 4)
                          .bytes),
            8);
}

TEST(EntryPoint, handles_among_the_arguments_are_collected) {
  const Handle handle{{.id = ObjectId(7), .index = 1}};
  const Handle other{{.id = ObjectId(8), .index = 2}};
  const auto entry = make_entry(see, handle, std::vector<Handle>{other});
  EXPECT_EQ(entry.references, (std::vector{handle.reference, other.reference}));
  run_entry(entry.bytes);
  EXPECT_EQ(seen, entry.references);
}

TEST(EntryPoint, exceptions_of_the_function_pass_through) {
  EXPECT_THROW(run_entry(make_entry(fail).bytes), std::domain_error);
}

TEST(EntryPoint, every_changed_byte_throws_decode_error) {
  const auto entry = make_entry(note, "text", 5);
  for (std::size_t i = 0; i < entry.bytes.size(); ++i) {
    auto bytes = entry.bytes;
    bytes[i] ^= std::byte{1};
    EXPECT_THROW(run_entry(bytes), DecodeError) << i;
    bytes.resize(i);
    EXPECT_THROW(run_entry(bytes), DecodeError) << i;
  }
}

TEST(EntryPoint, function_of_another_program_is_unknown) {
  for (std::size_t place = sizeof(std::uint64_t); place < place_of_arguments - sizeof(std::uint32_t);
       ++place) {
    auto bytes = make_entry(note, "text", 5).bytes;
    bytes[place] ^= std::byte{0x80};
    if (place >= place_of_pointer + sizeof(std::uint64_t) && place < place_of_pointer + 11)
      continue;  // still code
    EXPECT_THROW(run_entry(with_checksum(bytes)), UnknownFunction) << place;
  }
}

TEST(EntryPoint, function_outside_of_code_is_unknown) {
  auto bytes = make_entry(note, "text", 5).bytes;
  std::memset(bytes.data() + place_of_pointer + sizeof(std::uint64_t), 0,
              sizeof(std::uint32_t));  // the ELF header
  EXPECT_THROW(run_entry(with_checksum(bytes)), UnknownFunction);
  std::memset(bytes.data() + place_of_pointer, 0, sizeof(std::uint64_t));
  EXPECT_THROW(run_entry(with_checksum(bytes)), UnknownFunction);
}

TEST(EntryPoint, corrupt_arguments_throw_decode_error) {
  auto bytes = make_entry(note, "text", 5).bytes;
  bytes[place_of_arguments] = std::byte{200};
  EXPECT_THROW(run_entry(with_checksum(bytes)), DecodeError);
  bytes.resize(place_of_arguments);
  EXPECT_THROW(run_entry(with_checksum(bytes)), DecodeError);
}

}  // namespace
}  // namespace wyvern::test
