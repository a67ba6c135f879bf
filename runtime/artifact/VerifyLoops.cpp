#include "runtime/artifact/ProgramVerifier.h"

namespace hexin::verify {

namespace {

constexpr size_t maxLoopDepth = 64;

} // namespace

Status ProgramVerifier::verifyLoops() {
  HEXIN_RETURN_IF_ERROR(budget.charge(program.loops()));
  inLoop.resize(sizeOf(program.values()));
  for (uint32_t i = 0; i < sizeOf(program.loops()); ++i)
    HEXIN_RETURN_IF_ERROR(verifyLoop(*program.loops()->Get(i), at("loop", i)));
  return verifyNesting();
}

Status ProgramVerifier::verifyLoop(const fmt::Loop &loop, const std::string &where) {
  if (!isExprOrNone(loop.trip_count()) || !isExprOrNone(loop.condition()) ||
      !isExprOrNone(loop.again()))
    return corruptData(where + ": a count or condition is no expression");
  const auto *entries = loop.entries();
  uint32_t numCarried = sizeOf(entries);
  for (const auto *values : {entries, loop.carried(), loop.nexts(), loop.results()})
    HEXIN_RETURN_IF_ERROR(verifyLoopValues(values, numCarried, entries, 0, where));
  const auto *slices = loop.slices();
  HEXIN_RETURN_IF_ERROR(verifyLoopValues(slices, sizeOf(slices), nullptr, 0, where));
  for (uint32_t k = 0; k < sizeOf(slices); ++k)
    if (!holdsNumbers(slices->Get(k)))
      return corruptData(where + " stacks values that are no tensors of numbers");
  return verifyLoopValues(loop.stacks(), sizeOf(slices), slices, 1, where);
}

Status ProgramVerifier::verifyLoopValues(const flatbuffers::Vector<uint32_t> *values,
                                         uint32_t count,
                                         const flatbuffers::Vector<uint32_t> *model,
                                         uint32_t extraAxes, const std::string &where) {
  HEXIN_RETURN_IF_ERROR(budget.charge(values));
  if (sizeOf(values) != count)
    return corruptData(where + " has " + std::to_string(sizeOf(values)) +
                       " values where there must be " + std::to_string(count));
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t id = values->Get(i);
    if (!isValue(id) || program.values()->Get(id)->kind() != fmt::ValueKind::temp ||
        inLoop[id])
      return corruptData(where + ": value " + std::to_string(id) +
                         " is no temporary, or a loop has it already");
    inLoop[id] = true;
    const fmt::ValueDef *value = program.values()->Get(id);
    const fmt::ValueDef *like =
        model ? program.values()->Get(model->Get(i)) : program.values()->Get(id);
    if (value->dtype() != like->dtype() || value->holds() != like->holds() ||
        sizeOf(value->dims()) != sizeOf(like->dims()) + (model ? extraAxes : 0))
      return corruptData(where + ": value " + std::to_string(id) +
                         " differs in element type or rank from what it gets");
  }
  return Status::success();
}

/// Each loop begins and ends once, around or beside others, and is followed by what
/// fills its stacks.
Status ProgramVerifier::verifyNesting() {
  std::vector<uint32_t> open;
  std::vector<bool> hasBegun(sizeOf(program.loops()));
  uint32_t numEnded = 0;
  for (uint32_t i = 0; i < sizeOf(program.instructions()); ++i) {
    const fmt::Instruction *instruction = program.instructions()->Get(i);
    auto loop = static_cast<uint32_t>(instruction->value());
    auto bad = [&](const char *why) { return corruptData(at("instruction", i) + why); };
    if (instruction->kind() == fmt::InstructionKind::loop_begin) {
      if (hasBegun[loop] || open.size() == maxLoopDepth)
        return bad(" begins a loop again, or too deep inside of others");
      hasBegun[loop] = true;
      open.push_back(loop);
    } else if (instruction->kind() == fmt::InstructionKind::loop_end) {
      if (open.empty() || open.back() != loop)
        return bad(" ends another loop than the one that it is in");
      open.pop_back();
      ++numEnded;
      uint32_t numStacks = sizeOf(program.loops()->Get(loop)->stacks());
      if (numStacks > sizeOf(program.instructions()) - 1 - i)
        return bad(" is not followed by what fills its stacks");
      for (uint32_t k = 1; k <= numStacks; ++k)
        if (program.instructions()->Get(i + k)->kind() != fmt::InstructionKind::run)
          return bad(" is not followed by what fills its stacks");
      i += numStacks;
    }
  }
  if (numEnded != sizeOf(program.loops()))
    return corruptData("a loop does not begin and end");
  return Status::success();
}

} // namespace hexin::verify
