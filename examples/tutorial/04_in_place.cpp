// Large messages are not copied: they are built in the queue's memory, and read there.
#include <array>
#include <cstdint>
#include <iostream>
#include <numeric>
#include <utility>

#include <wyvern/wyvern.hpp>

struct Picture {
  std::uint32_t number;
  std::array<std::uint8_t, 1'000'000> pixels;
};

void paint(wyvern::Queue<Picture> pictures) {
  for (std::uint32_t number = 1; number <= 3; ++number) {
    auto picture = pictures.loan();
    picture->number = number;
    picture->pixels.fill(static_cast<std::uint8_t>(number));
    pictures.put(std::move(picture));
  }
  pictures.close();
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto pictures = runtime.make_queue<Picture>({.capacity = 2});
    auto painter = runtime.process(paint, pictures);
    painter.start();
    try {
      while (true) {
        const auto picture = pictures.take();  // its memory is free again at the end of the block
        const auto& pixels = picture->pixels;
        std::cout << "picture " << picture->number << " has the brightness "
                  << std::accumulate(pixels.begin(), pixels.end(), 0U) << std::endl;
      }
    } catch (const wyvern::QueueClosed&) {
      std::cout << "that were all" << std::endl;
    }
  });
}
