//===- Logarithm.cpp - log, log2, log10, log1p -----------------------------------===//
//
// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); ln x = k ln 2 + f + y(f),
// where f is exact and y, the small rest of ln(1 + f), carries the error.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

#include <limits>

using namespace mlir;

namespace hexin::mathfn {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// f32: ln(1 + f) = f - f^2/2 + f^3 p(f), error 2^-30 of f.
const double logF32[] = {0.333333105,  -0.249999866, 0.200022265,
                         -0.166692421, 0.142186418,  -0.123844758,
                         0.118732095,  -0.117891558, 0.0691408515};
// f64: ln(1 + f) = 2 atanh(s), s = f / (2 + f); 2 atanh(s) = 2s + s^3 p(s^2),
// error 2^-65.
const double atanhF64[] = {0.66666666666666663, 0.40000000000006247, 0.28571428569085372,
                           0.22222222646855211, 0.18181775661854579, 0.15387090884419546,
                           0.13250115843064886, 0.13251345810493034};

/// ln(1 + f) - f.
Value logRest(MathBuilder &m, Value f) {
  Value square = m.mul(f, f);
  if (!m.isF64())
    return m.mul(square, m.fma(f, m.polynomial(f, logF32), m.constant(-0.5)));
  Value s = m.div(f, m.add(f, m.constant(2)));
  Value z = m.mul(s, s);
  Value half = m.mul(square, 0.5);
  Value tail = m.fma(z, m.polynomial(z, atanhF64), half);
  return m.sub(m.mul(s, tail), half);
}

/// Puts the values of ln at 0, below 0, at infinity and NaN over `result`.
Value withSpecialCases(MathBuilder &m, Value x, Value result) {
  result = m.select(m.lt(x, inf), result, x);
  result = m.select(m.lt(x, 0), m.constant(nan), result);
  return m.select(m.eq(x, 0), m.constant(-inf), result);
}

/// k ln 2 + f + (y + low).
Value combine(MathBuilder &m, const Decomposed &d, Value low) {
  Value k = d.exponent;
  Value rest = m.add(logRest(m, d.fraction), low);
  rest = m.fma(k, m.constant(3.19461833e-05, 7.3710025651677989e-13), rest);
  return m.fma(k, m.constant(0.693115234375, 0.69314718055920821),
               m.add(d.fraction, rest));
}

struct Sum {
  Value high;
  Value low;
};
/// ln(1 + f) times a constant given in two parts.
Sum scaledLog(MathBuilder &m, Value f, double high, double low) {
  Value y = logRest(m, f);
  Value u = m.add(f, y);
  Value uLow = m.add(m.sub(f, u), y);
  Value p = m.mul(u, high);
  Value e = m.exactFma(u, m.constant(high), m.neg(p));
  return {p, m.fma(u, m.constant(low), m.fma(uLow, m.constant(high), e))};
}

} // namespace

Decomposed decompose(MathBuilder &m, Value x) {
  unsigned mantissaBits = m.isF64() ? 52 : 23;
  double scaling = m.both(0x1p25, 0x1p54);
  Value small = m.lt(x, m.both(0x1p-126, 0x1p-1022));
  Value normal = m.select(small, m.mul(x, scaling), x);
  Value bits = m.toBits(normal);
  // Subtracting the bits of sqrt(1/2) makes the exponent step there.
  Value k =
      m.shrArith(m.subInt(bits, m.toBits(m.constant(0.70710678118654752))), mantissaBits);
  Value mantissa = m.fromBits(m.subInt(bits, m.shl(k, mantissaBits)));
  Value shift = m.select(small, m.integer(m.isF64() ? 54 : 25), m.integer(0));
  return {m.toFloat(m.subInt(k, shift)), m.sub(mantissa, m.constant(1))};
}

Value log(MathBuilder &m, Value x) {
  return withSpecialCases(m, x, combine(m, decompose(m, x), m.constant(0)));
}

Value log2(MathBuilder &m, Value x) {
  Decomposed d = decompose(m, x);
  Sum p = scaledLog(m, d.fraction, m.both(1.44269502, 1.4426950408889634),
                    m.both(1.92596303e-08, 2.0355273740931033e-17));
  Value sum = m.add(d.exponent, p.high);
  Value lost = m.add(m.sub(d.exponent, sum), p.high);
  return withSpecialCases(m, x, m.add(sum, m.add(lost, p.low)));
}

Value log10(MathBuilder &m, Value x) {
  Decomposed d = decompose(m, x);
  Sum p = scaledLog(m, d.fraction, m.both(0.434294492, 0.43429448190325182),
                    m.both(-1.010305e-08, 1.0983196502167651e-17));
  Value k = m.mul(d.exponent, m.both(0.301025390625, 0.30102999566361177));
  Value low =
      m.fma(d.exponent, m.constant(4.60503907e-06, 3.6942390771589308e-13), p.low);
  Value sum = m.add(k, p.high);
  Value lost = m.add(m.sub(k, sum), p.high);
  return withSpecialCases(m, x, m.add(sum, m.add(lost, low)));
}

// ln(u) + e/u, where u = fl(1 + x) and e is what that rounding lost.
Value log1p(MathBuilder &m, Value x) {
  Value one = m.constant(1);
  Value u = m.add(one, x);
  Value added = m.sub(u, one);
  Value error = m.add(m.sub(one, m.sub(u, added)), m.sub(x, added));
  Value result = combine(m, decompose(m, u), m.div(error, u));
  result = withSpecialCases(m, u, result);
  // Tiny x: itself, which keeps -0 and denormals.
  Value tiny = m.lt(m.abs(x), m.both(0x1p-25, 0x1p-54));
  return m.select(tiny, x, result);
}

} // namespace hexin::mathfn
