// One thread listens to a thousand queues: a fiber for each, which waits for it in a plain loop. What is put
// comes from four processes, on several nodes if the job has them.
#include <cstdint>
#include <iostream>
#include <vector>

#include <wyvern/wyvern.hpp>

constexpr int sensors_in_all = 1'000;
constexpr int readings_each = 3;
constexpr int stations = 4;

struct Sensor {
  int number;
  wyvern::Producer<int> readings;
};

void observe(std::vector<Sensor> sensors) {
  for (int reading = 1; reading <= readings_each; ++reading) {
    for (const Sensor& sensor : sensors) sensor.readings.put(sensor.number * reading);
  }
  for (const Sensor& sensor : sensors) sensor.readings.close();
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    std::vector<wyvern::Fiber<std::int64_t>> listeners;
    std::vector<std::vector<Sensor>> sensors_of(stations);
    for (int number = 0; number < sensors_in_all; ++number) {
      auto readings = runtime.make_queue<int>({.capacity = 4, .inline_size = 64});
      sensors_of[static_cast<std::size_t>(number % stations)].push_back({number, readings.producer()});
      listeners.emplace_back([readings] {
        std::int64_t sum = 0;
        for (const int reading : readings) sum += reading;
        return sum;
      });
    }

    std::vector<wyvern::Process> processes;
    for (auto& sensors : sensors_of) {
      processes.push_back(runtime.process(observe, std::move(sensors)));
      processes.back().start();
    }

    std::int64_t sum = 0;
    for (auto& listener : listeners) sum += listener.join();
    std::cout << sensors_in_all << " fibers of one thread, sum of all readings " << sum << std::endl;
  });
}
