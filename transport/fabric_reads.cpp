#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>

#include <wyvern/transport/fabric_endpoint.hpp>

// Memory that others read, and reading theirs.
namespace wyvern {

std::unique_ptr<RegisteredMemory> FabricEndpoint::register_memory(std::span<std::byte> memory) {
  return FabricMemory::for_reads(objects_, memory);
}

void FabricEndpoint::read(RemoteRead& read) {
  peer_at(read.from());
  reads_.add(read, reads_into_registered_memory_only());
  reads_.go_on([this](ReadPiece& piece) { return begin_piece(piece); });
}

int FabricEndpoint::begin_piece(ReadPiece& piece) {
  while (read_operations_.size() <= piece.index) read_operations_.emplace_back().kind = Kind::read;
  ReadOperation& operation = read_operations_[piece.index];
  operation.piece = &piece;
  operation.peer = piece.read->from();
  const auto* region = static_cast<const FabricMemory*>(piece.read->destination_region());
  const std::span<std::byte> destination = piece.destination();
  const RemoteMemory source = piece.source();
  void* const description = region == nullptr ? nullptr : region->description();
  const std::int64_t result = reach(operation.peer, [&] {
    return ::fi_read(objects_.endpoint.get(), destination.data(), destination.size(), description,
                     peers_[operation.peer].fabric_address, source.address, source.key, &operation.context);
  });
  if (result == -FI_EAGAIN) {
    ++counters_.provider_was_busy;
  } else if (result != 0) {
    ++counters_.failed_reads;
  }
  return static_cast<int>(-result);
}

void FabricEndpoint::complete_read(ReadOperation& operation, int error) {
  if (error == 0) {
    counters_.bytes_read += operation.piece->size;
    ++peers_[operation.peer].heard;
  } else {
    ++counters_.failed_reads;
  }
  reads_.completed(*operation.piece, error);
}

}  // namespace wyvern
