//===- DynamicQuantize.cpp - scale and zero point from the tensor's own range ---------===//
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

Type elementType(Value value) { return cast<ShapedType>(value.getType()).getElementType(); }

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
  auto fold = [&](hx::ReduceFn fn) {
    return foldRow(k, fn, f32, count, lanes, k.floatConstant(0, f32, 1),
                   [&](Value i, unsigned width) -> Value {
                     Value x = read(i, width);
                     Value isNumber = arith::CmpFOp::create(
                         b, loc, arith::CmpFPredicate::ORD, x, x);
                     return arith::SelectOp::create(b, loc, isNumber, x,
                                                    k.floatConstant(0, f32, width));
                   });
  };
  Value low = fold(hx::ReduceFn::min), high = fold(hx::ReduceFn::max);

  auto f = [&](double value) { return k.floatConstant(value, f32, 1); };
  auto equal = [&](Value x, Value y) {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, x, y);
  };
  Value range = arith::SubFOp::create(b, loc, high, low);
  Value scale = arith::DivFOp::create(b, loc, range, f(255));
  scale = arith::SelectOp::create(b, loc, equal(scale, f(0)), f(1), scale);
  Value zero = arith::SubFOp::create(b, loc, f(0), arith::DivFOp::create(b, loc, low, scale));
  zero = arith::SelectOp::create(b, loc, equal(zero, zero), zero, f(0));
  zero = arith::MinimumFOp::create(b, loc, arith::MaximumFOp::create(b, loc, zero, f(0)), f(255));
  zero = math::RoundEvenOp::create(b, loc, zero);
  Value zeroPoint = emitCast(k, zero, f32, ui8);

  Value result = emitter.memrefOfResult(0);
  forEachInRow(k, count, lanes, [&](Value i, unsigned width) {
    Value q = emitQuantize(k, read(i, width), k.splat(scale, width), k.splat(zeroPoint, width), ui8);
    k.store(result, i, q, ui8);
  });
  emitter.store(1, {}, scale);
  emitter.store(2, {}, zeroPoint);
  return success();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::DynamicQuantizeOp>(heavyOp(group)) ? "" : "no dynamic_quantize";
}

} // namespace

const Schedule dynamicQuantizeSchedule = {"dynamic-quantize", refusal, emit};

} // namespace hexin::codegen
