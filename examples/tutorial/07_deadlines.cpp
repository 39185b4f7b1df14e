// Not in time is an answer, the end is an exception: they cannot be confused.
#include <chrono>
#include <iostream>
#include <string>

#include <wyvern/wyvern.hpp>

using namespace std::chrono_literals;

void answer_once(wyvern::Queue<std::string> questions, wyvern::Queue<std::string> answers) {
  answers.put("you asked: " + questions.get());
  answers.close();
}

int main(int argc, char** argv) {
  return wyvern::run(argc, argv, [](wyvern::Runtime& runtime) {
    auto questions = runtime.make_queue<std::string>({.capacity = 1});
    auto answers = runtime.make_queue<std::string>();
    auto process = runtime.process(answer_once, questions, answers);

    questions.put("why?");
    if (!questions.try_put_for(10ms, "how?")) std::cout << "no room yet" << std::endl;
    if (!answers.try_get_for(10ms)) std::cout << "no answer yet" << std::endl;

    process.start();
    if (const auto answer = answers.try_get_for(1h)) std::cout << *answer << std::endl;
    try {
      answers.get();
    } catch (const wyvern::QueueClosed&) {
      std::cout << "there will be none" << std::endl;
    }
  });
}
