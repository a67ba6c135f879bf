//===- Plan.h - a program bound to sizes, ready to be walked -------------------===//
//
// A plan is a chain of segments. The first is found by the sizes of the inputs.
// A segment that ends before the program does says what to read then (elements
// and sizes that its instructions made); what was read finds the next segment.
// Programs whose sizes follow from their inputs have one segment per set of sizes.
//
// Everything that depends on sizes happens when a segment is made (PlanBuilder);
// running it (SessionCore) walks `steps`. Owned by the session's PlanCache; a
// session runs one plan at a time.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_EXEC_PLAN_H
#define HEXIN_RUNTIME_EXEC_PLAN_H

#include "runtime/base/Attributes.h"
#include "runtime/exec/ArenaLayout.h"
#include "runtime/exec/CommandCache.h"
#include "runtime/exec/DeviceProgram.h"
#include "runtime/exec/ExprTable.h"
#include "runtime/exec/Slots.h"
#include "runtime/exec/Trace.h"

#include "hexin/value.h"

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hexin {

using Dims = std::vector<int64_t>;

/// `bytes` bytes at `offset` of a slot.
struct DevicePlace {
  uint32_t slot = noSlot;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// Where the host finds a value.
struct HostPlace {
  enum Kind : uint8_t {
    none,
    userInput,   ///< the tensor that the caller passed for input `index`
    weight,      ///< the mapping of weight `index`
    tensor,      ///< the session's host tensor of value `index`
    deviceMemory ///< `device`, which is host memory
  };
  Kind kind = none;
  uint32_t index = 0;
  DevicePlace device;
  uint64_t offset = 0; ///< bytes into the above
  /// Anything but a tensor of numbers is a Value of the caller or the session.
  ValueKind holds = ValueKind::tensor;
  DType dtype = DType::f32;
  /// The value's sizes. Without them (`hasDims` false) it is all of a host
  /// tensor, whose sizes are what they are.
  bool hasDims = false;
  Dims dims;
};

/// A host instruction, or the host's part in one.
struct HostCall {
  std::string op;
  Attributes attributes;
  struct Operand {
    bool isPresent = false;
    /// A value of the session, no tensor of numbers, that nobody uses afterwards.
    bool isSpent = false;
    HostPlace place;
  };
  std::vector<Operand> operands;
  struct Result {
    uint32_t value = 0;
    ValueKind holds = ValueKind::tensor;
    DType dtype = DType::f32;
    uint32_t rank = 0;    ///< of a tensor, of numbers or strings
    bool hasDims = false; ///< then it must have these sizes
    Dims dims;
  };
  std::vector<Result> results;
};

struct Step {
  enum Kind : uint8_t {
    submit,   ///< commands [first, first + count)
    wait,     ///< for all that was submitted
    host,     ///< `call`
    toHost,   ///< `place` to the host tensor of `value`
    toDevice, ///< the host tensor of `value` to `place`
    release,  ///< frees what the host has of `value`
    handOver, ///< what the host has of `value`, no tensor of numbers, leaves it as
              ///< #`count`
    receive   ///< and becomes that of `value`
  };
  Kind kind;
  uint32_t instruction = 0;
  uint32_t first = 0;
  uint32_t count = 0;
  uint32_t value = 0;
  DevicePlace place;
  std::unique_ptr<HostCall> call;
  Tensor staging; ///< toHost: the memory, used again by every run
};

/// An output that the segment starts to write.
struct OutputBinding {
  uint32_t output = 0;
  Dims dims;
};

/// A state's next half that the segment starts to write.
struct StateBinding {
  uint32_t state = 0;
  uint64_t bytes = 0;
};

/// How a value leaves the run, at its end.
struct FinalValue {
  enum Kind : uint8_t {
    written,    ///< output: it is in its memory; state: it is in the next half
    inPlace,    ///< state: it is in the current half
    fromDevice, ///< copied from `place`
    fromHost    ///< copied from `host`
  };
  Kind kind = written;
  uint32_t index = 0; ///< of the output, state or dumped name
  DevicePlace place;
  HostPlace host;
  DType dtype = DType::f32;
  bool hasDims = false;
  Dims dims;
};

/// Something to read on the host before the next segment is known.
struct Learned {
  int32_t leaf = 0; ///< node of the program's pool
  HostPlace place;
};

/// What the builder knows at the end of a segment; the next one starts from it.
struct PlanState {
  struct Root {
    DevicePlace place;
    ArenaPlace arena; ///< when it is a temp with a place
    HostPlace::Kind hostKind = HostPlace::none;
    bool onDevice = false;   ///< the place holds the value
    uint32_t handedOver = 0; ///< its number on the way through a loop's border
    Dims dims;               ///< when `place` is set
  };
  /// A loop that the builder is in, outermost first.
  struct Loop {
    uint32_t loop = 0; ///< of Program.loops
    int64_t iteration = 0;
    int64_t tripCount = 0;
    std::vector<std::vector<Root>> slices; ///< per stack: of the iterations so far
  };
  PlanState(const ExprPool *pool, ArenaLayout layout)
      : exprs(pool), layout(std::move(layout)) {}

  ExprTable exprs;
  ArenaLayout layout;
  std::vector<TempSlot> tempSlots; // never changed once set
  /// Slots behind those of the program, of values that a loop puts elsewhere.
  std::map<TempSlot, uint32_t> moreTempSlots;
  std::vector<Root> roots; // by value
  std::vector<Loop> loops;
  uint64_t iterations = 0; // of all loops
  uint32_t position = 0;   // in ProgramInfo::order
};

/// What a command is, for traces.
struct Launch {
  uint32_t instruction = 0;
  uint32_t variant = 0;   ///< of the instruction
  std::string passedOver; ///< better variants that the device refused, and why
  LaunchCost cost;        ///< when profiling
};

struct Segment {
  // -- running it
  std::vector<Step> steps;
  std::vector<hexin_command *> commands; // what steps refer to
  std::vector<Launch> launches;          // per command
  std::vector<CommandRef> heldCommands;  // per command
  std::vector<uint64_t> commandTimes;    // when profiling: 2 per command
  std::vector<uint64_t> slabBytes;       // that each slab must have, 0 = untouched
  uint64_t mostTaken = 0;                // of the arena at once (ArenaLayout)
  std::vector<TempSlot> tempSlots;       // of this segment and those before it
  std::vector<OutputBinding> outputs;
  std::vector<StateBinding> states;

  // -- its end: of the program ...
  bool isLast = false;
  std::vector<FinalValue> finalOutputs;
  std::vector<FinalValue> finalStates;
  std::vector<FinalValue> finalDumps;

  // ... or of what is known
  std::vector<Learned> learned;
  std::unique_ptr<PlanState> state;
  std::map<std::vector<int64_t>, std::unique_ptr<Segment>> next;

  bool placedWeights = false;    // its commands read weights that came with it
  uint32_t commandsPrepared = 0; // those made for it; the others were found

  // -- PlanCache
  Segment *parent = nullptr;
  uint64_t lastRun = 0;
  uint64_t bytes = 0;
  std::list<Segment *>::iterator inUseOrder;
};

} // namespace hexin

#endif // HEXIN_RUNTIME_EXEC_PLAN_H
