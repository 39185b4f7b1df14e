#include <wyvern/runtime/agent/line_splitter.hpp>

namespace wyvern::agent {

void LineSplitter::feed(std::string_view bytes, std::string& out) {
  const std::size_t end = bytes.rfind('\n');
  if (end != std::string_view::npos) {
    if (!partial_.empty()) {
      const std::size_t first = bytes.find('\n');
      partial_ += bytes.substr(0, first + 1);
      emit(partial_, out);
      partial_.clear();
      emit(bytes.substr(first + 1, end - first), out);
    } else {
      emit(bytes.substr(0, end + 1), out);
    }
    bytes.remove_prefix(end + 1);
  }
  partial_ += bytes;
  while (partial_.size() >= longest_) {
    emit(partial_.substr(0, longest_) + '\n', out);
    partial_.erase(0, longest_);
  }
}

void LineSplitter::finish(std::string& out) {
  if (partial_.empty()) return;
  partial_ += '\n';
  emit(partial_, out);
  partial_.clear();
}

void LineSplitter::emit(std::string_view lines, std::string& out) const {
  if (label_.empty()) {
    out += lines;
    return;
  }
  while (!lines.empty()) {
    const std::size_t length = lines.find('\n') + 1;
    out += label_;
    out += lines.substr(0, length);
    lines.remove_prefix(length);
  }
}

}  // namespace wyvern::agent
