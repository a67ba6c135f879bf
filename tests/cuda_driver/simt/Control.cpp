//===- Control.cpp - branches, exits, barriers and fences ---------------------------------===//
#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Warp.h"

#include <bit>

using namespace standin;

namespace {

Flow branch(Warp &, const Instruction &, uint32_t) { return Flow::Branch; }

Flow branchIndexed(Warp &warp, const Instruction &i, uint32_t active) {
  const std::vector<uint32_t> &table = warp.block.grid.code.branchTables[i.option];
  const uint32_t *index = warp.lanes<uint32_t>(i.slot[0]);
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if ((active >> lane & 1) && index[lane] >= table.size())
      warp.fault(result::illegalInstruction,
                 "index " + std::to_string(index[lane]) + " of " +
                     std::to_string(table.size()) + " branch targets",
                 int(lane));
  for (size_t target = 0; target < table.size(); ++target) {
    uint32_t lanes = 0;
    for (unsigned lane = 0; lane < numLanes; ++lane)
      lanes |= uint32_t((active >> lane & 1) && index[lane] == target) << lane;
    if (lanes)
      warp.split(lanes, table[target]);
  }
  // Whom the guard keeps here goes on behind the instruction.
  Fragment &rest = warp.running();
  ++rest.pc;
  if (!rest.mask)
    warp.fragments().erase(warp.fragments().begin() + (&rest - warp.fragments().data()));
  return Flow::Reschedule;
}

Flow exitLanes(Warp &warp, const Instruction &, uint32_t active) {
  warp.exit(active);
  return Flow::Reschedule;
}

Flow trap(Warp &warp, const Instruction &, uint32_t) {
  warp.fault(result::launchFailed, "trap");
}

Flow nothing(Warp &, const Instruction &, uint32_t) { return Flow::Next; }

uint32_t uniform(Warp &warp, uint32_t slot, uint32_t active, const char *what) {
  const uint32_t *values = warp.lanes<uint32_t>(slot);
  uint32_t first = values[std::countr_zero(active)];
  for (unsigned lane = 0; lane < numLanes; ++lane)
    if ((active >> lane & 1) && values[lane] != first)
      warp.fault(result::illegalInstruction,
                 std::string(what) + " differs within the warp", int(lane));
  return first;
}

// Instruction::option of barriers
constexpr unsigned alignedFlag = 1, countFlag = 2, arriveFlag = 4;

Flow barrier(Warp &warp, const Instruction &i, uint32_t active) {
  Block &block = warp.block;
  if (block.grid.launch.sabotage.dropsBarriers)
    return Flow::Next;
  // .aligned: all threads of the warp that live come here together, or never.
  if ((i.option & alignedFlag) && !warp.gather(i, active, warp.live()))
    return Flow::Reschedule;
  uint32_t number = uniform(warp, i.slot[0], active, "the number of the barrier");
  if (number >= block.barriers.size())
    warp.fault(result::illegalInstruction,
               "barrier " + std::to_string(number) + ": there are 16");
  Barrier &state = block.barriers[number];
  if (i.option & countFlag) {
    uint32_t count = uniform(warp, i.slot[1], active, "the count of a barrier");
    if (count == 0 || count % numLanes || (state.expected && state.expected != count))
      warp.fault(result::illegalInstruction,
                 "barrier " + std::to_string(number) + " of " + std::to_string(count) +
                     " threads: expected a multiple of 32" +
                     (state.expected
                          ? ", and " + std::to_string(state.expected) + " as others said"
                          : ""));
    state.expected = count;
  }
  // Barriers with a count take warps, whole or not.
  state.arrived += i.option & countFlag ? numLanes : uint32_t(std::popcount(active));
  if (i.option & arriveFlag)
    return Flow::Next;
  uint32_t others = warp.running().mask & ~active;
  if (others)
    warp.split(others, warp.pc() + 1);
  Fragment &fragment = warp.running();
  fragment.state = Fragment::State::AtBarrier;
  fragment.barrier = uint8_t(number);
  return Flow::Reschedule;
}

/// bar.warp.sync
Flow warpBarrier(Warp &warp, const Instruction &i, uint32_t active) {
  if (warp.block.grid.launch.sabotage.dropsBarriers)
    return Flow::Next;
  uint32_t members = uniform(warp, i.slot[0], active, "the mask of members");
  if ((members & active) != active)
    warp.fault(result::illegalInstruction, "a lane that is no member of its mask");
  return warp.gather(i, active, members) ? Flow::Next : Flow::Reschedule;
}

void decodeBranch(Decoder &d) {
  d.take("uni");
  const Operand &label = d.operand(0);
  if (label.kind != Operand::Kind::Name || label.offset)
    d.fail("expected a label");
  d.builder.branchTo(label.name, d.statement.line);
  d.handler(branch);
}

void decodeBranchIndexed(Decoder &d) {
  d.take("uni");
  if (!d.take("idx"))
    d.failCombination();
  d.source(0, Type::B32);
  d.out.option = d.builder.branchTable(d.operand(1).name, d.statement.line);
  d.handler(branchIndexed);
}

void decodeExit(Decoder &d) {
  d.take("uni");
  d.handler(exitLanes);
}

void decodeTrap(Decoder &d) { d.handler(trap); }

void decodeBarrier(Decoder &d) {
  bool isBar = d.opcode() == "bar";
  d.take("cta");
  if (d.take("warp")) {
    if (!d.take("sync"))
      d.failCombination();
    d.source(0, Type::B32);
    return d.handler(warpBarrier);
  }
  unsigned action = d.takeOneOf({"sync", "arrive"});
  if (action == Decoder::none)
    d.fail("expected .sync or .arrive: reductions are not supported");
  bool aligned = d.take("aligned") || isBar;
  d.out.option = (aligned ? alignedFlag : 0) | (action == 1 ? arriveFlag : 0);
  d.source(0, Type::B32);
  if (d.numOperands() > 1) {
    d.source(1, Type::B32);
    d.out.option |= countFlag;
  } else if (action == 1) {
    d.fail("needs a count");
  }
  d.handler(barrier);
}

/// The interpreter is sequentially consistent.
void decodeFence(Decoder &d) {
  d.takeOneOf({"sc", "acq_rel", "acquire", "release"});
  d.takeOneOf({"cta", "gpu", "sys", "gl", "cluster"});
  d.handler(nothing);
}

void decodeSleep(Decoder &d) {
  d.takeType();
  d.source(0, Type::B32);
  d.handler(nothing);
}

void decodeGridDependency(Decoder &d) {
  d.requireTarget(90);
  if (d.takeOneOf({"launch_dependents", "wait"}) == Decoder::none)
    d.failCombination();
  d.handler(nothing);
}

constexpr OpcodeRow rows[] = {
    {"bra", decodeBranch},      {"brx", decodeBranchIndexed},
    {"ret", decodeExit},        {"exit", decodeExit},
    {"trap", decodeTrap},       {"brkpt", decodeTrap},
    {"bar", decodeBarrier},     {"barrier", decodeBarrier},
    {"membar", decodeFence},    {"fence", decodeFence},
    {"nanosleep", decodeSleep}, {"griddepcontrol", decodeGridDependency},
};

} // namespace

std::span<const OpcodeRow> standin::controlRows() { return rows; }

void standin::decodeEnd(EntryBuilder &builder, int line) {
  Instruction end;
  end.slot.fill(Slot::none);
  end.line = line;
  end.handler = exitLanes;
  builder.add(end);
}
