#include <wyvern/channels/remote/frame_buffer.hpp>

namespace wyvern::wire {

void FrameBuffer::add(FrameKind kind, FrameFlags flags, std::uint32_t opening, std::uint32_t operation,
                      std::span<const std::byte> body) {
  add_header(FrameHeader(kind, flags, 0, static_cast<std::uint32_t>(body.size()), opening, operation));
  append(body.data(), body.size());
}

void FrameBuffer::add_header(const FrameHeader& header) {
  append(&header, sizeof header);
  run_opening_ = 0;
}

void FrameBuffer::add_to_run(FrameFlags flags, std::uint32_t opening, std::uint32_t operation,
                             std::span<const std::byte> payload) {
  if (!ends_with_run(opening, operation)) {
    run_begin_ = size_;
    add(FrameKind::puts, flags, opening, operation);
    run_opening_ = opening;
    run_operation_ = operation;
  }
  const auto payload_bytes = static_cast<std::uint32_t>(payload.size());
  append(&payload_bytes, sizeof payload_bytes);
  append(payload.data(), payload.size());
  const auto body_bytes = static_cast<std::uint32_t>(size_ - run_begin_ - sizeof(FrameHeader));
  const FrameHeader header(FrameKind::puts, flags, 0, body_bytes, opening, operation);
  std::memcpy(bytes_.get() + run_begin_, &header, sizeof header);
}

std::size_t FrameBuffer::cargo_bytes(const Cargo& cargo, bool is_leased) {
  std::size_t bytes = cargo.memory.size != 0 ? sizeof(Memory) : cargo.payload.size();
  if (is_leased) bytes += sizeof(std::uint32_t);
  if (!cargo.handles.empty()) bytes += sizeof(std::uint32_t) + cargo.handles.size() * sizeof(Reference);
  return bytes;
}

void FrameBuffer::add_cargo(FrameKind kind, FrameFlags flags, std::uint32_t opening, std::uint32_t operation,
                            const Cargo& cargo) {
  const bool is_leased = kind == FrameKind::delivery && (flags & flag(FrameFlag::lease)) != 0;
  const bool is_large = cargo.memory.size != 0;
  if (!cargo.handles.empty()) flags |= flag(FrameFlag::handles);
  if (is_large) flags |= flag(FrameFlag::large);
  add_header(FrameHeader(kind, flags, 0, static_cast<std::uint32_t>(cargo_bytes(cargo, is_leased)), opening,
                         operation));
  if (is_leased) append(&cargo.deliveries, sizeof cargo.deliveries);
  if (!cargo.handles.empty()) {
    const auto count = static_cast<std::uint32_t>(cargo.handles.size());
    append(&count, sizeof count);
    for (const ObjectReference& handle : cargo.handles) {
      const Reference reference(handle.id.value(), handle.index, 0);
      append(&reference, sizeof reference);
    }
  }
  if (is_large) {
    const Memory memory(cargo.memory.address, cargo.memory.key, cargo.memory.size);
    append(&memory, sizeof memory);
  } else {
    append(cargo.payload.data(), cargo.payload.size());
  }
}

void FrameBuffer::add_value(FrameKind kind, std::uint32_t opening, std::uint32_t operation,
                            std::uint64_t value) {
  add(kind, 0, opening, operation, std::as_bytes(std::span(&value, 1)));
}

void FrameBuffer::add_ended(Puid process) { add_value(FrameKind::ended, 0, 0, process.value()); }

}  // namespace wyvern::wire
