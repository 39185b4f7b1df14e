#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::control {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Any bytes as a sealed file.
FileDescriptor sealed_file(const std::string& bytes,
                           int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) {
  FileDescriptor fd(::memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

std::string content_of(const FileDescriptor& fd) {
  std::string bytes(static_cast<std::size_t>(::lseek(fd.get(), 0, SEEK_END)), '\0');
  EXPECT_EQ(::pread(fd.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

FileDescriptor example() {
  const std::string entry = "the entry";
  const std::vector<ObjectReference> references{{.id = ObjectId(5), .index = 6},
                                                {.id = ObjectId(7), .index = 8}};
  return write_start_payload(encode_start_payload({.arguments = {"program", "", "argument"},
                                                   .environment = {"A=1", "B="},
                                                   .program = "/bin/other",
                                                   .directory = "/tmp",
                                                   .name = "worker",
                                                   .input = StandardStream::piped(),
                                                   .output = StandardStream::append("/tmp/log"),
                                                   .error = StandardStream::null(),
                                                   .entry = bytes_of(entry),
                                                   .references = references}));
}

TEST(StartPayload, content_is_read_back) {
  const FileDescriptor fd = example();
  const StartPayload payload(fd.get());
  ASSERT_EQ(payload.arguments().size(), 3U);
  EXPECT_STREQ(payload.arguments()[0], "program");
  EXPECT_STREQ(payload.arguments()[1], "");
  EXPECT_STREQ(payload.arguments()[2], "argument");
  ASSERT_EQ(payload.environment().size(), 2U);
  EXPECT_STREQ(payload.environment()[1], "B=");
  EXPECT_STREQ(payload.program(), "/bin/other");
  EXPECT_STREQ(payload.directory(), "/tmp");
  EXPECT_STREQ(payload.name(), "worker");
  EXPECT_EQ(payload.input(), StandardStream::piped());
  EXPECT_EQ(payload.output(), StandardStream::append("/tmp/log"));
  EXPECT_EQ(payload.error(), StandardStream::null());
  EXPECT_EQ(std::memcmp(payload.entry().data(), "the entry", payload.entry().size()), 0);
  ASSERT_EQ(payload.references().size(), 2U);
  EXPECT_EQ(payload.references()[1], (ObjectReference{.id = ObjectId(7), .index = 8}));
}

TEST(StartPayload, nothing_at_all_is_read_back) {
  const FileDescriptor fd = write_start_payload(
      encode_start_payload({.arguments = {}, .environment = {}, .entry = {}, .references = {}}));
  const StartPayload payload(fd.get());
  EXPECT_TRUE(payload.arguments().empty());
  EXPECT_TRUE(payload.entry().empty());
  EXPECT_STREQ(payload.program(), "");
  EXPECT_EQ(payload.input(), StandardStream::null());
  EXPECT_EQ(payload.output(), StandardStream::inherit());
}

TEST(StartPayload, streams_that_cannot_be_are_refused) {
  const auto expect_refused = [](const StandardStream& input, const StandardStream& output) {
    const FileDescriptor fd = write_start_payload(encode_start_payload({.arguments = {},
                                                                        .environment = {},
                                                                        .input = input,
                                                                        .output = output,
                                                                        .entry = {},
                                                                        .references = {}}));
    EXPECT_THROW(StartPayload{fd.get()}, Malformed);
  };
  expect_refused(StandardStream::inherit(), StandardStream::null());
  expect_refused(StandardStream::append("/x"), StandardStream::null());
  expect_refused(StandardStream::file(""), StandardStream::null());
  expect_refused(StandardStream::null(), StandardStream::file(""));
  // A kind that there is not, or that has no path; the kinds are at 36.
  const std::string bytes = content_of(example());
  for (const std::size_t place : {36U, 37U, 38U}) {
    for (const char kind : {'\5', '\xff'}) {
      std::string changed = bytes;
      changed[place] = kind;
      EXPECT_THROW(StartPayload(sealed_file(changed).get()), Malformed) << place;
    }
  }
  std::string changed = bytes;
  changed[37] = static_cast<char>(StandardStream::Kind::null);
  EXPECT_THROW(StartPayload(sealed_file(changed).get()), Malformed) << "a path is left over";
}

TEST(StartPayload, file_that_can_be_changed_is_refused) {
  const std::string bytes = content_of(example());
  EXPECT_NO_THROW(StartPayload(sealed_file(bytes).get()));
  for (const int seals :
       {0, F_SEAL_WRITE, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE}) {
    EXPECT_THROW(StartPayload(sealed_file(bytes, seals).get()), Malformed) << seals;
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_THROW(StartPayload{ends[0]}, Malformed);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(StartPayload, every_shorter_file_is_refused) {
  const std::string bytes = content_of(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(StartPayload(sealed_file(bytes.substr(0, size)).get()), Malformed) << size;
  }
}

TEST(StartPayload, every_changed_byte_of_the_header_is_refused_or_harmless) {
  const std::string bytes = content_of(example());
  for (std::size_t place = 0; place < 40; ++place) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = bytes;
      changed[place] = static_cast<char>(changed[place] ^ change);
      try {
        const StartPayload payload(sealed_file(changed).get());
        for (const char* argument : payload.arguments()) EXPECT_LT(std::strlen(argument), bytes.size());
      } catch (const Malformed&) {
        continue;
      }
    }
  }
}

}  // namespace
}  // namespace wyvern::control
