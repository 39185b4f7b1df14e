// Another program as a process of the job, with pipes to and from it.
#include <unistd.h>

#include <array>
#include <iostream>
#include <string_view>

#include <wyvern/wyvern.hpp>

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto sorter = runtime.program({.environment = {{"LC_ALL", "C"}},
                                   .input = wyvern::StandardStream::piped(),
                                   .output = wyvern::StandardStream::piped()},
                                  "sort", "--unique");
    sorter.start();
    {
      const auto input = sorter.take_input();
      constexpr std::string_view words = "pear\napple\npear\ncherry\n";
      if (::write(input.get(), words.data(), words.size()) < 0) return 1;
    }  // closed here, which is the end of what it reads
    const auto output = sorter.take_output();
    std::array<char, 256> buffer{};
    for (ssize_t count = 0; (count = ::read(output.get(), buffer.data(), buffer.size())) > 0;) {
      std::cout.write(buffer.data(), count);
    }
    std::cout << "sort has ended with status " << sorter.join() << std::endl;
    return 0;
  });
}
