#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

#include <cmath>

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Float to an integer type, toward zero: 32/64 bits saturate, narrower take the
/// low bits of the i32; NaN gives 0.
Value floatToInt(Lanes &l, Value x, Type to) {
  Type t = getElementTypeOrSelf(x.getType());
  auto integer = cast<IntegerType>(to);
  unsigned width = std::max(32u, integer.getWidth());
  bool isUnsigned = integer.isUnsigned() && integer.getWidth() >= 32;
  Type wide = IntegerType::get(l.b.getContext(), width);
  double lowest = isUnsigned ? 0.0 : -std::ldexp(1.0, width - 1);
  double limit = std::ldexp(1.0, isUnsigned ? width : width - 1);
  Value isNaN = l.cmpf(arith::CmpFPredicate::UNO, x, x);
  Value isLow = l.cmpf(arith::CmpFPredicate::OLT, x, l.f(lowest, t));
  Value isHigh = l.cmpf(arith::CmpFPredicate::OGE, x, l.f(limit, t));
  Value isSpecial = l.op<arith::OrIOp>(isNaN, l.op<arith::OrIOp>(isLow, isHigh));
  Value safe = l.select(isSpecial, l.f(0, t), x);
  Value converted =
      isUnsigned ? Value(arith::FPToUIOp::create(l.b, l.loc, l.shaped(wide), safe))
                 : Value(arith::FPToSIOp::create(l.b, l.loc, l.shaped(wide), safe));
  int64_t lowBits = isUnsigned ? 0 : width == 64 ? INT64_MIN : INT32_MIN;
  int64_t highBits = isUnsigned ? -1 : width == 64 ? INT64_MAX : INT32_MAX;
  converted = l.select(isLow, l.i(lowBits, wide), converted);
  converted = l.select(isHigh, l.i(highBits, wide), converted);
  if (integer.getWidth() < width)
    converted = arith::TruncIOp::create(
        l.b, l.loc, l.shaped(IntegerType::get(l.b.getContext(), integer.getWidth())),
        converted);
  return converted;
}

} // namespace

Value emitCast(KernelBuilder &k, Value x, Type from, Type to) {
  Lanes l(k, x);
  Type source = computeType(from), result = computeType(to);
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return x;
    if (isa<FloatType>(from))
      return l.cmpf(arith::CmpFPredicate::UNE, x, l.f(0, source));
    return l.cmpi(arith::CmpIPredicate::ne, x, l.i(0, source));
  }
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (fromFloat && toFloat) {
    // Rounding to f16/bf16 happens at the store, once per fused group.
    if (source == result)
      return x;
    if (result.getIntOrFloatBitWidth() > source.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(l.b, l.loc, l.shaped(result), x);
    return arith::TruncFOp::create(l.b, l.loc, l.shaped(result), x);
  }
  if (fromFloat)
    return floatToInt(l, x, to);
  if (toFloat) {
    if (isUnsignedInt(from))
      return arith::UIToFPOp::create(l.b, l.loc, l.shaped(result), x);
    return arith::SIToFPOp::create(l.b, l.loc, l.shaped(result), x);
  }
  unsigned fromBits = source.getIntOrFloatBitWidth(),
           toBits = result.getIntOrFloatBitWidth();
  if (fromBits == toBits)
    return x;
  if (toBits < fromBits)
    return arith::TruncIOp::create(l.b, l.loc, l.shaped(result), x);
  if (isUnsignedInt(from))
    return arith::ExtUIOp::create(l.b, l.loc, l.shaped(result), x);
  return arith::ExtSIOp::create(l.b, l.loc, l.shaped(result), x);
}

} // namespace hexin::codegen
