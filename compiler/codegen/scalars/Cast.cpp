#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"
#include "compiler/codegen/scalars/NarrowFloats.h"

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

bool isNarrowFloat(Type type) {
  return isa<FloatType>(type) && type.getIntOrFloatBitWidth() <= 8;
}

/// Whether it is an integer below a byte; the byte's low bits hold it.
bool isNarrowInt(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && integer.getWidth() > 1 && integer.getWidth() < 8;
}

/// The low bits of a byte, extended.
Value wrapped(Lanes &l, Value byte, IntegerType type) {
  Type i8 = l.b.getI8Type();
  if (type.isUnsigned())
    return l.op<arith::AndIOp>(byte, l.i((1 << type.getWidth()) - 1, i8));
  Value unused = l.i(8 - type.getWidth(), i8);
  return l.op<arith::ShRSIOp>(l.op<arith::ShLIOp>(byte, unused), unused);
}

/// `x`, f32 or f64, as f16 or bf16 has it, in f32. Arithmetic of a group may keep more
/// digits than its types have; a cast asks for the rounding.
Value rounded(Lanes &l, Value x, Type to) {
  Value narrow = arith::TruncFOp::create(l.b, l.loc, l.shaped(to), x);
  return arith::ExtFOp::create(l.b, l.loc, l.shaped(l.b.getF32Type()), narrow);
}

} // namespace

Value emitCast(KernelBuilder &k, Value x, Type from, Type to, CastRounding rounding) {
  if (from == to)
    return x;
  Lanes l(k, x);
  OpBuilder &b = l.b;
  if (isNarrowFloat(from))
    return emitCast(k, decodeNarrow(l, x, from), b.getF32Type(), to, rounding);
  if (isNarrowInt(from)) { // callers' bytes may hold anything above the low bits
    x = wrapped(l, x, cast<IntegerType>(from));
    from = from.isUnsignedInteger() ? b.getIntegerType(8, false) : b.getI8Type();
  }
  if (isNarrowFloat(to)) {
    bool isWide = isa<IntegerType>(from) && from.getIntOrFloatBitWidth() >= 32;
    Type wide = from.isF64() || isWide ? Type(b.getF64Type()) : Type(b.getF32Type());
    return encodeNarrow(l, emitCast(k, x, from, wide), to, rounding);
  }
  if (isNarrowInt(to))
    return wrapped(l, emitCast(k, x, from, b.getI8Type()), cast<IntegerType>(to));
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
    if (isa<Float16Type, BFloat16Type>(to))
      return rounded(l, x, to);
    if (source == result)
      return x;
    if (result.getIntOrFloatBitWidth() > source.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(l.b, l.loc, l.shaped(result), x);
    return arith::TruncFOp::create(l.b, l.loc, l.shaped(result), x);
  }
  if (fromFloat)
    return floatToInt(l, x, to);
  if (toFloat) {
    Value converted =
        isUnsignedInt(from)
            ? Value(arith::UIToFPOp::create(l.b, l.loc, l.shaped(result), x))
            : Value(arith::SIToFPOp::create(l.b, l.loc, l.shaped(result), x));
    return to == result ? converted : rounded(l, converted, to);
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
