#include <wire_generated.h>

#include <wyvern/channels/remote/control_tables.hpp>
#include <wyvern/channels/remote/flat_table.hpp>

namespace wyvern::wire {
namespace {

constexpr std::size_t longest_refusal = 1024;

Reference reference_to(const ObjectReference& object) { return {object.id.value(), object.index, 0}; }
ObjectReference object_of(const Reference& reference) {
  return {.id = ObjectId(reference.id()), .index = reference.index()};
}

}  // namespace

std::vector<std::byte> encode_open(const ObjectReference& object) {
  flatbuffers::FlatBufferBuilder builder;
  const Reference reference = reference_to(object);
  builder.Finish(CreateOpen(builder, &reference));
  return bytes_of(builder);
}

ObjectReference decode_open(std::span<const std::byte> body) {
  const VerifiedTable<Open> table(body, "a request to open a queue");
  return object_of(*table->object());
}

std::vector<std::byte> encode_create(const ChannelSpec& spec) {
  flatbuffers::FlatBufferBuilder builder;
  const auto type_name = builder.CreateString(spec.type_name);
  const auto name = builder.CreateString(spec.name);
  const Reference dead_letters = reference_to(spec.dead_letters);
  builder.Finish(CreateNewQueue(builder, spec.capacity, spec.inline_size, spec.max_bytes, spec.type_hash,
                                spec.max_deliveries, spec.window, spec.prefetch, &dead_letters, type_name,
                                name));
  return bytes_of(builder);
}

ChannelSpec decode_create(std::span<const std::byte> body) {
  const VerifiedTable<NewQueue> table(body, "a request to make a queue");
  return {.capacity = table->capacity(),
          .inline_size = table->inline_size(),
          .max_bytes = table->max_bytes(),
          .type_hash = table->type_hash(),
          .max_deliveries = table->max_deliveries(),
          .window = table->window(),
          .prefetch = table->prefetch(),
          .dead_letters = object_of(*table->dead_letters()),
          .type_name = table->type_name()->str(),
          .name = table->name()->str()};
}

std::vector<std::byte> encode_opened(const QueueTerms& terms) {
  flatbuffers::FlatBufferBuilder builder;
  const auto type_name = builder.CreateString(terms.type_name);
  const auto name = builder.CreateString(terms.name);
  const Reference object = reference_to(terms.object);
  builder.Finish(CreateOpened(builder, &object, terms.capacity, terms.inline_size, terms.max_bytes,
                              terms.window, terms.window_bytes, terms.prefetch, terms.type_hash, type_name,
                              name));
  return bytes_of(builder);
}

QueueTerms decode_opened(std::span<const std::byte> body) {
  const VerifiedTable<Opened> table(body, "the properties of a queue");
  return {.object = object_of(*table->object()),
          .capacity = table->capacity(),
          .inline_size = table->inline_size(),
          .max_bytes = table->max_bytes(),
          .window = table->window(),
          .window_bytes = table->window_bytes(),
          .prefetch = table->prefetch(),
          .type_hash = table->type_hash(),
          .type_name = table->type_name()->str(),
          .name = table->name()->str()};
}

std::vector<std::byte> encode_refused(const Refusal& refusal) {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(refusal.text.substr(0, longest_refusal));
  builder.Finish(CreateRefused(builder, static_cast<std::uint8_t>(refusal.code), text));
  return bytes_of(builder);
}

Refusal decode_refused(std::span<const std::byte> body) {
  const VerifiedTable<Refused> table(body, "a refusal");
  return {.code = static_cast<ErrorCode>(table->code()), .text = table->text()->str()};
}

}  // namespace wyvern::wire
