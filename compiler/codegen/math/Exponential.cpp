//===- Exponential.cpp - exp, exp2, expm1 ---------------------------------------===//
//
// x = n ln 2 + r with n an integer and |r| <= ln(2)/2; e^x = 2^n e^r, and
// e^r = 1 + r + r^2 q(r). 2^n is applied as two factors, so that results beyond
// the normal range round once, into denormals or to infinity.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

using namespace mlir;

namespace hexin::mathfn {
namespace {

// q(r) = (e^r - 1 - r) / r^2 on |r| <= ln(2)/2: errors 2^-28, 2^-64 of e^r.
const double expF32[] = {0.5, 0.166665182, 0.041666206, 0.00836890191, 0.00139503542};
const double expF64[] = {0.5,
                         0.16666666666666685,
                         0.041666666666666727,
                         0.0083333333333167024,
                         0.0013888888888858855,
                         0.00019841269897135405,
                         2.4801587372939731e-05,
                         2.755723417097836e-06,
                         2.7557234027346135e-07,
                         2.5112260069581884e-08,
                         2.092674226448177e-09};

constexpr double log2E = 1.4426950408889634;

ArrayRef<double> expCoefficients(MathBuilder &m) {
  return m.isF64() ? ArrayRef<double>(expF64) : ArrayRef<double>(expF32);
}

/// e^r - 1 for |r| <= ln(2)/2.
Value expm1Reduced(MathBuilder &m, Value r) {
  return m.fma(m.mul(r, r), m.polynomial(r, expCoefficients(m)), r);
}

/// x - n ln 2. The first part of ln 2 is short: its product with n is exact.
Value reduce(MathBuilder &m, Value x, Value n) {
  Value r = m.fma(n, m.constant(-0.693115234375, -0.69314718055920821), x);
  return m.fma(n, m.constant(-3.19461833e-05, -7.3710025651677989e-13), r);
}

/// value * 2^n for n in the range of exponents, denormals included.
Value scale(MathBuilder &m, Value value, Value n) {
  Value half = m.shrArith(n, 1);
  value = m.mul(value, m.powerOfTwo(half));
  return m.mul(value, m.powerOfTwo(m.subInt(n, half)));
}

/// `value`, or 0 where x is below `least`, of which the result is 0 anyway: to round it
/// to that takes some CPUs a hundred cycles, and a masked softmax is full of such x.
Value zeroBelow(MathBuilder &m, Value x, double least, Value value) {
  return m.select(m.lt(x, least), m.constant(0), value);
}

} // namespace

Value exp(MathBuilder &m, Value x) {
  double least = m.both(-104, -746);
  Value bounded = m.clamp(x, least, m.both(89, 710));
  auto n = m.roundScaled(bounded, log2E);
  Value p = expm1Reduced(m, reduce(m, bounded, n.value));
  return scale(m, zeroBelow(m, x, least, m.add(m.constant(1), p)), n.integer);
}

Value expOfSum(MathBuilder &m, Value high, Value low) {
  // Where high is clamped the result is 0 or infinity, and low may be NaN.
  double least = m.both(-104, -746);
  Value x = m.clamp(high, least, m.both(89, 710));
  Value same = m.compare(arith::CmpFPredicate::OEQ, x, high);
  low = m.select(same, low, m.constant(0));
  auto n = m.roundScaled(x, log2E);
  Value p = expm1Reduced(m, m.add(reduce(m, x, n.value), low));
  return scale(m, zeroBelow(m, high, least, m.add(m.constant(1), p)), n.integer);
}

Value exp2(MathBuilder &m, Value x) {
  double least = m.both(-151, -1076);
  Value bounded = m.clamp(x, least, m.both(129, 1025));
  auto n = m.roundScaled(bounded, 1);
  Value r = m.mul(m.sub(bounded, n.value), 0.69314718055994531);
  Value p = expm1Reduced(m, r);
  return scale(m, zeroBelow(m, x, least, m.add(m.constant(1), p)), n.integer);
}

// 2^n (p + 1) - 1 with p = e^r - 1, as 2 (2^(n-1) p + (2^(n-1) - 1/2)): 2^n alone
// would overflow just below the largest finite result.
Value expm1(MathBuilder &m, Value x) {
  Value bounded = m.clamp(x, m.both(-18, -38), m.both(89, 710));
  auto n = m.roundScaled(bounded, log2E);
  Value p = expm1Reduced(m, reduce(m, bounded, n.value));
  Value halfScale = m.powerOfTwo(m.subInt(n.integer, m.integer(1)));
  Value half = m.fma(halfScale, p, m.sub(halfScale, m.constant(0.5)));
  // Tiny x: itself, which keeps -0 and denormals.
  Value tiny = m.lt(m.abs(x), m.both(0x1p-25, 0x1p-54));
  return m.select(tiny, x, m.add(half, half));
}

} // namespace hexin::mathfn
