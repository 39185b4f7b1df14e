#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace wyvern {

/// Where a standard stream of a process leads, or comes from.
class StandardStream {
 public:
  /// Goes over the wire as it is here.
  enum class Kind : std::uint8_t { inherit, null, file, append, piped };

  /// Output goes the way of the job's: line by line to its stdout or stderr. Not for standard input, which is
  /// the head's alone.
  static StandardStream inherit() { return {Kind::inherit, {}}; }
  /// Output is thrown away; input ends at once.
  static StandardStream null() { return {Kind::null, {}}; }
  /// Input comes from that file. Output goes into it, from its beginning: what was in it is lost, and it is
  /// made if there is none. A relative path is relative to the working directory of who starts the process.
  /// The file is opened on the node where the process runs; the other end of a FIFO has to be open by then.
  static StandardStream file(std::string path) { return {Kind::file, std::move(path)}; }
  /// The same behind what is in the file: several processes can append to one. Not for standard input.
  static StandardStream append(std::string path) { return {Kind::append, std::move(path)}; }
  /// Leads to who starts the process, through a pipe: see Process::take_output. On the same node only.
  static StandardStream piped() { return {Kind::piped, {}}; }

  Kind kind() const { return kind_; }
  /// Of `file` and `append`.
  const std::string& path() const { return path_; }
  bool is_file() const { return kind_ == Kind::file || kind_ == Kind::append; }
  friend bool operator==(const StandardStream&, const StandardStream&) = default;

 private:
  StandardStream(Kind kind, std::string path) : kind_(kind), path_(std::move(path)) {}

  Kind kind_;
  std::string path_;
};

}  // namespace wyvern
