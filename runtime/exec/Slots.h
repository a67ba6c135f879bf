//===- Slots.h - how a session numbers the memory that commands use --------------===//
//
// Commands are prepared with (slot, offset) and run with a table of buffers:
//
//   weight chunks | inputs | outputs | states: current, next | faults | arena slabs
//
// so that what changes between runs (the caller's memory, the half of a state, a
// slab that grew) never touches a command.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_SLOTS_H
#define HEXIN_RUNTIME_EXEC_SLOTS_H

#include "runtime/device/hexin_device.h"
#include "runtime/exec/DeviceProgram.h"

#include <cstdint>

namespace hexin {

inline constexpr uint32_t noSlot = HEXIN_NO_SLOT;

struct SlotNumbers {
  explicit SlotNumbers(const DeviceProgram &program) {
    const fmt::Header &header = program.model().header();
    inputs = static_cast<uint32_t>(program.weightChunks().size());
    outputs = inputs + (header.inputs() ? header.inputs()->size() : 0);
    states = outputs + (header.outputs() ? header.outputs()->size() : 0);
    faults = states + 2 * (header.states() ? header.states()->size() : 0);
    slabs = faults + 1;
  }

  uint32_t weightChunk(uint32_t chunk) const { return chunk; }
  uint32_t input(uint32_t index) const { return inputs + index; }
  uint32_t output(uint32_t index) const { return outputs + index; }
  uint32_t state(uint32_t index) const { return states + 2 * index; }
  uint32_t nextState(uint32_t index) const { return states + 2 * index + 1; }
  uint32_t slab(uint32_t index) const { return slabs + index; }

  uint32_t inputs;
  uint32_t outputs;
  uint32_t states;
  uint32_t faults; ///< the one slot; empty when the program has none
  uint32_t slabs;  ///< the first; there may be any number behind it
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_SLOTS_H
