#include "runtime/exec/SessionMemory.h"

#include <algorithm>

namespace hexin {
namespace {

/// What the session asks of memory that kernels use directly.
constexpr uintptr_t wrapAlignment = 64;

} // namespace

SessionMemory::SessionMemory(const DeviceProgram &program)
    : device_(program.device()), slots_(program), entries_(slots_.slabs),
      table_(slots_.slabs, hexin_slot{nullptr, 0}) {
  for (uint32_t chunk = 0; chunk < program.weightChunks().size(); ++chunk)
    table_[slots_.weightChunk(chunk)].buffer = program.weightChunks()[chunk].get();
}

Status SessionMemory::growSlabs(std::span<const uint64_t> slabBytes) {
  size_t needed = slots_.slabs + slabBytes.size();
  if (entries_.size() < needed) {
    entries_.resize(needed);
    table_.resize(needed, hexin_slot{nullptr, 0});
  }
  for (uint32_t i = 0; i < slabBytes.size(); ++i)
    HEXIN_RETURN_IF_ERROR(reserve(slots_.slab(i), slabBytes[i]));
  return Status::success();
}

Status SessionMemory::reserve(uint32_t slot, uint64_t bytes) {
  Entry &entry = entries_[slot];
  uint64_t needed = std::max<uint64_t>(bytes, 1);
  if (entry.ownedBytes < needed) {
    entry.owned = Buffer(); // first: both at once may not fit
    entry.ownedBytes = 0;
    table_[slot].buffer = nullptr;
    HEXIN_ASSIGN_OR_RETURN(entry.owned, device_.allocate(needed));
    entry.ownedBytes = needed;
  }
  table_[slot].buffer = entry.owned.get();
  entry.host = static_cast<std::byte *>(device_.hostPointer(entry.owned));
  return Status::success();
}

bool SessionMemory::tryWrap(uint32_t slot, void *pointer, uint64_t bytes) {
  uintptr_t alignment = std::max<uintptr_t>(wrapAlignment, device_.info().base_alignment);
  if (!device_.canWrapHost() || reinterpret_cast<uintptr_t>(pointer) % alignment != 0)
    return false;
  Entry &entry = entries_[slot];
  if (entry.wrappedPointer != pointer || entry.wrappedBytes != bytes) {
    auto wrapped = device_.wrapHost(pointer, bytes);
    if (!wrapped)
      return false;
    entry.wrapped = *std::move(wrapped);
    entry.wrappedPointer = pointer;
    entry.wrappedBytes = bytes;
  }
  table_[slot].buffer = entry.wrapped.get();
  entry.host = static_cast<std::byte *>(pointer);
  return true;
}

void SessionMemory::swap(uint32_t a, uint32_t b) {
  std::swap(entries_[a], entries_[b]);
  std::swap(table_[a], table_[b]);
}

Status SessionMemory::upload(uint32_t slot, uint64_t offset, const void *src,
                             uint64_t bytes) {
  ++transfers_;
  return device_.upload(src, table_[slot].buffer, offset, bytes);
}

Status SessionMemory::download(uint32_t slot, uint64_t offset, void *dst,
                               uint64_t bytes) {
  ++transfers_;
  return device_.download(table_[slot].buffer, offset, dst, bytes);
}

Status SessionMemory::copy(uint32_t src, uint64_t srcOffset, uint32_t dst,
                           uint64_t bytes) {
  return device_.copy(table_[src].buffer, srcOffset, table_[dst].buffer, 0, bytes);
}

uint64_t SessionMemory::arenaBytes() const {
  uint64_t bytes = 0;
  for (size_t slot = slots_.slabs; slot < entries_.size(); ++slot)
    bytes += entries_[slot].ownedBytes;
  return bytes;
}

} // namespace hexin
