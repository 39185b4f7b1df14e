#include <string>

#include <wyvern/core/codec/encoder.hpp>
#include <wyvern/core/error.hpp>

namespace wyvern {

void Encoder::carry(ObjectReference reference) {
  if (references_ == nullptr) {
    throw InvalidArgument(
        "object " + to_string(reference.id) +
        ": a queue handle cannot travel in a message of this kind yet; pass it as a process argument");
  }
  write_bytes(&reference.id, sizeof reference.id);
  write_bytes(&reference.index, sizeof reference.index);
  references_->push_back(reference);
}

void Encoder::Nesting::refuse(std::uint32_t& depth) {
  --depth;
  throw InvalidArgument("a value has more than " + std::to_string(max_nesting) +
                        " containers or pointers inside one another, or is a cycle; send it in parts");
}

}  // namespace wyvern
