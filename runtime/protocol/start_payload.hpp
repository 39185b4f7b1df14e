#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>
#include <wyvern/core/object_reference.hpp>
#include <wyvern/runtime/standard_stream.hpp>

namespace wyvern::control {

/// What a process to be started gets from its starter.
struct StartContent {
  std::vector<std::string> arguments;    ///< argv
  std::vector<std::string> environment;  ///< "NAME=value"
  std::string program = {};    ///< another program: its path, or a name to look for; empty: the starter's
  std::string directory = {};  ///< where it works; empty: where Start says
  std::string name = {};       ///< what the kernel shall call it
  StandardStream input = StandardStream::null();
  StandardStream output = StandardStream::inherit();
  StandardStream error = StandardStream::inherit();
  std::span<const std::byte> entry;             ///< what it runs instead of the head's function
  std::span<const ObjectReference> references;  ///< the objects whose handles are in `entry`
};

/// Throws TooLarge.
std::vector<std::byte> encode_start_payload(const StartContent& content);
/// Puts that into a sealed memfd, which the starter gives to the agent and the agent to the process. Throws
/// OutOfMemory.
FileDescriptor write_start_payload(std::span<const std::byte> bytes);

/// Such a memfd, mapped and checked. Immovable; what it returns lives as long as it.
class StartPayload {
 public:
  /// Throws Malformed unless the file is sealed against changes and has the form of a start payload. The
  /// bytes of the entry are not looked at.
  explicit StartPayload(int fd);
  ~StartPayload();
  StartPayload(const StartPayload&) = delete;
  StartPayload& operator=(const StartPayload&) = delete;

  const std::vector<const char*>& arguments() const { return arguments_; }
  const std::vector<const char*>& environment() const { return environment_; }
  const char* program() const { return program_; }
  const char* directory() const { return directory_; }
  const char* name() const { return name_; }
  /// Each of a kind that it may be, and with a path if it needs one.
  const StandardStream& input() const { return input_; }
  const StandardStream& output() const { return output_; }
  const StandardStream& error() const { return error_; }
  std::span<const std::byte> entry() const { return entry_; }
  const std::vector<ObjectReference>& references() const { return references_; }

 private:
  void read();

  std::span<const std::byte> bytes_;  // the mapping
  const char* program_ = "";
  const char* directory_ = "";
  const char* name_ = "";
  StandardStream input_ = StandardStream::null();
  StandardStream output_ = StandardStream::inherit();
  StandardStream error_ = StandardStream::inherit();
  std::vector<const char*> arguments_;
  std::vector<const char*> environment_;
  std::vector<ObjectReference> references_;
  std::span<const std::byte> entry_;
};

}  // namespace wyvern::control
