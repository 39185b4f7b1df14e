#pragma once

#include <unistd.h>

#include <iostream>
#include <string>

namespace wyvern::bench {

/// What is being measured now, on standard error: one line that changes on a terminal, lines elsewhere.
class Progress {
 public:
  ~Progress() {
    if (terminal_) std::cerr << "\r\033[K" << std::flush;
  }
  void show(const std::string& text) const {
    if (terminal_) {
      std::cerr << "\r\033[K" << text << std::flush;
    } else {
      std::cerr << text << std::endl;
    }
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
};

}  // namespace wyvern::bench
