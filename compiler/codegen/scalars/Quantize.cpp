#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace hexin::codegen {

Value emitQuantize(KernelBuilder &k, Value quotient, Value zeroPoint, Type to,
                   bool saturates) {
  Lanes l(k, quotient);
  Type t = getElementTypeOrSelf(quotient.getType());
  if (isa<FloatType>(to)) {
    if (zeroPoint)
      quotient = l.op<arith::AddFOp>(quotient, emitCast(k, zeroPoint, to, t));
    return emitCast(k, quotient, t, to, {saturates});
  }
  auto integer = cast<IntegerType>(to);
  unsigned width = integer.getWidth();
  bool isUnsigned = integer.isUnsigned();
  double lowest = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
  double highest = std::ldexp(1.0, isUnsigned ? width : width - 1) - 1;
  Value rounded = l.op<math::RoundEvenOp>(quotient);
  if (zeroPoint)
    rounded = l.op<arith::AddFOp>(rounded, emitCast(k, zeroPoint, to, t));
  // NaN gives the type's minimum: compare so that it fails.
  Value isAbove = l.cmpf(arith::CmpFPredicate::OGT, rounded, l.f(lowest, t));
  Value clamped = l.select(isAbove, rounded, l.f(lowest, t));
  clamped = l.op<arith::MinimumFOp>(clamped, l.f(highest, t));
  Type i32 = l.b.getI32Type();
  Value converted = arith::FPToSIOp::create(l.b, l.loc, l.shaped(i32), clamped);
  if (width < 32)
    converted = arith::TruncIOp::create(l.b, l.loc, l.shaped(computeType(to)), converted);
  return converted;
}

Value emitDequantize(KernelBuilder &k, Value x, Value scale, Value zeroPoint, Type from,
                     Type to) {
  Lanes l(k, x);
  if (isa<FloatType>(from)) {
    Type wide = computeType(to);
    Value value = emitCast(k, x, from, wide);
    if (zeroPoint)
      value = l.op<arith::SubFOp>(value, emitCast(k, zeroPoint, from, wide));
    return l.op<arith::MulFOp>(value, scale);
  }
  Type i32 = l.b.getI32Type();
  Value wide = emitCast(k, x, from, i32);
  if (zeroPoint)
    wide = l.op<arith::SubIOp>(wide, emitCast(k, zeroPoint, from, i32));
  Value converted = arith::SIToFPOp::create(l.b, l.loc, l.shaped(computeType(to)), wide);
  return l.op<arith::MulFOp>(converted, scale);
}

} // namespace hexin::codegen
