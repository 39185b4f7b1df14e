#include "stamped.hpp"

#include <cstring>
#include <stdexcept>
#include <string>

namespace wyvern::test {
namespace {

std::byte pattern(MessageId id, std::size_t position) {
  return static_cast<std::byte>(id.sequence * 31 + id.producer.value() * 7 + position);
}

}  // namespace

std::vector<std::byte> make_stamped(MessageId id, std::size_t bytes) {
  if (bytes < sizeof id) throw std::invalid_argument("too short for a stamp");
  std::vector<std::byte> message(bytes);
  std::memcpy(message.data(), &id, sizeof id);
  for (std::size_t i = sizeof id; i < bytes; ++i) message[i] = pattern(id, i);
  return message;
}

MessageId read_stamped(std::span<const std::byte> message) {
  MessageId id;
  if (message.size() < sizeof id) throw std::runtime_error("a message without a stamp");
  std::memcpy(&id, message.data(), sizeof id);
  for (std::size_t i = sizeof id; i < message.size(); ++i) {
    if (message[i] == pattern(id, i)) continue;
    throw std::runtime_error("byte " + std::to_string(i) + " of message " + std::to_string(id.sequence) +
                             " of " + to_string(id.producer) + " is wrong");
  }
  return id;
}

}  // namespace wyvern::test
