#include <new>
#include <stdexcept>
#include <vector>

#include <cereal/cereal.hpp>

#include <wyvern/core/codec/decoder.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

ObjectReference Decoder::take_reference() {
  std::uint64_t id = 0;
  ObjectReference reference;
  read_bytes(&id, sizeof id);
  read_bytes(&reference.index, sizeof reference.index);
  reference.id = ObjectId(id);
  return reference;
}

void Decoder::fail(std::string_view problem) const {
  throw DecodeError(std::string(problem) + " (at byte " + std::to_string(bytes_.size() - rest_.size()) +
                    " of " + std::to_string(bytes_.size()) + ")");
}

void Decoder::fail_short(std::size_t size) const {
  fail("the message ends too early: " + std::to_string(size) + " bytes were expected and " +
       std::to_string(rest_.size()) + " are left");
}

void Decoder::fail_size(std::uint64_t size, std::size_t element_size) const {
  fail("a length of " + std::to_string(size) + " elements of at least " + std::to_string(element_size) +
       " bytes cannot be right: " + std::to_string(rest_.size()) + " bytes are left");
}

namespace detail {

void rethrow_decode_failure(std::string_view type, std::span<const std::byte> message) {
  std::string problem;
  try {
    throw;
  } catch (const DecodeError& error) {
    problem = error.what();
  } catch (const cereal::Exception& error) {
    problem = error.what();
  } catch (const std::length_error& error) {
    problem = std::string("a length is out of range: ") + error.what();
  } catch (const std::bad_alloc&) {
    problem = "there is no memory for the size it states";
  }
  throw DecodeError(
      "cannot decode " + std::to_string(message.size()) + " bytes as " + std::string(type) + ": " + problem,
      std::vector<std::byte>(message.begin(), message.end()));
}

}  // namespace detail

}  // namespace wyvern
