// What a message can be: any value, and with it a function to call and a queue to answer to.
#include <algorithm>
#include <iostream>
#include <numeric>
#include <string>
#include <vector>

#include <wyvern/wyvern.hpp>

using Numbers = std::vector<int>;

struct Question {
  std::string name;
  Numbers numbers;
  wyvern::Function<int(Numbers)> ask;
  wyvern::Producer<std::string> answer_to;
};

void answer(wyvern::Consumer<Question> questions) {
  for (auto& [name, numbers, ask, answer_to] : questions) {
    answer_to.put(name + ": " + std::to_string(ask(numbers)));
  }
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto questions = runtime.make_queue<Question>();
    auto answers = runtime.make_queue<std::string>();
    auto process = runtime.process(answer, questions.consumer());
    process.start();

    const Numbers numbers{3, 1, 2};
    questions.put({"sum", numbers, [](Numbers all) { return std::accumulate(all.begin(), all.end(), 0); },
                   answers.producer()});
    questions.put({"largest", numbers, [](Numbers all) { return *std::max_element(all.begin(), all.end()); },
                   answers.producer()});
    // A lambda that travels captures nothing. What it would capture is bound to it.
    questions.put({"above 1", numbers,
                   wyvern::bind(
                       [](int limit, Numbers all) {
                         return static_cast<int>(
                             std::count_if(all.begin(), all.end(), [limit](int i) { return i > limit; }));
                       },
                       1),
                   answers.producer()});
    questions.close();
    for (int i = 0; i < 3; ++i) std::cout << answers.get() << std::endl;
  });
}
