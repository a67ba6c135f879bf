//===- Power.cpp - pow and cbrt ----------------------------------------------------===//
//
// x^y = e^(y ln x). An error of ln x grows with y ln x (up to 89 or 710), so
// ln x is computed as an unevaluated sum high + low of about 1.5 times the
// precision: with s = f / (2 + f), ln(1 + f) = 2s + s^3 (2/3 + s^2 t(s^2)), where
// everything but t is kept as such a sum.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

#include <limits>

using namespace mlir;

namespace hexin::mathfn {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// t(z): 2 atanh(s) = 2s + s^3 (2/3 + z t(z)), z = s^2; errors 2^-35, 2^-72 of 2s.
const double tailF32[] = {0.400001526, 0.285471112, 0.234190822};
const double tailF64[] = {0.3999999999999998,  0.28571428571445123, 0.22222222217534462,
                          0.18181818870521529, 0.15384556858854168, 0.13336317827784611,
                          0.11674811148953973, 0.11989068118156442};

/// high + low, |low| at most a rounding error of high.
struct Sum {
  Value high;
  Value low;
};

Sum product(MathBuilder &m, Sum x, Sum y) {
  Value p = m.mul(x.high, y.high);
  Value e = m.exactFma(x.high, y.high, m.neg(p));
  return {p, m.fma(x.high, y.low, m.fma(x.low, y.high, e))};
}

/// x + y + low for |x| >= |y| or x = 0.
Sum orderedSum(MathBuilder &m, Value x, Value y, Value low) {
  Value s = m.add(x, y);
  return {s, m.add(m.add(m.sub(x, s), y), low)};
}

/// f / (2 + f).
Sum quotient(MathBuilder &m, Value f) {
  Value d = m.add(f, m.constant(2));
  Value dLow = m.sub(f, m.sub(d, m.constant(2)));
  Value inverse = m.div(m.constant(1), d);
  Value s = m.mul(f, inverse);
  Value minusS = m.neg(s);
  Value rest = m.fma(minusS, dLow, m.exactFma(minusS, d, f));
  return {s, m.mul(rest, inverse)};
}

/// ln x for positive finite x.
Sum preciseLog(MathBuilder &m, Value x) {
  Decomposed parts = decompose(m, x);
  Sum s = quotient(m, parts.fraction);
  Sum z = product(m, s, s);
  Value tail = m.polynomial(z.high, m.isF64() ? ArrayRef<double>(tailF64)
                                              : ArrayRef<double>(tailF32));
  Value tailRest =
      m.fma(z.high, tail, m.constant(-1.98682155e-08, 3.7007434154171883e-17));
  Sum w = orderedSum(m, m.constant(0.666666687, 0.66666666666666663), tailRest,
                     m.constant(0));
  Sum cubic = product(m, s, product(m, z, w));
  Value twiceLow = m.add(s.low, s.low);
  Sum mantissa =
      orderedSum(m, m.add(s.high, s.high), cubic.high, m.add(twiceLow, cubic.low));
  Value k = parts.exponent;
  Value kHigh = m.mul(k, m.both(0.693115234375, 0.69314718055920821));
  Value low = m.fma(k, m.constant(3.19461833e-05, 7.3710025651677989e-13), mantissa.low);
  Sum total = orderedSum(m, kHigh, mantissa.high, low);
  return orderedSum(m, total.high, total.low, m.constant(0));
}

Value andNot(MathBuilder &m, Value x, Value notY) {
  Value yes = arith::ConstantOp::create(m.builder(), m.location(),
                                        m.builder().getOneAttr(notY.getType()));
  return m.logicalAnd(x, m.xorInt(notY, yes));
}

} // namespace

Value pow(MathBuilder &m, Value x, Value y) {
  Value one = m.constant(1);
  Value a = m.abs(x);
  Sum ln = preciseLog(m, a);
  Sum product_ = product(m, ln, {y, m.constant(0)});
  Value result = expOfSum(m, product_.high, product_.low);

  Value isZero = m.eq(a, 0);
  Value edge = m.logicalOr(isZero, m.eq(a, inf));
  Value grows = m.compare(arith::CmpFPredicate::ONE, y, m.constant(0));
  // 0^y and inf^y: y's sign against the side a is on.
  Value positive = m.gt(y, 0);
  Value isSmall = m.logicalAnd(grows, arith::CmpIOp::create(m.builder(), m.location(),
                                                            arith::CmpIPredicate::eq,
                                                            isZero, positive));
  result = m.select(edge, m.select(isSmall, m.constant(0), m.constant(inf)), result);
  // (+-1)^(+-inf) = 1.
  result = m.select(m.logicalAnd(m.eq(a, 1), m.eq(m.abs(y), inf)), one, result);

  auto equal = arith::CmpFPredicate::OEQ;
  Value yIsInteger = m.compare(equal, m.trunc(y), y);
  Value half = m.mul(y, 0.5);
  Value isOdd = andNot(m, yIsInteger, m.compare(equal, m.trunc(half), half));
  result = m.select(isOdd, m.copySign(result, x), result);
  Value isRootOfNegative = andNot(m, m.logicalAnd(m.lt(x, 0), m.gt(x, -inf)), yIsInteger);
  result = m.select(isRootOfNegative, m.constant(nan), result);

  Value anyNan = m.compare(arith::CmpFPredicate::UNO, x, y);
  result = m.select(anyNan, m.constant(nan), result);
  return m.select(m.logicalOr(m.eq(y, 0), m.eq(x, 1)), one, result);
}

Value cbrt(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Sum third = {m.constant(0.333333343, 0.33333333333333331),
               m.constant(-9.93410776e-09, 1.8503717077085941e-17)};
  Sum y = product(m, preciseLog(m, a), third);
  Value root = m.copySign(expOfSum(m, y.high, y.low), x);
  // 0, infinities and NaN are their own roots.
  Value ordinary = m.logicalAnd(m.gt(a, 0), m.lt(a, inf));
  return m.select(ordinary, root, x);
}

} // namespace hexin::mathfn
