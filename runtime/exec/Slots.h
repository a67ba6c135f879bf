//===- Slots.h - how a session numbers the memory that commands use --------------===//
//
// Commands are prepared with (slot, offset) and run with a table of buffers:
//
//   weight chunks | inputs | outputs | states: current, next | faults | temporaries
//
// so that what changes between runs (the caller's memory, the half of a state, a
// slab that grew) never touches a command. A temporary has a slot of its own as well,
// which stands for a place in the arena: where a plan puts it never touches a command
// either, so plans for different sizes find each other's commands (CommandCache.h).
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_SLOTS_H
#define HEXIN_RUNTIME_EXEC_SLOTS_H

#include "runtime/device/hexin_device.h"
#include "runtime/exec/DeviceProgram.h"

#include <cstdint>

namespace hexin {

inline constexpr uint32_t noSlot = HEXIN_NO_SLOT;

/// What the slot of a temporary stands for: a place in the arena.
struct TempSlot {
  static constexpr uint32_t noSlab = ~0u; ///< for nothing: the plan does not use it
  uint32_t slab = noSlab;
  uint64_t offset = 0;

  auto operator<=>(const TempSlot &) const = default;
};

struct SlotNumbers {
  explicit SlotNumbers(const DeviceProgram &program) {
    const fmt::Header &header = program.model().header();
    inputs = program.numWeightChunks();
    outputs = inputs + (header.inputs() ? header.inputs()->size() : 0);
    states = outputs + (header.outputs() ? header.outputs()->size() : 0);
    faults = states + 2 * (header.states() ? header.states()->size() : 0);
    temps = faults + 1;
  }

  uint32_t weightChunk(uint32_t chunk) const { return chunk; }
  uint32_t input(uint32_t index) const { return inputs + index; }
  uint32_t output(uint32_t index) const { return outputs + index; }
  uint32_t state(uint32_t index) const { return states + 2 * index; }
  uint32_t nextState(uint32_t index) const { return states + 2 * index + 1; }
  uint32_t temp(uint32_t index) const { return temps + index; }

  uint32_t inputs;
  uint32_t outputs;
  uint32_t states;
  uint32_t faults; ///< the one slot; empty when the program has none
  /// The first; ProgramInfo::tempSlot numbers them, plans with loops add further ones.
  uint32_t temps;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_SLOTS_H
