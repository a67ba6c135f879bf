//===- SessionMemory.h - the buffers behind a session's slots ----------------------===//
//
// Buffers of the session grow to the largest size asked for and are kept. Memory
// of the caller, on the host or the device, is wrapped where the device allows that, and
// the wrapper is kept while the same memory comes again, so that a repeated run allocates
// nothing. Not thread-safe: a session uses it inside its turn.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_SESSIONMEMORY_H
#define HEXIN_RUNTIME_EXEC_SESSIONMEMORY_H

#include "runtime/exec/Slots.h"

#include <cstdint>
#include <span>
#include <vector>

namespace hexin {

class SessionMemory {
public:
  explicit SessionMemory(const DeviceProgram &program);

  std::span<const hexin_slot> table() const { return table_; }
  const SlotNumbers &slots() const { return slots_; }

  /// Puts the weights behind their slots, as far as they are there: again after a plan
  /// may have made some.
  void bindWeights();

  /// Makes every slab of the arena at least as large as asked; contents of one that
  /// grows are lost. The slots of temporaries stand for nothing then.
  Status growSlabs(std::span<const uint64_t> slabBytes);
  /// Lets the slots of temporaries stand for these places in the slabs.
  void placeTemps(std::span<const TempSlot> slots);

  /// Puts a buffer of the session's own, of at least `bytes`, behind `slot`.
  /// Contents are lost when it has to grow.
  Status reserve(uint32_t slot, uint64_t bytes);

  /// Puts the caller's memory behind `slot`; false, and nothing done, where the
  /// device cannot use this memory in place.
  bool tryWrap(uint32_t slot, void *pointer, uint64_t bytes);

  /// Puts the caller's memory on the device behind `slot`. False, and nothing done,
  /// where it is not aligned as the device wants it: copyIn() or copyOut() serve then.
  Result<bool> tryWrapDevice(uint32_t slot, uint64_t address, uint64_t bytes);
  /// Copies within the device, between a slot and memory of the caller.
  Status copyIn(uint32_t slot, uint64_t address, uint64_t bytes);
  Status copyOut(uint32_t slot, uint64_t offset, uint64_t address, uint64_t bytes);

  /// Exchanges what is behind two slots.
  void swap(uint32_t a, uint32_t b);

  Status upload(uint32_t slot, uint64_t offset, const void *src, uint64_t bytes);
  Status download(uint32_t slot, uint64_t offset, void *dst, uint64_t bytes);
  Status copy(uint32_t src, uint64_t srcOffset, uint32_t dst, uint64_t bytes);

  /// Host address of a slot of a device with host memory, else null.
  std::byte *hostAddress(uint32_t slot) const { return hosts_[slot]; }

  uint64_t arenaBytes() const;
  /// Copies between host and device since the session was created.
  uint64_t transfers() const { return transfers_; }

private:
  struct Entry {
    Buffer owned;
    uint64_t ownedBytes = 0;
    Buffer wrapped;
    uint64_t wrappedAddress = 0;
    uint64_t wrappedBytes = 0;
  };

  struct Slab {
    Buffer buffer;
    uint64_t bytes = 0;
    std::byte *host = nullptr;
  };

  template <typename Wrap>
  Status wrapWith(uint32_t slot, uint64_t address, uint64_t bytes, Wrap wrap);

  const DeviceProgram &program_; // outlives it
  const Device &device_;
  SlotNumbers slots_;
  std::vector<Entry> entries_; // of the slots before the temporaries'
  std::vector<Slab> slabs_;
  std::vector<hexin_slot> table_;
  std::vector<std::byte *> hosts_; // parallel to table_: host addresses
  uint64_t wrapAlignment_; ///< of the caller's memory on the host
  uint64_t transfers_ = 0;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_SESSIONMEMORY_H
