#include "runtime/exec/SessionMemory.h"

#include <algorithm>

namespace hexin {
namespace {

/// What the session asks of memory that kernels use directly: of elements where none
/// counts on more (runtime/device/KernelAbi.h), so that arrays of numpy, which lie at
/// multiples of 16, need no copy.
uint64_t wrapAlignment(const DeviceProgram &program) {
  const auto *kernels = program.info().program.kernels();
  for (uint32_t i = 0; i < fmt::sizeOf(kernels); ++i)
    if (fmt::sizeOf(kernels->Get(i)->alignments()) > 0)
      return std::max<uint64_t>(64, program.device().info().base_alignment);
  return 16;
}

} // namespace

SessionMemory::SessionMemory(const DeviceProgram &program)
    : program_(program), device_(program.device()), slots_(program),
      entries_(slots_.temps), table_(slots_.temps, hexin_slot{nullptr, 0}),
      hosts_(slots_.temps), wrapAlignment_(wrapAlignment(program)) {
  bindWeights();
}

void SessionMemory::bindWeights() {
  for (uint32_t chunk = 0; chunk < program_.numWeightChunks(); ++chunk)
    table_[slots_.weightChunk(chunk)].buffer = program_.weightChunk(chunk);
}

Status SessionMemory::growSlabs(std::span<const uint64_t> slabBytes) {
  if (slabs_.size() < slabBytes.size())
    slabs_.resize(slabBytes.size());
  for (uint32_t i = 0; i < slabBytes.size(); ++i) {
    Slab &slab = slabs_[i];
    if (slab.bytes >= slabBytes[i])
      continue;
    placeTemps({}); // they may stand for the memory that goes
    slab = Slab();  // first: both at once may not fit
    HEXIN_ASSIGN_OR_RETURN(slab.buffer, device_.allocate(slabBytes[i]));
    slab.bytes = slabBytes[i];
    slab.host = static_cast<std::byte *>(device_.hostPointer(slab.buffer));
  }
  return Status::success();
}

void SessionMemory::placeTemps(std::span<const TempSlot> slots) {
  table_.resize(slots_.temps + slots.size());
  hosts_.resize(table_.size());
  for (size_t i = 0; i < slots.size(); ++i) {
    hexin_slot &entry = table_[slots_.temps + i];
    std::byte *&host = hosts_[slots_.temps + i];
    entry = {nullptr, 0};
    host = nullptr;
    if (slots[i].slab == TempSlot::noSlab)
      continue;
    const Slab &slab = slabs_[slots[i].slab];
    entry = {slab.buffer.get(), slots[i].offset};
    host = slab.host ? slab.host + slots[i].offset : nullptr;
  }
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
  hosts_[slot] = static_cast<std::byte *>(device_.hostPointer(entry.owned));
  return Status::success();
}

/// Keeps the wrapper that `wrap` makes, unless the slot has one of this memory.
template <typename Wrap>
Status SessionMemory::wrapWith(uint32_t slot, uint64_t address, uint64_t bytes,
                               Wrap wrap) {
  Entry &entry = entries_[slot];
  if (entry.wrappedAddress != address || entry.wrappedBytes != bytes) {
    HEXIN_ASSIGN_OR_RETURN(entry.wrapped, wrap());
    entry.wrappedAddress = address;
    entry.wrappedBytes = bytes;
  }
  table_[slot].buffer = entry.wrapped.get();
  return Status::success();
}

bool SessionMemory::tryWrap(uint32_t slot, void *pointer, uint64_t bytes) {
  auto address = reinterpret_cast<uintptr_t>(pointer);
  if (!device_.canWrapHost() || address % wrapAlignment_ != 0)
    return false;
  Status wrapped =
      wrapWith(slot, address, bytes, [&] { return device_.wrapHost(pointer, bytes); });
  if (!wrapped)
    return false;
  hosts_[slot] = static_cast<std::byte *>(pointer);
  return true;
}

Result<bool> SessionMemory::tryWrapDevice(uint32_t slot, uint64_t address,
                                          uint64_t bytes) {
  if (address % std::max<uint64_t>(64, device_.info().base_alignment) != 0)
    return false;
  HEXIN_RETURN_IF_ERROR(
      wrapWith(slot, address, bytes, [&] { return device_.wrapDevice(address, bytes); }));
  hosts_[slot] = nullptr;
  return true;
}

Status SessionMemory::copyIn(uint32_t slot, uint64_t address, uint64_t bytes) {
  HEXIN_RETURN_IF_ERROR(reserve(slot, bytes));
  if (bytes == 0)
    return Status::success();
  HEXIN_ASSIGN_OR_RETURN(Buffer src, device_.wrapDevice(address, bytes));
  const hexin_slot &to = table_[slot];
  return device_.copy(src.get(), 0, to.buffer, to.offset, bytes);
}

Status SessionMemory::copyOut(uint32_t slot, uint64_t offset, uint64_t address,
                              uint64_t bytes) {
  if (bytes == 0)
    return Status::success();
  HEXIN_ASSIGN_OR_RETURN(Buffer dst, device_.wrapDevice(address, bytes));
  const hexin_slot &from = table_[slot];
  return device_.copy(from.buffer, from.offset + offset, dst.get(), 0, bytes);
}

void SessionMemory::swap(uint32_t a, uint32_t b) {
  std::swap(entries_[a], entries_[b]);
  std::swap(table_[a], table_[b]);
  std::swap(hosts_[a], hosts_[b]);
}

Status SessionMemory::upload(uint32_t slot, uint64_t offset, const void *src,
                             uint64_t bytes) {
  ++transfers_;
  const hexin_slot &to = table_[slot];
  return device_.upload(src, to.buffer, to.offset + offset, bytes);
}

Status SessionMemory::download(uint32_t slot, uint64_t offset, void *dst,
                               uint64_t bytes) {
  ++transfers_;
  const hexin_slot &from = table_[slot];
  return device_.download(from.buffer, from.offset + offset, dst, bytes);
}

Status SessionMemory::copy(uint32_t src, uint64_t srcOffset, uint32_t dst,
                           uint64_t bytes) {
  const hexin_slot &from = table_[src], &to = table_[dst];
  return device_.copy(from.buffer, from.offset + srcOffset, to.buffer, to.offset, bytes);
}

uint64_t SessionMemory::arenaBytes() const {
  uint64_t bytes = 0;
  for (const Slab &slab : slabs_)
    bytes += slab.bytes;
  return bytes;
}

} // namespace hexin
