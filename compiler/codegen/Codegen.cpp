#include "compiler/codegen/Codegen.h"

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

ArrayRef<Schedule> schedules() {
  static const Schedule ordered[] = {attentionSchedule, packedSchedule,
                                     packSchedule,      rowSchedule,
                                     reduceSchedule,    scanSchedule,
                                     scatterSchedule,   sortSchedule,
                                     compactSchedule,   dynamicQuantizeSchedule,
                                     recurrentSchedule, treesSchedule,
                                     concatSchedule,    interleaveSchedule,
                                     transposeSchedule, mapSchedule};
  return ordered;
}

ArrayRef<Schedule> teamSchedules() {
  static const Schedule ordered[] = {teamAttentionSchedule, tiledSchedule,
                                     teamDepthwiseSchedule, teamRowSchedule,
                                     teamReduceSchedule,    teamArgReduceSchedule,
                                     teamTransposeSchedule};
  return ordered;
}

ArrayRef<GuardedSchedule> guardedSchedules() {
  static const GuardedSchedule ordered[] = {winogradSchedule};
  return ordered;
}

Operation *heavyOp(hx::GroupOp group) {
  // Of attention, which has two products besides.
  for (Operation &op : group.getBody().front().without_terminator())
    if (isa<hx::SoftmaxOp>(op))
      return &op;
  for (Operation &op : group.getBody().front().without_terminator())
    if (isa<hx::ConvOp, hx::MatMulOp, hx::ConvIntegerOp, hx::MatMulIntegerOp,
            hx::MatMulFewBitsOp, hx::ReduceOp, hx::SoftmaxOp, hx::LogSoftmaxOp,
            hx::LayerNormOp, hx::PackOp, hx::CumulativeOp, hx::ArgReduceOp,
            hx::ScatterElementsOp, hx::ScatterNdOp, hx::SortOp, hx::TopKOp,
            hx::CompactFillOp, hx::DynamicQuantizeOp, hx::LstmOp, hx::RecurrenceOp,
            hx::TreeEnsembleOp, hx::ConcatOp>(op))
      return &op;
  return nullptr;
}

bool differs(hx::GroupOp group, const CodegenTraits &traits) {
  Operation *heavy = heavyOp(group);
  if (group.getSchedule() != packedSchedule.name || !heavy)
    return false;
  if (isa<hx::MatMulIntegerOp, hx::ConvIntegerOp>(heavy))
    return traits.wordDots > WordDots::pairs;
  return isa<hx::MatMulOp, hx::ConvOp>(heavy) &&
         elementType(heavy->getOperand(0)).isBF16() &&
         elementType(heavy->getOperand(1)).isBF16() &&
         traits.bfloatDots > BfloatDots::widened;
}

/// Integers and movement: the same bits on every target.
static bool isExact(hx::GroupOp group) {
  bool isInteger = llvm::all_of(group.getResultTypes(), [](Type type) {
    return !isa<FloatType>(cast<ShapedType>(type).getElementType());
  });
  auto moves = [](Operation &op) {
    return isa<hx::TransposeOp, hx::SliceOp, hx::ConcatOp, hx::PadOp, hx::BroadcastToOp,
               hx::GatherOp, hx::GatherElementsOp, hx::GatherNdOp, hx::PackOp,
               hx::SelectOp, hx::ConstantOp, hx::ReshapeOp, hx::BitcastOp>(op);
  };
  Block &body = group.getBody().front();
  return isInteger || llvm::all_of(body.without_terminator(), moves);
}

ScheduleChoice chooseSchedule(hx::GroupOp group, hx::SymbolicShapes &shapes,
                              ArrayRef<std::string> disabled) {
  ScheduleChoice choice;
  for (const Schedule &schedule : schedules()) {
    std::string refusal = schedule.refusal(group, shapes);
    if (refusal == notMine)
      continue;
    if (llvm::is_contained(disabled, schedule.name))
      refusal = "disabled by an option";
    if (refusal.empty()) {
      choice.name = schedule.name;
      break;
    }
    choice.reason +=
        (choice.reason.empty() ? "" : "; ") + schedule.name.str() + ": " + refusal;
  }
  return choice;
}

ScheduleChoice chooseGuardedSchedule(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                     ArrayRef<std::string> disabled) {
  ScheduleChoice choice;
  for (const GuardedSchedule &schedule : guardedSchedules()) {
    std::string refusal = schedule.schedule.refusal(group, shapes);
    if (refusal == notMine)
      continue;
    if (llvm::is_contained(disabled, schedule.schedule.name))
      refusal = "disabled by an option";
    if (refusal.empty()) {
      choice.name = schedule.schedule.name;
      break;
    }
    choice.reason += (choice.reason.empty() ? "" : "; ") + schedule.schedule.name.str() +
                     ": " + refusal;
  }
  return choice;
}

constexpr llvm::StringLiteral guardedScheduleAttr = "hx.guarded_schedule";

StringRef guardedScheduleOf(hx::GroupOp group) {
  auto name = group->getAttrOfType<StringAttr>(guardedScheduleAttr);
  return name ? name.getValue() : StringRef();
}

/// The noted one, which there is.
static const GuardedSchedule &guardedSchedule(hx::GroupOp group) {
  return *llvm::find_if(guardedSchedules(), [&](const GuardedSchedule &each) {
    return each.schedule.name == guardedScheduleOf(group);
  });
}

void setGuardedSchedule(hx::GroupOp group, StringRef name, hx::SymbolicShapes &shapes) {
  group->setAttr(guardedScheduleAttr, StringAttr::get(group.getContext(), name));
  guardedSchedule(group).addInputs(group, shapes);
}

hx::Dim guardOf(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  return guardedSchedule(group).guard(group, shapes);
}

StringRef chooseTeamSchedule(hx::GroupOp group, hx::SymbolicShapes &shapes,
                             ArrayRef<std::string> disabled) {
  for (const Schedule &schedule : teamSchedules())
    if (!llvm::is_contained(disabled, schedule.name) &&
        schedule.refusal(group, shapes).empty())
      return schedule.name;
  return "";
}

static FailureOr<KernelUse> emitBy(ArrayRef<Schedule> known, StringRef scheduleName,
                                   hx::GroupOp group, hx::SymbolicShapes &shapes,
                                   ModuleOp kernels, const CodegenTraits &traits,
                                   StringRef name) {
  const Schedule *schedule = llvm::find_if(
      known, [&](const Schedule &each) { return each.name == scheduleName; });
  KernelBuilder builder(kernels, shapes, traits, UnknownLoc::get(kernels.getContext()),
                        name);
  ElementEmitter emitter(builder, group);
  if (schedule == known.end() || failed(schedule->emit(emitter)) || !emitter.ok())
    return group.emitOpError("has no schedule that can write it");
  if (builder.hasSplitVectors() && schedule->avoidsSplitVectors &&
      traits.vectorLanes > 1) {
    builder.discard();
    CodegenTraits scalars = traits;
    scalars.vectorLanes = 1;
    return emitBy(known, scheduleName, group, shapes, kernels, scalars, name);
  }
  builder.use.isExact = isExact(group);
  float &constant = builder.use.errorConstant; // a schedule may have set a larger one
  constant = builder.use.isExact ? 0 : std::max(constant, schedule->errorConstant);
  return builder.finish();
}

FailureOr<KernelUse> emitKernel(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                ModuleOp kernels, const CodegenTraits &traits,
                                StringRef name) {
  return emitBy(schedules(), group.getSchedule(), group, shapes, kernels, traits, name);
}

FailureOr<KernelUse> emitGuardedKernel(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                       ModuleOp kernels, const CodegenTraits &traits,
                                       StringRef name) {
  const Schedule &schedule = guardedSchedule(group).schedule;
  return emitBy(schedule, schedule.name, group, shapes, kernels, traits, name);
}

FailureOr<KernelUse> emitTeamKernel(hx::GroupOp group, hx::SymbolicShapes &shapes,
                                    ModuleOp kernels, const CodegenTraits &traits,
                                    StringRef name) {
  StringRef schedule = group.getTeamSchedule().value_or("");
  return emitBy(teamSchedules(), schedule, group, shapes, kernels, traits, name);
}

void emitCopy(KernelBuilder &k, Value source, Value target) {
  int64_t block = k.traits().itemPerElement ? 1 : 4096;
  Type type = cast<ShapedType>(source.getType()).getElementType();
  SmallVector<KExpr> sizes;
  for (hx::Dim dim : k.shapes().dims(source))
    sizes.push_back(k.size(dim));
  KExpr count = k.exprs().product(sizes);
  Value from = k.bind(source, count), to = k.bind(target, count, /*isWritten=*/true);
  k.setMisaligned(to);
  Value item = k.beginItems(k.exprs().ceilDiv(count, k.constantExpr(block)));
  Value first = k.mul(item, k.index(block));
  Value size = k.min(k.index(block), k.sub(k.value(count), first));
  unsigned widest = k.traits().itemPerElement ? 1 : k.traits().vectorLanes;
  forEachInRow(k, size, widest, [&](Value i, unsigned lanes) {
    Value at = k.add(first, i);
    k.store(to, at, k.load(from, at, lanes, type), type);
  });
}

void emitContents(KernelBuilder &k, Value value, ArrayRef<hx::Dim> contents) {
  Type type = cast<ShapedType>(value.getType()).getElementType();
  Value memref = k.bind(value, k.constantExpr(contents.size()), /*isWritten=*/true);
  Type i64 = k.builder().getI64Type();
  for (auto [i, dim] : llvm::enumerate(contents)) {
    Value element =
        arith::IndexCastOp::create(k.builder(), k.loc(), i64, k.value(k.scalar(dim)));
    k.store(memref, k.index(i), emitCast(k, element, i64, type), type);
  }
}

} // namespace hexin::codegen
