#include <string>
#include <utility>

#include <rdma/fi_errno.h>

#include <wyvern/core/error.hpp>
#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/fabric_memory.hpp>

namespace wyvern {
namespace {

constexpr std::size_t page_bytes = 4096;
/// Where the provider does not make the keys, two of ours may be the same.
constexpr int keys_tried = 8;

std::uint64_t random_key(const FabricObjects& objects) {
  const std::size_t bytes = objects.info->domain_attr->mr_key_size;
  const std::uint64_t key = random_number();
  return bytes < sizeof key ? key & ((std::uint64_t{1} << (8 * bytes)) - 1) : key;
}

FabricObject<fid_mr> register_memory(const FabricObjects& objects, std::span<std::byte> memory,
                                     std::uint64_t access) {
  const FabricLibrary& library = FabricLibrary::get();
  const bool key_is_ours = !objects.needs(FI_MR_PROV_KEY);
  fid_mr* opened = nullptr;
  int result = -FI_ENOKEY;
  for (int i = 0; i < keys_tried && result == -FI_ENOKEY; ++i) {
    result = ::fi_mr_reg(objects.domain.get(), memory.data(), memory.size(), access, 0,
                         key_is_ours ? random_key(objects) : 0, 0, &opened, nullptr);
  }
  library.check(result, "fi_mr_reg of " + std::to_string(memory.size()) + " bytes for provider " +
                            std::string(objects.traits->name) +
                            (result == -FI_ENOMEM || result == -FI_EAGAIN
                                 ? " (the limit of locked memory, ulimit -l, is a usual reason)"
                                 : ""));
  FabricObject<fid_mr> region(opened);
  if (objects.needs(FI_MR_ENDPOINT)) {
    library.check(::fi_mr_bind(opened, &objects.endpoint->fid, 0), "fi_mr_bind");
    library.check(::fi_mr_enable(opened), "fi_mr_enable");
  }
  return region;
}

}  // namespace

std::unique_ptr<FabricMemory> FabricMemory::for_reads(const FabricObjects& objects,
                                                      std::span<std::byte> memory) {
  if (memory.empty()) throw InvalidArgument("register_memory: there is nothing in it");
  FabricObject<fid_mr> region = register_memory(objects, memory, FI_READ | FI_REMOTE_READ);
  const RemoteMemory remote{
      .address = objects.needs(FI_MR_VIRT_ADDR) ? reinterpret_cast<std::uintptr_t>(memory.data()) : 0,
      .key = ::fi_mr_key(region.get()),
      .size = memory.size()};
  return std::unique_ptr<FabricMemory>(new FabricMemory(memory, remote, std::move(region)));
}

MessageMemory::MessageMemory(const FabricObjects& objects, std::size_t bytes) {
  const std::size_t whole_pages = (bytes + page_bytes - 1) / page_bytes * page_bytes;
  pages_.reset(static_cast<std::byte*>(std::aligned_alloc(page_bytes, whole_pages)));
  if (pages_ == nullptr) {
    throw OutOfMemory("no memory for " + std::to_string(bytes) + " bytes of an endpoint's message buffers");
  }
  bytes_ = {pages_.get(), bytes};
  if (objects.needs(FI_MR_LOCAL)) region_ = register_memory(objects, bytes_, FI_SEND | FI_RECV);
}

}  // namespace wyvern
