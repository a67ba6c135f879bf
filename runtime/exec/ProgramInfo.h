//===- ProgramInfo.h - what can be said of a program before any size is known -----===//
//
// Computed once per loaded program and shared by its sessions; immutable. Borrows
// the model's mapping.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_PROGRAMINFO_H
#define HEXIN_RUNTIME_EXEC_PROGRAMINFO_H

#include "runtime/artifact/Format.h"

#include <cstdint>
#include <span>
#include <vector>

namespace hexin {

/// What a value's memory is. Views have none of their own.
enum class Storage : uint8_t {
  view,
  temp,
  input,
  output,
  weight,
  state,
  nextState,
  faults
};

/// A loop of the program, in terms of positions in `ProgramInfo::order`.
struct LoopInfo {
  uint32_t begin = 0, end = 0; ///< where loop_begin and loop_end are
  int32_t parent = -1;         ///< the loop around it
  /// Values with memory of their own that the body makes, those it carries included.
  std::vector<uint32_t> made;
  /// Nodes of the pool that may differ from one iteration to the next.
  std::vector<int32_t> varying;
};

class ProgramInfo {
public:
  ProgramInfo(const fmt::Program &program, const fmt::Header &header);

  const fmt::Program &program;
  const fmt::Header &header;

  /// Per value: its storage, and which input, output, weight or state it is.
  std::vector<Storage> storage;
  std::vector<uint32_t> storageIndex;

  /// Per value, when it is a temporary, and per instruction, when a variant of it takes
  /// scratch: which of the `tempSlots` slots is its own (SlotNumbers::temp).
  std::vector<uint32_t> tempSlot;
  std::vector<uint32_t> scratchSlot;
  uint32_t tempSlots = 0;

  /// Instruction indices in the order they run: host instructions that need
  /// nothing from the device go first, so that the sizes they compute are known
  /// before anything is planned for the device.
  std::vector<uint32_t> order;

  /// As Program.loops. What fills a loop's stacks is in no order: the loop runs it.
  std::vector<LoopInfo> loops;

  /// Nodes of the pool that read a run-time value (element, result_dim).
  std::vector<int32_t> runtimeLeaves;

  /// Per value: whether the device may touch its memory.
  std::vector<bool> usedOnDevice;
  /// Per weight, or view of one: whether every variant of some launch reads it there.
  std::vector<bool> certainOnDevice;

  /// Per position in `order`, the values whose storage is last used there (by
  /// any variant, branch or view). Values that outputs, leaves or `keep` need
  /// are in none.
  std::vector<std::vector<uint32_t>> valuesEndingAt(std::span<const uint32_t> keep) const;

  bool isView(uint32_t value) const { return storage[value] == Storage::view; }

private:
  void classifyValues();
  void numberTempSlots();
  void orderInstructions();
  void findDeviceUses();
  void findLoops();
  /// The loop that each value is made in, -1 for none: the innermost.
  std::vector<int32_t> loopsOfValues() const;
  int32_t loopAround(uint32_t position) const;
  /// Gives what views and phis look at at least the number of who looks.
  void propagateToRoots(std::vector<uint32_t> &perValue) const;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_PROGRAMINFO_H
