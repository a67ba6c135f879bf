//===- ProgramControl.cpp - branches and loops of a program ----------------------===//

#include "compiler/artifact/ProgramEmitter.h"
#include "compiler/codegen/Codegen.h"
#include "compiler/ir/AttributeConversion.h"

using namespace mlir;

namespace hexin {

Status ProgramEmitter::addIf(hx::IfOp op) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dim condition = shapes.contents(op.getCondition())->front();
  int32_t choice = exprs.add(condition);
  if (choice < 0)
    return internalError("the condition of '" + nodeNames(op.getLoc()) +
                         "' hangs on a value that is not kept");
  SmallVector<uint32_t> onTrue, onFalse;
  HEXIN_RETURN_IF_ERROR(addBranch(op.getThenRegion(), condition, op, onTrue));
  HEXIN_RETURN_IF_ERROR(
      addBranch(op.getElseRegion(), table.eq(condition, table.constant(0)), op, onFalse));
  unsigned next = 0;
  for (Value result : op.getResults()) {
    if (result.use_empty())
      continue;
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addValue(result, fmt::ValueKind::phi, -1));
    program->values[id]->phi_condition = choice;
    program->values[id]->phi_then = static_cast<int32_t>(onTrue[next]);
    program->values[id]->phi_else = static_cast<int32_t>(onFalse[next]);
    ids[result] = id;
    ++next;
  }
  return bringToHost(op);
}

Status ProgramEmitter::addBranch(Region &region, hx::Dim condition, hx::IfOp op,
                                 SmallVector<uint32_t> &chosen) {
  hx::SymbolTable &table = shapes.symbols();
  hx::Dim outer = predicate;
  // Not a product: where the outer branch is not taken the condition may have no value.
  predicate = outer ? table.select(outer, condition, table.constant(0)) : condition;
  size_t numKept = materialized.size();
  for (Operation &inner : region.front().without_terminator())
    HEXIN_RETURN_IF_ERROR(addOp(&inner));
  auto yield = cast<hx::YieldOp>(region.front().getTerminator());
  for (auto [result, value] : llvm::zip(op.getResults(), yield.getValues())) {
    if (result.use_empty())
      continue;
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
    chosen.push_back(id);
  }
  // What was written for readers in here is not there for others.
  while (materialized.size() > numKept)
    ids.erase(materialized.pop_back_val());
  predicate = outer;
  return Status::success();
}

Status ProgramEmitter::addLoop(hx::LoopOp op) {
  auto loop = std::make_unique<fmt::LoopT>();
  auto number = static_cast<uint32_t>(program->loops.size());
  program->loops.push_back(std::make_unique<fmt::LoopT>());
  Block &body = op.getBody().front();
  size_t numCarried = op.getCarried().size();
  std::string node = nodeNames(op.getLoc());
  auto drives = [&](Value value, int32_t &expr) {
    expr = exprs.add(shapes.contents(value)->front());
    if (expr >= 0)
      return Status::success();
    return internalError("the condition or trip count of '" + node +
                         "' hangs on a value that is not kept");
  };
  if (op.getTripCount())
    HEXIN_RETURN_IF_ERROR(drives(op.getTripCount(), loop->trip_count));
  if (op.getCondition())
    HEXIN_RETURN_IF_ERROR(drives(op.getCondition(), loop->condition));
  for (Value carried : op.getCarried()) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(carried));
    loop->entries.push_back(id);
  }
  exprs.addLoop(body.getArgument(0), number);
  HEXIN_RETURN_IF_ERROR(addLoopMark(fmt::InstructionKind::loop_begin, number, node));
  for (BlockArgument argument : body.getArguments().drop_front()) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addLoopValue(argument));
    loop->carried.push_back(id);
    if (readBack.contains(argument))
      HEXIN_RETURN_IF_ERROR(addTransfer(fmt::InstructionKind::to_host, id, node));
  }
  size_t numKept = materialized.size();
  for (Operation &inner : body.without_terminator())
    HEXIN_RETURN_IF_ERROR(addOp(&inner));
  ValueRange yielded = cast<hx::YieldOp>(body.getTerminator()).getValues();
  if (!op.getIgnoreCondition())
    HEXIN_RETURN_IF_ERROR(drives(yielded.front(), loop->again));
  for (Value value : yielded.drop_front()) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, operandValue(value));
    (loop->nexts.size() < numCarried ? loop->nexts : loop->slices).push_back(id);
  }
  HEXIN_RETURN_IF_ERROR(addLoopMark(fmt::InstructionKind::loop_end, number, node));
  for (Value result : op.getResults()) {
    HEXIN_ASSIGN_OR_RETURN(uint32_t id, addLoopValue(result));
    (loop->results.size() < numCarried ? loop->results : loop->stacks).push_back(id);
  }
  for (size_t k = numCarried; k < op.getNumResults(); ++k)
    HEXIN_RETURN_IF_ERROR(addStacking(yielded[k + 1], op.getResult(k), node));
  while (materialized.size() > numKept)
    ids.erase(materialized.pop_back_val());
  program->loops[number] = std::move(loop);
  return bringToHost(op);
}

Status ProgramEmitter::addLoopMark(fmt::InstructionKind kind, uint32_t loop,
                                   const std::string &node) {
  // Not taken is decided at the beginning.
  hx::Dim outer = std::exchange(
      predicate, kind == fmt::InstructionKind::loop_begin ? predicate : hx::Dim());
  Status added = addTransfer(kind, loop, node);
  predicate = outer;
  return added;
}

Result<uint32_t> ProgramEmitter::addLoopValue(Value value) {
  auto def = std::make_unique<fmt::ValueDefT>();
  def->kind = fmt::ValueKind::temp;
  def->residency =
      readBack.contains(value) ? fmt::Residency::both : fmt::Residency::device;
  HEXIN_RETURN_IF_ERROR(setType(value.getType(), *def));
  def->name = nodeNames(value.getLoc());
  uint32_t id = program->values.size();
  for (size_t axis = 0; axis < shapes.dims(value).size(); ++axis)
    def->dims.push_back(exprs.sizeOfValue(id, axis));
  program->values.push_back(std::move(def));
  ids[value] = id;
  return id;
}

Status ProgramEmitter::addStacking(Value slice, Value stack, const std::string &node) {
  auto emit = [&](ModuleOp kernels, const CodegenTraits &traits, StringRef name) {
    codegen::KernelBuilder k(kernels, shapes, traits, slice.getLoc(), name);
    codegen::emitCopy(k, slice, stack);
    k.use.isExact = true;
    return FailureOr<codegen::KernelUse>(k.finish());
  };
  HEXIN_ASSIGN_OR_RETURN(codegen::KernelUse use, emitForArchs(node, emit));
  hx::Dim outer = std::exchange(predicate, hx::Dim());
  Status added = addLaunch(use, "stack", node, "");
  predicate = outer;
  return added;
}

} // namespace hexin
