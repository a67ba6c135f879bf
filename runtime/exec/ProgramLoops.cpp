// ProgramInfo: loops.
#include "runtime/exec/ProgramInfo.h"

#include <algorithm>

namespace hexin {

using fmt::sizeOf;

namespace {

template <typename Visit>
void forEachResult(const fmt::Instruction &instruction, Visit &&visit) {
  for (uint32_t v = 0; v < sizeOf(instruction.variants()); ++v) {
    const fmt::Variant *variant = instruction.variants()->Get(v);
    uint32_t count = sizeOf(variant->bindings());
    for (uint32_t i = count - variant->result_count(); i < count; ++i)
      visit(variant->bindings()->Get(i)->value());
  }
}

} // namespace

/// The innermost loop whose body has `position`.
int32_t ProgramInfo::loopAround(uint32_t position) const {
  int32_t found = -1;
  for (uint32_t l = 0; l < loops.size(); ++l)
    if (loops[l].begin < position && position < loops[l].end &&
        (found < 0 || loops[found].begin < loops[l].begin))
      found = static_cast<int32_t>(l);
  return found;
}

std::vector<int32_t> ProgramInfo::loopsOfValues() const {
  std::vector<int32_t> madeIn(storage.size(), -1);
  std::vector<int32_t> around; // the loops open at a position, innermost last
  for (uint32_t position = 0; position < order.size(); ++position) {
    const fmt::Instruction *instruction = program.instructions()->Get(order[position]);
    if (instruction->kind() == fmt::InstructionKind::loop_begin)
      around.push_back(instruction->value());
    else if (instruction->kind() == fmt::InstructionKind::loop_end)
      around.pop_back();
    else if (!around.empty())
      forEachResult(*instruction, [&](uint32_t value) { madeIn[value] = around.back(); });
  }
  for (uint32_t l = 0; l < loops.size(); ++l) {
    const fmt::Loop *loop = program.loops()->Get(l);
    for (uint32_t i = 0; i < sizeOf(loop->carried()); ++i) {
      madeIn[loop->carried()->Get(i)] = static_cast<int32_t>(l);
      madeIn[loop->results()->Get(i)] = loops[l].parent;
    }
    for (uint32_t k = 0; k < sizeOf(loop->stacks()); ++k)
      madeIn[loop->stacks()->Get(k)] = loops[l].parent;
  }
  // A view is as deep inside as the deepest that it may show.
  for (uint32_t v = 0; v < madeIn.size(); ++v) {
    const fmt::ValueDef *def = program.values()->Get(v);
    auto include = [&](int32_t base) {
      if (base >= 0 && madeIn[base] >= 0 &&
          (madeIn[v] < 0 || loops[madeIn[v]].begin < loops[madeIn[base]].begin))
        madeIn[v] = madeIn[base];
    };
    if (def->kind() == fmt::ValueKind::alias) {
      include(def->alias_of());
    } else if (def->kind() == fmt::ValueKind::phi) {
      include(def->phi_then());
      include(def->phi_else());
    }
  }
  return madeIn;
}

void ProgramInfo::findLoops() {
  loops.resize(sizeOf(program.loops()));
  if (loops.empty())
    return;
  std::vector<int32_t> around;
  for (uint32_t position = 0; position < order.size(); ++position) {
    const fmt::Instruction *instruction = program.instructions()->Get(order[position]);
    if (instruction->kind() == fmt::InstructionKind::loop_begin) {
      LoopInfo &loop = loops[instruction->value()];
      loop.begin = position;
      loop.parent = around.empty() ? -1 : around.back();
      around.push_back(instruction->value());
    } else if (instruction->kind() == fmt::InstructionKind::loop_end) {
      loops[instruction->value()].end = position;
      around.pop_back();
    }
  }
  std::vector<int32_t> madeIn = loopsOfValues();
  for (uint32_t l = 0; l < loops.size(); ++l) {
    auto isInside = [&](int32_t loop) {
      while (loop >= 0 && loop != static_cast<int32_t>(l))
        loop = loops[loop].parent;
      return loop >= 0;
    };
    std::vector<bool> varies(storage.size()), differs(sizeOf(program.exprs()));
    for (uint32_t v = 0; v < storage.size(); ++v) {
      varies[v] = isInside(madeIn[v]);
      if (varies[v] && storage[v] == Storage::temp)
        loops[l].made.push_back(v);
    }
    // Nodes look at values, and views at nodes: until nothing new is found.
    for (bool isChanged = true; isChanged;) {
      isChanged = false;
      for (uint32_t i = 0; i < differs.size(); ++i) {
        const fmt::ExprNode &node = *program.exprs()->Get(i);
        bool now = differs[i];
        switch (node.op()) {
        case fmt::ExprOp::constant:
        case fmt::ExprOp::input_dim:
        case fmt::ExprOp::param:
          continue;
        case fmt::ExprOp::element:
        case fmt::ExprOp::result_dim:
          now = varies[node.a()];
          break;
        case fmt::ExprOp::iteration:
          now = isInside(node.a());
          break;
        case fmt::ExprOp::select:
          now = differs[node.a()] || differs[node.b()] || differs[node.c()];
          break;
        default:
          now = differs[node.a()] || differs[node.b()];
        }
        isChanged |= now != differs[i];
        differs[i] = now;
      }
      for (uint32_t v = 0; v < storage.size(); ++v) {
        const fmt::ValueDef *def = program.values()->Get(v);
        bool now = varies[v];
        if (def->kind() == fmt::ValueKind::alias)
          now = now || varies[def->alias_of()] ||
                (def->alias_offset() >= 0 && differs[def->alias_offset()]);
        else if (def->kind() == fmt::ValueKind::phi)
          now = now || differs[def->phi_condition()] || varies[def->phi_then()] ||
                varies[def->phi_else()];
        isChanged |= now != varies[v];
        varies[v] = now;
      }
    }
    for (uint32_t i = 0; i < differs.size(); ++i)
      if (differs[i])
        loops[l].varying.push_back(static_cast<int32_t>(i));
  }
}

} // namespace hexin
