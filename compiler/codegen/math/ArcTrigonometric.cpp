//===- ArcTrigonometric.cpp - asin, acos, atan, atan2 ------------------------------===//
#include "compiler/codegen/math/Functions.h"

#include <limits>

using namespace mlir;

namespace hexin::mathfn {
namespace {

// atan t = t + t^3 p(t^2) on |t| <= tan(pi/8); errors 2^-30, 2^-69.
const double atanF32[] = {-0.333333164, 0.199984863, -0.142437935, 0.105956182,
                          -0.0608253293};
const double atanF64[] = {
    -0.33333333333333331,  0.19999999999999887,   -0.14285714285695711,
    0.11111111109585833,   -0.09090909016916493,  0.076923053807591055,
    -0.066666177330580015, 0.058816298769894866,  -0.052555914573769957,
    0.047057455926860454,  -0.040555862291142095, 0.02962102159375617,
    -0.012988459675721436};
// asin t = t + t^3 p(t^2) on |t| <= 1/2; errors 2^-31, 2^-59.
const double asinF32[] = {0.166666597,  0.0750051141, 0.0445155725,
                          0.0318188593, 0.0143976854, 0.0375725217};
const double asinF64[] = {
    0.16666666666666763,   0.074999999999701417, 0.044642857175226633,
    0.030381942678648424,  0.022372215801541188, 0.017351597488301361,
    0.01398099377848174,   0.01139750071666173,  0.010788138188737341,
    0.0036766991919755803, 0.021779598306228831, -0.021101038121682618,
    0.03269234912687586};

// pi/2 as high + low.
Value halfPi(MathBuilder &m) { return m.constant(1.57079637, 1.5707963267948966); }
double halfPiLow(MathBuilder &m) {
  return m.both(-4.37113883e-08, 6.123233995736766e-17);
}

/// atan(numerator / denominator), both >= 0 and not both 0 or infinite. Above
/// tan(pi/8) the argument is turned by pi/4, above tan(3 pi/8) by pi/2.
Value atanOfRatio(MathBuilder &m, Value numerator, Value denominator) {
  auto gt = arith::CmpFPredicate::OGT;
  Value big = m.compare(gt, numerator, m.mul(denominator, 2.4142135623730951));
  Value middle = m.compare(gt, numerator, m.mul(denominator, 0.41421356237309503));
  Value top = m.select(middle, m.sub(numerator, denominator), numerator);
  Value bottom = m.select(middle, m.add(numerator, denominator), denominator);
  top = m.select(big, m.neg(denominator), top);
  bottom = m.select(big, numerator, bottom);
  Value t = m.div(top, bottom);
  Value square = m.mul(t, t);
  Value p = m.polynomial(square, m.isF64() ? ArrayRef<double>(atanF64)
                                           : ArrayRef<double>(atanF32));
  Value turns =
      m.select(big, m.constant(1), m.select(middle, m.constant(0.5), m.constant(0)));
  Value low = m.fma(turns, m.constant(halfPiLow(m)), m.mul(m.mul(t, square), p));
  return m.fma(turns, halfPi(m), m.add(t, low));
}

struct ArcSine {
  Value isBig; ///< |x| > 1/2
  Value root;  ///< x, or s = sqrt((1 - |x|) / 2) where big
  Value rest;  ///< asin(root) = root + rest
};
ArcSine arcSine(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value isBig = m.gt(a, 0.5);
  Value z = m.select(isBig, m.mul(m.sub(m.constant(1), a), 0.5), m.mul(x, x));
  Value root = m.select(isBig, m.sqrt(z), x);
  Value p =
      m.polynomial(z, m.isF64() ? ArrayRef<double>(asinF64) : ArrayRef<double>(asinF32));
  return {isBig, root, m.mul(m.mul(root, z), p)};
}

} // namespace

Value asin(MathBuilder &m, Value x) {
  ArcSine d = arcSine(m, x);
  // Big: pi/2 - 2 asin(s).
  Value twice = m.add(d.root, m.sub(d.rest, m.constant(halfPiLow(m) / 2)));
  Value forBig = m.fma(twice, m.constant(-2), halfPi(m));
  Value result = m.select(d.isBig, m.copySign(forBig, x), m.add(d.root, d.rest));
  return m.select(m.eq(x, 0), x, result);
}

Value acos(MathBuilder &m, Value x) {
  ArcSine d = arcSine(m, x);
  Value low = m.constant(halfPiLow(m));
  // |x| <= 1/2: pi/2 - asin(x). x > 1/2: 2 asin(s). x < -1/2: pi - 2 asin(s).
  Value forSmall = m.sub(halfPi(m), m.sub(d.root, m.sub(low, d.rest)));
  Value forBig = m.mul(m.add(d.root, d.rest), 2);
  Value fromPi = m.mul(m.sub(halfPi(m), m.sub(d.root, m.sub(low, d.rest))), 2);
  return m.select(d.isBig, m.select(m.lt(x, 0), fromPi, forBig), forSmall);
}

Value atan(MathBuilder &m, Value x) {
  Value result = m.copySign(atanOfRatio(m, m.abs(x), m.constant(1)), x);
  return m.select(m.eq(x, 0), x, result);
}

Value atan2(MathBuilder &m, Value y, Value x) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  Value top = m.abs(y);
  Value bottom = m.abs(x);
  // 0/0 counts as 0/1, inf/inf as 1/1.
  Value bothInf = m.logicalAnd(m.eq(top, inf), m.eq(bottom, inf));
  Value bothZero = m.logicalAnd(m.eq(top, 0), m.eq(bottom, 0));
  top = m.select(bothInf, m.constant(1), top);
  bottom = m.select(m.logicalOr(bothInf, bothZero), m.constant(1), bottom);
  // An exponent range apart would overflow the thresholds: scale both down.
  Value large = m.logicalOr(m.gt(top, m.both(0x1p125, 0x1p1021)),
                            m.gt(bottom, m.both(0x1p125, 0x1p1021)));
  Value scale = m.select(large, m.constant(0x1p-4), m.constant(1));
  Value angle = atanOfRatio(m, m.mul(top, scale), m.mul(bottom, scale));
  // The sign bit counts: x = -0 lies on the left.
  Value isLeft = m.lt(m.copySign(m.constant(1), x), 0);
  Value mirrored =
      m.sub(halfPi(m), m.sub(m.sub(angle, m.constant(2 * halfPiLow(m))), halfPi(m)));
  Value result = m.copySign(m.select(isLeft, mirrored, angle), y);
  Value anyNan = m.compare(arith::CmpFPredicate::UNO, x, y);
  return m.select(anyNan, m.constant(std::numeric_limits<double>::quiet_NaN()), result);
}

} // namespace hexin::mathfn
