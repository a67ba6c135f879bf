#include "runtime/exec/ProgramInfo.h"

#include <algorithm>

namespace hexin {

using fmt::sizeOf;

namespace {

/// Which parts of a program are known on the host before the device has done
/// anything: sizes and contents of inputs, weights, and what host instructions
/// make of them. Expressions and values are nodes of one graph; a node is ready
/// when all that it depends on is. Linear in the program.
class HostReadiness {
public:
  explicit HostReadiness(const ProgramInfo &info)
      : info(info), numExprs(sizeOf(info.program.exprs())),
        missing(numExprs + info.storage.size()), dependants(missing.size()) {
    for (uint32_t i = 0; i < numExprs; ++i)
      connectExpr(i, *info.program.exprs()->Get(i));
    for (uint32_t v = 0; v < info.storage.size(); ++v)
      connectValue(v);
    countWriters();
    for (uint32_t node = 0; node < missing.size(); ++node)
      if (missing[node] == 0)
        reached.push_back(node);
    propagate();
  }

  /// Whether `instruction` runs on the host on ready operands; its results are
  /// then ready for those behind it.
  bool admit(const fmt::Instruction &instruction) {
    if (instruction.kind() != fmt::InstructionKind::run ||
        !isReadyExpr(instruction.predicate()))
      return false;
    for (const fmt::Variant *variant : *instruction.variants())
      if (!isReadyVariant(*variant))
        return false;
    forEachResult(instruction, [&](uint32_t value) { make(value); });
    propagate();
    return true;
  }

private:
  uint32_t exprNode(int32_t expr) const { return static_cast<uint32_t>(expr); }
  uint32_t valueNode(int64_t value) const {
    return numExprs + static_cast<uint32_t>(value);
  }

  void connect(uint32_t node, uint32_t dependency) {
    dependants[dependency].push_back(node);
    ++missing[node];
  }

  void connectExpr(uint32_t id, const fmt::ExprNode &node) {
    switch (node.op()) {
    case fmt::ExprOp::constant:
    case fmt::ExprOp::input_dim:
    case fmt::ExprOp::param:
      return;
    case fmt::ExprOp::element:
    case fmt::ExprOp::result_dim:
      return connect(id, valueNode(node.a()));
    case fmt::ExprOp::iteration:
      ++missing[id]; // never: loops are not run before the device
      return;
    case fmt::ExprOp::select:
      connect(id, exprNode(node.c()));
      [[fallthrough]];
    default:
      connect(id, exprNode(node.a()));
      connect(id, exprNode(node.b()));
    }
  }

  void connectValue(uint32_t value) {
    const fmt::ValueDef *def = info.program.values()->Get(value);
    uint32_t node = valueNode(value);
    switch (info.storage[value]) {
    case Storage::input:
    case Storage::weight:
      return;
    case Storage::view:
      if (def->kind() == fmt::ValueKind::alias) {
        connect(node, valueNode(def->alias_of()));
        if (def->alias_offset() >= 0)
          connect(node, exprNode(def->alias_offset()));
      } else {
        connect(node, exprNode(def->phi_condition()));
        connect(node, valueNode(def->phi_then()));
        connect(node, valueNode(def->phi_else()));
      }
      return;
    default:
      break; // ready when all that may write it has run: see countWriters()
    }
  }

  /// A value that no instruction makes is never ready.
  void countWriters() {
    std::vector<uint32_t> writers(info.storage.size(), 0);
    for (uint32_t i = 0; i < sizeOf(info.program.instructions()); ++i)
      forEachResult(*info.program.instructions()->Get(i),
                    [&](uint32_t value) { ++writers[value]; });
    for (uint32_t v = 0; v < writers.size(); ++v)
      if (isMade(v))
        missing[valueNode(v)] = std::max(writers[v], 1u);
  }

  /// Whether a value comes from instructions, not from outside or another value.
  bool isMade(uint32_t value) const {
    return info.storage[value] != Storage::input &&
           info.storage[value] != Storage::weight && !info.isView(value);
  }

  /// Each result of each variant; counting one twice is harmless, as all of them
  /// are counted back.
  template <typename Visit>
  void forEachResult(const fmt::Instruction &instruction, Visit &&visit) const {
    for (uint32_t v = 0; v < sizeOf(instruction.variants()); ++v) {
      const fmt::Variant *variant = instruction.variants()->Get(v);
      uint32_t count = sizeOf(variant->bindings());
      for (uint32_t i = count - variant->result_count(); i < count; ++i)
        visit(variant->bindings()->Get(i)->value());
    }
  }

  void make(uint32_t value) {
    uint32_t node = valueNode(value);
    if (isMade(value) && --missing[node] == 0)
      reached.push_back(node);
  }

  void propagate() {
    while (!reached.empty()) {
      uint32_t node = reached.back();
      reached.pop_back();
      for (uint32_t dependant : dependants[node])
        if (--missing[dependant] == 0)
          reached.push_back(dependant);
    }
  }

  bool isReadyExpr(int32_t expr) const {
    return expr < 0 || missing[exprNode(expr)] == 0;
  }

  bool isReadyVariant(const fmt::Variant &variant) const {
    if (variant.engine() != fmt::Engine::host || !isReadyExpr(variant.guard()))
      return false;
    uint32_t count = sizeOf(variant.bindings());
    for (uint32_t i = 0; i < count - variant.result_count(); ++i) {
      uint32_t value = variant.bindings()->Get(i)->value();
      if (value != fmt::absentOperand && missing[valueNode(value)] != 0)
        return false;
    }
    return true;
  }

  const ProgramInfo &info;
  uint32_t numExprs;
  std::vector<uint32_t> missing; // per node: dependencies that are not ready
  std::vector<std::vector<uint32_t>> dependants;
  std::vector<uint32_t> reached; // ready, not yet propagated
};

} // namespace

ProgramInfo::ProgramInfo(const fmt::Program &program, const fmt::Header &header)
    : program(program), header(header) {
  classifyValues();
  numberTempSlots();
  for (uint32_t i = 0; i < sizeOf(program.exprs()); ++i) {
    fmt::ExprOp op = program.exprs()->Get(i)->op();
    if (op == fmt::ExprOp::element || op == fmt::ExprOp::result_dim)
      runtimeLeaves.push_back(static_cast<int32_t>(i));
  }
  orderInstructions();
  findLoops();
  findDeviceUses();
}

void ProgramInfo::classifyValues() {
  uint32_t count = sizeOf(program.values());
  storage.resize(count, Storage::view);
  storageIndex.resize(count);
  for (uint32_t v = 0; v < count; ++v) {
    const fmt::ValueDef *def = program.values()->Get(v);
    storageIndex[v] = static_cast<uint32_t>(std::max(def->index(), 0));
    switch (def->kind()) {
    case fmt::ValueKind::temp:
      storage[v] = Storage::temp;
      break;
    case fmt::ValueKind::input:
      storage[v] = Storage::input;
      break;
    case fmt::ValueKind::output:
      storage[v] = Storage::output;
      break;
    case fmt::ValueKind::weight:
      storage[v] = Storage::weight;
      break;
    case fmt::ValueKind::state:
      storage[v] = Storage::state;
      break;
    case fmt::ValueKind::faults:
      storage[v] = Storage::faults;
      break;
    default:
      break;
    }
  }
  for (uint32_t s = 0; s < sizeOf(header.states()); ++s) {
    uint32_t input = program.inputs()->Get(header.states()->Get(s)->input());
    uint32_t output = program.outputs()->Get(header.states()->Get(s)->output());
    storage[input] = Storage::state;
    storageIndex[input] = s;
    if (storage[output] == Storage::output) {
      storage[output] = Storage::nextState;
      storageIndex[output] = s;
    }
  }
}

void ProgramInfo::numberTempSlots() {
  tempSlot.resize(storage.size());
  for (uint32_t v = 0; v < storage.size(); ++v)
    if (storage[v] == Storage::temp)
      tempSlot[v] = tempSlots++;
  scratchSlot.resize(sizeOf(program.instructions()));
  for (uint32_t i = 0; i < scratchSlot.size(); ++i) {
    const fmt::Instruction *instruction = program.instructions()->Get(i);
    bool takesScratch = false;
    for (uint32_t k = 0; k < sizeOf(instruction->variants()); ++k)
      takesScratch |= instruction->variants()->Get(k)->scratch_bytes() >= 0;
    if (takesScratch)
      scratchSlot[i] = tempSlots++;
  }
}

void ProgramInfo::orderInstructions() {
  uint32_t count = sizeOf(program.instructions());
  std::vector<uint32_t> later;
  HostReadiness readiness(*this);
  uint32_t depth = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const fmt::Instruction *instruction = program.instructions()->Get(i);
    depth += instruction->kind() == fmt::InstructionKind::loop_begin;
    if (depth == 0 && readiness.admit(*instruction))
      order.push_back(i);
    else
      later.push_back(i);
    if (instruction->kind() == fmt::InstructionKind::loop_end) {
      --depth;
      i += sizeOf(program.loops()->Get(instruction->value())->stacks());
    }
  }
  order.insert(order.end(), later.begin(), later.end());
}

void ProgramInfo::propagateToRoots(std::vector<uint32_t> &perValue) const {
  for (size_t v = perValue.size(); v-- > 0;) {
    const fmt::ValueDef *def = program.values()->Get(static_cast<uint32_t>(v));
    auto raise = [&](int32_t base) {
      perValue[base] = std::max(perValue[base], perValue[v]);
    };
    if (def->kind() == fmt::ValueKind::alias) {
      raise(def->alias_of());
    } else if (def->kind() == fmt::ValueKind::phi) {
      raise(def->phi_then());
      raise(def->phi_else());
    }
  }
}

/// Whether all variants of `instruction` are given `value` on the device.
static bool isInEveryVariant(const fmt::Instruction &instruction, uint32_t value) {
  for (uint32_t v = 0; v < sizeOf(instruction.variants()); ++v) {
    const fmt::Variant *variant = instruction.variants()->Get(v);
    bool isGiven = false;
    for (uint32_t b = 0; b < sizeOf(variant->bindings()) && !isGiven; ++b)
      isGiven = variant->bindings()->Get(b)->value() == value;
    if (!isGiven || variant->engine() == fmt::Engine::host)
      return false;
  }
  return true;
}

void ProgramInfo::findDeviceUses() {
  std::vector<uint32_t> uses(storage.size(), 0), certain(storage.size(), 0);
  for (uint32_t i = 0; i < sizeOf(program.instructions()); ++i) {
    const fmt::Instruction *instruction = program.instructions()->Get(i);
    for (uint32_t v = 0; v < sizeOf(instruction->variants()); ++v) {
      const fmt::Variant *variant = instruction->variants()->Get(v);
      if (variant->engine() == fmt::Engine::host)
        continue;
      for (uint32_t b = 0; b < sizeOf(variant->bindings()); ++b) {
        uint32_t value = variant->bindings()->Get(b)->value();
        if (value == fmt::absentOperand)
          continue;
        uses[value] = 1;
        if (storage[value] == Storage::weight || storage[value] == Storage::view)
          certain[value] |= isInEveryVariant(*instruction, value);
      }
    }
  }
  propagateToRoots(uses);
  propagateToRoots(certain);
  usedOnDevice.assign(uses.begin(), uses.end());
  certainOnDevice.assign(certain.begin(), certain.end());
}

std::vector<std::vector<uint32_t>>
ProgramInfo::valuesEndingAt(std::span<const uint32_t> keep) const {
  // One more than the position of the last use; 0 for none.
  std::vector<uint32_t> lastUse(storage.size(), 0);
  auto positions = static_cast<uint32_t>(order.size());
  auto use = [&](int64_t value, uint32_t position) {
    if (value >= 0 && value != fmt::absentOperand)
      lastUse[value] = std::max(lastUse[value], position + 1);
  };
  for (uint32_t position = 0; position < positions; ++position) {
    const fmt::Instruction *instruction = program.instructions()->Get(order[position]);
    if (instruction->kind() == fmt::InstructionKind::to_host ||
        instruction->kind() == fmt::InstructionKind::to_device)
      use(instruction->value(), position);
    for (uint32_t v = 0; v < sizeOf(instruction->variants()); ++v) {
      const fmt::Variant *variant = instruction->variants()->Get(v);
      for (uint32_t b = 0; b < sizeOf(variant->bindings()); ++b)
        use(variant->bindings()->Get(b)->value(), position);
    }
  }
  for (uint32_t l = 0; l < loops.size(); ++l) {
    const fmt::Loop *loop = program.loops()->Get(l);
    for (uint32_t i = 0; i < sizeOf(loop->entries()); ++i) {
      use(loop->entries()->Get(i), loops[l].begin);
      use(loop->nexts()->Get(i), loops[l].end);
      use(loop->results()->Get(i), loops[l].end);
    }
    for (uint32_t k = 0; k < sizeOf(loop->slices()); ++k) {
      use(loop->slices()->Get(k), loops[l].end);
      use(loop->stacks()->Get(k), loops[l].end);
    }
  }
  for (uint32_t i = 0; i < sizeOf(program.outputs()); ++i)
    use(program.outputs()->Get(i), positions);
  for (int32_t leaf : runtimeLeaves)
    use(program.exprs()->Get(leaf)->a(), positions);
  for (uint32_t value : keep)
    use(value, positions);
  propagateToRoots(lastUse);
  // What is made outside of a loop and used in it is used by every iteration.
  std::vector<int32_t> madeIn = loops.empty() ? std::vector<int32_t>() : loopsOfValues();
  for (uint32_t v = 0; v < madeIn.size(); ++v)
    if (lastUse[v] > 0 && lastUse[v] <= positions)
      for (int32_t loop = loopAround(lastUse[v] - 1); loop >= 0 && loop != madeIn[v];
           loop = loops[loop].parent)
        lastUse[v] = loops[loop].end + 1;

  std::vector<std::vector<uint32_t>> endingAt(positions);
  for (uint32_t v = 0; v < lastUse.size(); ++v)
    if (lastUse[v] > 0 && lastUse[v] <= positions && storage[v] == Storage::temp)
      endingAt[lastUse[v] - 1].push_back(v);
  return endingAt;
}

} // namespace hexin
