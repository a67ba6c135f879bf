#include "compiler/codegen/scalars/NarrowFloats.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;

namespace hexin::codegen {
namespace {

/// A sign bit, an exponent, a mantissa. Codes are without the sign.
struct Format {
  int mantissaBits, bias;
  int64_t largest;  ///< code of the largest finite value
  int64_t overflow; ///< code of what does not fit
  int64_t nan;
  int64_t sign;
  bool isFnuz; ///< NaN takes the place of -0
};

Format formatOf(Type type) {
  if (isa<Float8E4M3FNUZType>(type))
    return {3, 8, 0x7F, 0x80, 0x80, 0x80, true};
  if (isa<Float8E5M2Type>(type))
    return {2, 15, 0x7B, 0x7C, 0x7E, 0x80, false};
  if (isa<Float8E5M2FNUZType>(type))
    return {2, 16, 0x7F, 0x80, 0x80, 0x80, true};
  if (isa<Float4E2M1FNType>(type))
    return {1, 1, 0x7, 0x7, 0x0, 0x8, false};
  return {3, 7, 0x7E, 0x7F, 0x7F, 0x80, false}; // f8E4M3FN
}

/// Integer arithmetic on the bits of an f32.
struct Bits {
  Lanes &l;
  Type i32 = l.b.getI32Type(), f32 = l.b.getF32Type();

  Value c(int64_t value) { return l.i(value, i32); }
  Value add(Value x, Value y) { return l.op<arith::AddIOp>(x, y); }
  Value sub(Value x, Value y) { return l.op<arith::SubIOp>(x, y); }
  Value bitAnd(Value x, int64_t mask) { return l.op<arith::AndIOp>(x, c(mask)); }
  Value bitOr(Value x, Value y) { return l.op<arith::OrIOp>(x, y); }
  Value left(Value x, int64_t count) { return l.op<arith::ShLIOp>(x, c(count)); }
  Value right(Value x, int64_t count) { return l.op<arith::ShRUIOp>(x, c(count)); }
  Value is(Value x, int64_t value) {
    return l.cmpi(arith::CmpIPredicate::eq, x, c(value));
  }
  Value isAbove(Value x, int64_t value) {
    return l.cmpi(arith::CmpIPredicate::ugt, x, c(value));
  }
  Value ofFloat(Value x) { return cast<arith::BitcastOp>(i32, x); }
  Value toFloat(Value x) { return cast<arith::BitcastOp>(f32, x); }
  Value toByte(Value x) { return cast<arith::TruncIOp>(l.b.getI8Type(), x); }
  template <typename OpT> Value cast(Type type, Value x) {
    return OpT::create(l.b, l.loc, l.shaped(type), x);
  }
};

constexpr int64_t infinity = 0x7F800000, quietNaN = 0x7FC00000;

/// An f64 as an f32 that still rounds right to fewer bits: what is cut off leaves its
/// mark in the lowest bit.
Value roundedToOdd(Bits &m, Value x) {
  Lanes &l = m.l;
  Type f64 = l.b.getF64Type();
  Value narrow = m.cast<arith::TruncFOp>(m.f32, x);
  Value back = m.cast<arith::ExtFOp>(f64, narrow);
  Value isInexact = l.cmpf(arith::CmpFPredicate::ONE, back, x);
  Value isAway =
      l.cmpf(arith::CmpFPredicate::OGT, l.op<math::AbsFOp>(back), l.op<math::AbsFOp>(x));
  Value bits = m.ofFloat(narrow);
  bits = m.sub(bits, m.cast<arith::ExtUIOp>(m.i32, isAway));
  bits = m.bitOr(bits, m.cast<arith::ExtUIOp>(m.i32, isInexact));
  return m.toFloat(bits);
}

/// e8m0: 2^(code - 127), 255 is NaN; no sign, no zero.
Value encodeScale(Bits &m, Value magnitude, CastRounding rounding) {
  Lanes &l = m.l;
  Value exponent = m.right(magnitude, 23), mantissa = m.bitAnd(magnitude, 0x7FFFFF);
  // Below 2^-126 the leading bit stands in the mantissa.
  Value isTiny = m.is(exponent, 0);
  Value fraction = l.select(isTiny, m.sub(mantissa, m.c(0x400000)), mantissa);
  Value half = l.select(isTiny, m.c(0x200000), m.c(0x400000));
  Value isUp;
  if (rounding.scale == "up")
    isUp = l.cmpi(arith::CmpIPredicate::sgt, fraction, m.c(0));
  else if (rounding.scale == "down")
    isUp = l.i(0, l.b.getI1Type());
  else
    isUp = l.cmpi(arith::CmpIPredicate::sge, fraction, half);
  Value code = m.add(exponent, m.cast<arith::ExtUIOp>(m.i32, isUp));
  code = l.select(m.isAbove(code, 254), m.c(rounding.saturates ? 254 : 255), code);
  return m.toByte(l.select(m.isAbove(magnitude, infinity), m.c(255), code));
}

} // namespace

Value decodeNarrow(Lanes &l, Value stored, Type from) {
  Bits m{l};
  Value bits = m.cast<arith::ExtUIOp>(m.i32, stored);
  if (isa<Float8E8M0FNUType>(from)) {
    Value value = l.select(m.is(bits, 0), m.c(0x400000), m.left(bits, 23));
    return m.toFloat(l.select(m.is(bits, 255), m.c(quietNaN), value));
  }
  Format f = formatOf(from);
  Value code = m.bitAnd(bits, f.sign - 1);
  int signShift = f.sign == 0x80 ? 24 : 28;
  Value sign = m.left(m.bitAnd(bits, f.sign), signShift);
  // Move the fields into place and mend the bias; subnormals are multiples of the
  // smallest.
  Value normal =
      m.add(m.left(code, 23 - f.mantissaBits), m.c(int64_t(127 - f.bias) << 23));
  Value small =
      l.op<arith::MulFOp>(m.cast<arith::SIToFPOp>(m.f32, code),
                          l.f(std::ldexp(1.0, 1 - f.bias - f.mantissaBits), m.f32));
  Value isSmall =
      l.cmpi(arith::CmpIPredicate::ult, code, m.c(int64_t(1) << f.mantissaBits));
  Value value = l.select(isSmall, m.ofFloat(small), normal);
  if (f.isFnuz)
    return m.toFloat(l.select(m.is(bits, f.nan), m.c(quietNaN), m.bitOr(value, sign)));
  if (f.largest < f.sign - 1) {
    bool hasInfinity = f.overflow != f.nan;
    Value special = m.c(quietNaN);
    if (hasInfinity)
      special = l.select(m.is(code, f.overflow), m.c(infinity), special);
    value = l.select(m.isAbove(code, f.largest), special, value);
  }
  return m.toFloat(m.bitOr(value, sign));
}

Value encodeNarrow(Lanes &l, Value x, Type to, CastRounding rounding) {
  Bits m{l};
  if (getElementTypeOrSelf(x.getType()).isF64())
    x = roundedToOdd(m, x);
  Value bits = m.ofFloat(x);
  Value magnitude = m.bitAnd(bits, 0x7FFFFFFF);
  if (isa<Float8E8M0FNUType>(to))
    return encodeScale(m, magnitude, rounding);
  Format f = formatOf(to);
  int shift = 23 - f.mantissaBits;
  int64_t smallestNormal = int64_t(127 - f.bias + 1) << 23;
  // To nearest, ties to even: add half, less one where the kept part is even.
  Value odd = m.bitAnd(m.right(magnitude, shift), 1);
  Value rounded =
      m.right(m.add(magnitude, m.add(odd, m.c((int64_t(1) << (shift - 1)) - 1))), shift);
  Value normal = m.sub(rounded, m.c(int64_t(127 - f.bias) << f.mantissaBits));
  Value isSmall = l.cmpi(arith::CmpIPredicate::ult, magnitude, m.c(smallestNormal));
  Value scaled =
      l.op<arith::MulFOp>(m.toFloat(l.select(isSmall, magnitude, m.c(0))),
                          l.f(std::ldexp(1.0, f.bias - 1 + f.mantissaBits), m.f32));
  Value small = m.cast<arith::FPToSIOp>(m.i32, l.op<math::RoundEvenOp>(scaled));
  Value code = l.select(isSmall, small, normal);
  Value isTooLarge = l.cmpi(arith::CmpIPredicate::sgt, code, m.c(f.largest));
  code = l.select(isTooLarge, m.c(rounding.saturates ? f.largest : f.overflow), code);
  code = l.select(m.isAbove(magnitude, infinity), m.c(f.nan), code);
  Value signBit = m.right(bits, 31);
  int signShift = f.sign == 0x80 ? 7 : 3;
  Value withSign = m.bitOr(code, m.left(signBit, signShift));
  if (f.isFnuz) {
    Value isPlain = l.op<arith::OrIOp>(m.is(code, 0), m.is(code, f.nan));
    withSign = l.select(isPlain, code, withSign);
  }
  return m.toByte(withSign);
}

} // namespace hexin::codegen
