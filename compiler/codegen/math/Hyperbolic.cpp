//===- Hyperbolic.cpp - sinh, cosh, tanh and their inverses ---------------------===//
//
// By expm1 and log1p, which lose nothing near 0. Large arguments of sinh and
// cosh use e^(a/2), whose square reaches the largest finite results.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

#include <limits>

using namespace mlir;

namespace hexin::mathfn {

static constexpr double ln2 = 0.69314718055994531;
static constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Value tanh(MathBuilder &m, Value x) {
  // tanh is 1 to the last bit beyond the clamp.
  Value a = m.clamp(m.abs(x), 0, m.both(10, 20));
  Value e = expm1(m, m.add(a, a));
  return m.copySign(m.div(e, m.add(e, m.constant(2))), x);
}

Value sinh(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value big = m.gt(a, m.both(80, 700));
  Value e = expm1(m, m.select(big, m.mul(a, 0.5), a));
  Value w = m.add(e, m.constant(1));
  Value forBig = m.mul(m.mul(w, 0.5), w);
  Value forSmall = m.mul(m.add(e, m.div(e, w)), 0.5);
  return m.copySign(m.select(big, forBig, forSmall), x);
}

Value cosh(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value big = m.gt(a, m.both(80, 700));
  Value e = exp(m, m.select(big, m.mul(a, 0.5), a));
  Value half = m.mul(e, 0.5);
  return m.select(big, m.mul(half, e), m.add(half, m.div(m.constant(0.5), e)));
}

Value asinh(MathBuilder &m, Value x) {
  // Beyond `huge`, asinh(a) = ln(2a) and log1p(a) = ln(a).
  double huge = m.both(0x1p24, 0x1p53);
  Value a = m.abs(x);
  Value isHuge = m.gt(a, huge);
  Value square = m.mul(a, a);
  Value root = m.sqrt(m.add(m.constant(1), square));
  Value middle = m.add(a, m.div(square, m.add(m.constant(1), root)));
  Value y = log1p(m, m.select(isHuge, a, middle));
  return m.copySign(m.add(y, m.select(isHuge, m.constant(ln2), m.constant(0))), x);
}

Value acosh(MathBuilder &m, Value x) {
  Value isHuge = m.gt(x, m.both(0x1p24, 0x1p53));
  Value t = m.sub(x, m.constant(1));
  Value middle = m.add(t, m.sqrt(m.mul(t, m.add(t, m.constant(2)))));
  Value y = log1p(m, m.select(isHuge, x, middle));
  y = m.add(y, m.select(isHuge, m.constant(ln2), m.constant(0)));
  return m.select(m.lt(x, 1), m.constant(nan), y);
}

Value atanh(MathBuilder &m, Value x) {
  // 1/2 ln((1 + a) / (1 - a)); a > 1 gives log1p of less than -1, NaN.
  Value a = m.abs(x);
  Value ratio = m.div(m.add(a, a), m.sub(m.constant(1), a));
  return m.copySign(m.mul(log1p(m, ratio), 0.5), x);
}

} // namespace hexin::mathfn
