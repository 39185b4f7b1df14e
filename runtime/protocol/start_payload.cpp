#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/sealed_file.hpp>
#include <wyvern/runtime/protocol/start_payload.hpp>

namespace wyvern::control {
namespace {

constexpr std::uint64_t payload_magic = 0x3244'4150'4e56'5957;  // "WYVNPAD2": the last is the version
/// Arguments of a started process travel through plain memory: large data belongs into a queue.
constexpr std::uint64_t max_payload_bytes = std::uint64_t{1} << 30;

/// Starts the file. After it: the references, the entry, and the strings, each with its terminating zero:
/// program, directory, name, the paths of the three streams, arguments, environment.
struct PayloadHeader {
  std::uint64_t magic;
  std::uint64_t entry_bytes;
  std::uint64_t string_bytes;
  std::uint32_t references;
  std::uint32_t arguments;
  std::uint32_t environment;
  StandardStream::Kind streams[3];  ///< as numbered in the process
  std::uint8_t reserved;
};
static_assert(sizeof(PayloadHeader) == 40);

struct PayloadReference {
  std::uint64_t id;
  std::uint32_t index;
  std::uint32_t reserved;
};
static_assert(sizeof(PayloadReference) == 16);

template <class Item>
void append(std::vector<std::byte>& out, const Item& item) {
  const auto bytes = std::as_bytes(std::span(&item, 1));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_strings(std::vector<std::byte>& out, const std::vector<std::string>& strings) {
  for (const std::string& string : strings) {
    const auto bytes = std::as_bytes(std::span(string.c_str(), std::strlen(string.c_str()) + 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
}

std::vector<std::byte> encode(const StartContent& content) {
  std::vector<std::byte> strings;
  append_strings(strings, {content.program, content.directory, content.name, content.input.path(),
                           content.output.path(), content.error.path()});
  append_strings(strings, content.arguments);
  append_strings(strings, content.environment);
  std::vector<std::byte> out;
  append(out, PayloadHeader{.magic = payload_magic,
                            .entry_bytes = content.entry.size(),
                            .string_bytes = strings.size(),
                            .references = static_cast<std::uint32_t>(content.references.size()),
                            .arguments = static_cast<std::uint32_t>(content.arguments.size()),
                            .environment = static_cast<std::uint32_t>(content.environment.size()),
                            .streams = {content.input.kind(), content.output.kind(), content.error.kind()},
                            .reserved = 0});
  for (const ObjectReference& reference : content.references) {
    append(out, PayloadReference{.id = reference.id.value(), .index = reference.index, .reserved = 0});
  }
  out.insert(out.end(), content.entry.begin(), content.entry.end());
  out.insert(out.end(), strings.begin(), strings.end());
  return out;
}

/// Takes `count` strings off the front of `rest`.
std::vector<const char*> take_strings(std::span<const std::byte>& rest, std::uint32_t count) {
  std::vector<const char*> strings;
  for (std::uint32_t i = 0; i < count; ++i) {
    const void* end = rest.empty() ? nullptr : std::memchr(rest.data(), 0, rest.size());
    if (end == nullptr) throw Malformed("a start payload has fewer strings than it says");
    strings.push_back(reinterpret_cast<const char*>(rest.data()));
    rest = rest.subspan(static_cast<std::size_t>(static_cast<const std::byte*>(end) - rest.data()) + 1);
  }
  return strings;
}

/// What a process may have as that stream.
StandardStream check_stream(int number, StandardStream::Kind kind, const char* path) {
  using Kind = StandardStream::Kind;
  const bool is_input = number == STDIN_FILENO;
  const auto no_path = [&](StandardStream stream) {
    return *path == '\0' ? stream : throw Malformed("a start payload has a path for a stream without one");
  };
  switch (kind) {
    case Kind::null: return no_path(StandardStream::null());
    case Kind::piped: return no_path(StandardStream::piped());
    case Kind::inherit:
      if (!is_input) return no_path(StandardStream::inherit());
      break;
    case Kind::file:
      if (*path != '\0') return StandardStream::file(path);
      break;
    case Kind::append:
      if (*path != '\0' && !is_input) return StandardStream::append(path);
      break;
  }
  throw Malformed("a start payload has a stream that cannot be");
}

}  // namespace

std::vector<std::byte> encode_start_payload(const StartContent& content) {
  std::vector<std::byte> bytes = encode(content);
  if (bytes.size() > max_payload_bytes) {
    throw TooLarge("the arguments of a process take " + std::to_string(bytes.size()) + " bytes, at most " +
                   std::to_string(max_payload_bytes) + " are possible; send large data through a queue");
  }
  return bytes;
}

FileDescriptor write_start_payload(std::span<const std::byte> bytes) {
  return make_sealed_file("wyvern-start", bytes, "the arguments of a process");
}

StartPayload::StartPayload(int fd) {
  // Sealed first: from then on the size cannot change under us.
  if (!is_sealed_file(fd)) throw Malformed("a start payload is not a sealed memfd");
  struct stat status {};
  if (::fstat(fd, &status) != 0 || status.st_size < static_cast<off_t>(sizeof(PayloadHeader)) ||
      status.st_size > static_cast<off_t>(max_payload_bytes)) {
    throw Malformed("a start payload has an impossible size");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* base = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (base == MAP_FAILED) throw OutOfMemory(describe_errno("mapping the arguments of a process", errno));
  bytes_ = {static_cast<const std::byte*>(base), size};
  try {
    read();
  } catch (...) {
    ::munmap(base, size);
    throw;
  }
}

StartPayload::~StartPayload() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

void StartPayload::read() {
  PayloadHeader header;
  std::memcpy(&header, bytes_.data(), sizeof header);
  if (header.magic != payload_magic) throw Malformed("a start payload does not start like one");
  std::span<const std::byte> rest = bytes_.subspan(sizeof header);

  const std::uint64_t reference_bytes = std::uint64_t{header.references} * sizeof(PayloadReference);
  // None of the three can be so large that the sum overflows: each is compared alone first.
  if (reference_bytes > rest.size() || header.entry_bytes > rest.size() ||
      header.string_bytes > rest.size() ||
      reference_bytes + header.entry_bytes + header.string_bytes != rest.size()) {
    throw Malformed("the parts of a start payload do not add up to its size");
  }
  for (std::uint32_t i = 0; i < header.references; ++i) {
    PayloadReference reference;
    std::memcpy(&reference, rest.data() + i * sizeof reference, sizeof reference);
    references_.push_back({.id = ObjectId(reference.id), .index = reference.index});
  }
  rest = rest.subspan(reference_bytes);
  entry_ = rest.first(header.entry_bytes);
  rest = rest.subspan(header.entry_bytes);
  const auto single = take_strings(rest, 6);
  program_ = single[0];
  directory_ = single[1];
  name_ = single[2];
  input_ = check_stream(STDIN_FILENO, header.streams[0], single[3]);
  output_ = check_stream(STDOUT_FILENO, header.streams[1], single[4]);
  error_ = check_stream(STDERR_FILENO, header.streams[2], single[5]);
  arguments_ = take_strings(rest, header.arguments);
  environment_ = take_strings(rest, header.environment);
  if (!rest.empty()) throw Malformed("a start payload has more strings than it says");
}

}  // namespace wyvern::control
