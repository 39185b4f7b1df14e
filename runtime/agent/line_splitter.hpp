#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wyvern::agent {

/// Turns a stream of bytes into whole lines, so that lines of several streams can be merged without being
/// mixed.
class LineSplitter {
 public:
  /// A longer line is forwarded in pieces of this size, each as a line of its own.
  static constexpr std::size_t max_line_bytes = std::size_t{1} << 20;

  /// `label` is put before every line; `longest`: bytes of a piece of a longer line.
  explicit LineSplitter(std::string label = {}, std::size_t longest = max_line_bytes)
      : label_(std::move(label)), longest_(longest) {}

  /// Appends to `out` the lines that `bytes` completes, and keeps the rest.
  void feed(std::string_view bytes, std::string& out);
  /// The stream has ended: appends the last line if it has no end of its own.
  void finish(std::string& out);

 private:
  void emit(std::string_view lines, std::string& out) const;

  std::string label_;
  std::size_t longest_;
  std::string partial_;
};

}  // namespace wyvern::agent
