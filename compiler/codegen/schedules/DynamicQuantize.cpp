//===- DynamicQuantize.cpp - scale and zero point from the tensor's own range -===//
//
// One item: the range, then the quantised elements. The range includes 0 and
// leaves NaN out.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

LogicalResult emit(ElementEmitter &emitter) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Location loc = k.loc();
  auto op = cast<hx::DynamicQuantizeOp>(heavyOp(emitter.groupOp()));
  Type type = elementType(op.getInput()), ui8 = elementType(op.getResult());
  Type f32 = b.getF32Type();
  Value memref = emitter.memrefOf(op.getInput());
  Value count = k.value(k.exprs().product(emitter.sizes(op.getInput())));
  unsigned lanes = k.traits().vectorLanes;
  if (computeType(type).getIntOrFloatBitWidth() > 32)
    lanes = std::max(1u, lanes / 2);
  k.beginItems(k.constantExpr(1));

  auto read = [&](Value i, unsigned width) {
    return emitCast(k, k.load(memref, i, width, type), type, f32);
  };
  // x < low ? x : low leaves NaN out and is one instruction, both ends in one pass.
  auto extend = [&](Value x, Value low, Value high) -> SmallVector<Value> {
    Value isBelow = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, low);
    Value isAbove = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, high);
    return {arith::SelectOp::create(b, loc, isBelow, x, low),
            arith::SelectOp::create(b, loc, isAbove, x, high)};
  };
  auto extendOver = [&](Value from, Value to, unsigned width, ValueRange ends) {
    return k.forLoop(from, to, k.index(width), ends, [&](Value i, ValueRange carried) {
      return extend(read(i, width), carried[0], carried[1]);
    });
  };
  Value whole = k.mul(k.div(count, k.index(lanes)), k.index(lanes));
  Value zeros = k.floatConstant(0, f32, lanes);
  SmallVector<Value> ends = extendOver(k.index(0), whole, lanes, {zeros, zeros});
  ends = extendOver(whole, count, 1,
                    {joinLanes(k, hx::ReduceFn::min, f32, ends[0]),
                     joinLanes(k, hx::ReduceFn::max, f32, ends[1])});
  Value low = ends[0], high = ends[1];

  auto f = [&](double value) { return k.floatConstant(value, f32, 1); };
  auto equal = [&](Value x, Value y) {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  };
  Value range = arith::SubFOp::create(b, loc, high, low);
  Value scale = arith::DivFOp::create(b, loc, range, f(255));
  scale = arith::SelectOp::create(b, loc, equal(scale, f(0)), f(1), scale);
  Value zero =
      arith::SubFOp::create(b, loc, f(0), arith::DivFOp::create(b, loc, low, scale));
  zero = arith::SelectOp::create(b, loc, equal(zero, zero), zero, f(0));
  zero = arith::MinimumFOp::create(b, loc, arith::MaximumFOp::create(b, loc, zero, f(0)),
                                   f(255));
  zero = math::RoundEvenOp::create(b, loc, zero);
  Value zeroPoint = emitCast(k, zero, f32, ui8);

  Value result = emitter.memrefOfResult(0);
  forEachInRow(k, count, lanes, [&](Value i, unsigned width) {
    Value quotient = arith::DivFOp::create(b, loc, read(i, width), k.splat(scale, width));
    Value q = emitQuantize(k, quotient, k.splat(zeroPoint, width), ui8);
    k.store(result, i, q, ui8);
  });
  emitter.store(1, {}, scale);
  emitter.store(2, {}, zeroPoint);
  return success();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::DynamicQuantizeOp>(heavyOp(group)) ? "" : notMine;
}

} // namespace

const Schedule dynamicQuantizeSchedule = {"dynamic-quantize", refusal, emit};

} // namespace hexin::codegen
