//===- Scan.cpp - running sums and positions of extremes, in order along an axis ------===//
//
// One item owns a line (Lines.h) and walks it from one end to the other. What
// feeds the op is computed on the way; what follows it is computed with it.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Lines.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

Type elementType(Value value) { return cast<ShapedType>(value.getType()).getElementType(); }

void emitCumulative(ElementEmitter &emitter, hx::CumulativeOp op) {
  KernelBuilder &k = emitter.kernel();
  Value input = op.getInput();
  Type type = elementType(input);
  size_t axis = op.getAxis();
  Value running; // what the provider gives while the epilogue is written
  emitter.provide(op.getResult(), [&](ArrayRef<Value>, unsigned) { return running; });
  unsigned lanes = std::min(emitter.lanesOf(input), emitter.lanes());
  SmallVector<KExpr> sizes = emitter.sizes(input);
  Value count = k.value(sizes[axis]), last = k.sub(count, k.index(1));

  forEachLine(k, sizes, axis, lanes, [&](MutableArrayRef<Value> at, unsigned width) {
    Value identity = reduceIdentity(k, op.getFn(), type, width);
    k.forLoop(k.index(0), count, k.index(1), {identity}, [&](Value i, ValueRange carried) {
      at[axis] = op.getReverse() ? k.sub(last, i) : i;
      Value next =
          emitReduceStep(k, op.getFn(), carried[0], emitter.emit(input, at, width), type);
      running = op.getExclusive() ? carried[0] : next;
      emitter.store(0, at, emitter.emit(emitter.yielded(), at, width));
      return SmallVector<Value>{next};
    });
  });
}

/// Whether `x`, met after `best`, takes its place.
Value isBetter(KernelBuilder &k, hx::ArgReduceOp op, Value x, Value best, Type type) {
  OpBuilder &b = k.builder();
  bool isMax = op.getFn() == hx::ReduceFn::max;
  auto predicate = op.getLast() ? hx::ComparePredicate::le : hx::ComparePredicate::lt;
  Value better = isMax ? emitCompare(k, predicate, best, x, type)
                       : emitCompare(k, predicate, x, best, type);
  if (!isa<FloatType>(type))
    return better;
  // NaN wins over every number, for min too; a comparison with it is false.
  Value isNaN = arith::CmpFOp::create(b, k.loc(), arith::CmpFPredicate::UNO, x, x);
  if (!op.getLast()) {
    Value wasNumber = arith::CmpFOp::create(b, k.loc(), arith::CmpFPredicate::ORD, best, best);
    isNaN = arith::AndIOp::create(b, k.loc(), isNaN, wasNumber);
  }
  return arith::OrIOp::create(b, k.loc(), better, isNaN);
}

void emitArgReduce(ElementEmitter &emitter, hx::ArgReduceOp op) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Value input = op.getInput();
  Type type = elementType(input), i64 = b.getI64Type();
  size_t axis = op.getAxis();
  Value position;
  emitter.provide(op.getResult(), [&](ArrayRef<Value>, unsigned) { return position; });
  unsigned lanes = std::min(emitter.lanesOf(input), emitter.lanes());
  SmallVector<KExpr> sizes = emitter.sizes(input);
  Value count = k.value(sizes[axis]);

  forEachLine(k, sizes, axis, lanes, [&](MutableArrayRef<Value> at, unsigned width) {
    at[axis] = k.index(0);
    Value first = emitter.emit(input, at, width);
    Value best = k.forLoop(
        k.index(1), count, k.index(1), {first, k.intConstant(0, i64, width)},
        [&](Value i, ValueRange carried) {
          at[axis] = i;
          Value x = emitter.emit(input, at, width);
          Value better = isBetter(k, op, x, carried[0], type);
          Value here = k.splat(arith::IndexCastOp::create(b, k.loc(), i64, i), width);
          return SmallVector<Value>{
              arith::SelectOp::create(b, k.loc(), better, x, carried[0]),
              arith::SelectOp::create(b, k.loc(), better, here, carried[1])};
        })[1];
    position = best;
    SmallVector<Value> resultAt(at.begin(), at.end());
    if (op.getKeepDims())
      resultAt[axis] = k.index(0);
    else
      resultAt.erase(resultAt.begin() + axis);
    emitter.store(0, resultAt, emitter.emit(emitter.yielded(), resultAt, width));
  });
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::CumulativeOp, hx::ArgReduceOp>(heavyOp(group))
             ? ""
             : "no cumulative or arg_reduce";
}

LogicalResult emit(ElementEmitter &emitter) {
  Operation *heavy = heavyOp(emitter.groupOp());
  if (auto cumulative = dyn_cast<hx::CumulativeOp>(heavy))
    emitCumulative(emitter, cumulative);
  else
    emitArgReduce(emitter, cast<hx::ArgReduceOp>(heavy));
  return success();
}

} // namespace

const Schedule scanSchedule = {"scan", refusal, emit};

} // namespace hexin::codegen
