//===- Code.h - the decoded instructions of an entry ------------------------------===//
//
// A register is 32 lanes side by side: 64, 128 or 256 bytes for values of 16, 32 or 64
// bits, 4 bytes (a bit each) for a predicate. Constants and special registers have such
// slots too, so that an operand is a byte offset into the warp's register file and
// nothing else.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_PTX_CODE_H
#define HEXIN_TESTS_CUDA_DRIVER_PTX_CODE_H

#include "tests/cuda_driver/ptx/Types.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace standin {

class Warp;
struct Instruction;

/// What the warp does after an instruction.
enum class Flow : uint8_t {
  Next,
  Branch,     ///< the active lanes go to `target`, the others to the next instruction
  Reschedule, ///< the handler has changed the warp's fragments itself
};

/// Executes for the lanes of `active`, a subset of those at this instruction; throws a
/// Fault.
using Handler = Flow (*)(Warp &, const Instruction &, uint32_t active);

enum class Counted : uint8_t { Plain, Fma, Mma };

struct Slot {
  static constexpr uint32_t none = ~0u;
  uint32_t offset = none;
  uint8_t bytes = 0; ///< of a lane: 2, 4, 8; 0 for a predicate
};

struct Instruction {
  static constexpr unsigned maxSlots = 17;

  Handler handler = nullptr;
  Handler inner = nullptr;     ///< what a handler that wraps another one calls
  uint32_t guard = Slot::none; ///< of a predicate
  bool guardNegated = false;
  bool negated = false; ///< a source predicate is (setp's and vote's)
  Counted counted = Counted::Plain;
  uint8_t numDst = 0, numSlots = 0; ///< destinations first
  std::array<uint32_t, maxSlots> slot;
  std::array<uint8_t, maxSlots> width{}; ///< Slot::bytes
  Type type = Type::None, sourceType = Type::None;
  Space space = Space::Generic;
  int64_t offset = 0;       ///< added to the address
  int64_t secondOffset = 0; ///< of cp.async, which has two
  uint32_t target = 0;      ///< of a branch
  uint32_t option = 0;      ///< the family's own
  int line = 0;
};

/// A slot that holds one value in all lanes.
struct Constant {
  Slot slot;
  uint64_t value = 0;
  std::string global;           ///< if said, the address of this variable is added
  bool isDynamicShared = false; ///< if so, the offset of the dynamic shared memory is
};

enum class Special : uint8_t {
  Tid,
  Ntid,
  Ctaid,
  Nctaid,
  LaneId,
  WarpId,
  NumWarps,
  SmId,
  NumSms,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
  DynamicSharedBytes,
  TotalSharedBytes,
  GridId,
  Clock, ///< also %clock64, %globaltimer: warp instructions so far, at the block's start
};

struct SpecialSlot {
  Special special = Special::Tid;
  unsigned axis = 0;
  Slot slot;
};

struct Code {
  std::vector<Instruction> instructions; ///< ends with an exit
  std::vector<Constant> constants;
  std::vector<SpecialSlot> specials;
  std::vector<std::vector<uint32_t>> branchTables; ///< of brx.idx, by Instruction::option
  uint32_t registerBytes = 0;
  uint32_t dynamicSharedOffset = 0; ///< behind the static part, aligned
};

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_PTX_CODE_H
