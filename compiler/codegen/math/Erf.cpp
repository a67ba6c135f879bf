//===- Erf.cpp - the error function -------------------------------------------------===//
//
// |x| < 1: x + x e(x^2). Above: 1 - exp(-x^2 - h(|x|)), h = -ln(erfc(x) e^(x^2)), a
// smooth function; its error counts only as far as erfc does, which shrinks faster
// than the exponent grows.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

using namespace mlir;

namespace hexin::mathfn {
namespace {

// e(z) = erf(sqrt(z)) / sqrt(z) - 1 on [0, 1]; errors 2^-29, 2^-62.
const double smallF32[] = {0.128379166,   -0.37612626,     0.112836003,   -0.0268544424,
                           0.00518953241, -0.000802081719, 7.88903853e-05};
const double smallF64[] = {
    0.12837916709551259,     -0.37612638903183748,   0.11283791670954885,
    -0.026866170645077864,   0.0052239776248283239,  -0.0008548326981419901,
    0.00012055331132765986,  -1.492559576796119e-05, 1.6461008415037728e-06,
    -1.6350395604523194e-07, 1.4660324849949999e-08, -1.1374941770337123e-09,
    5.9606632595357322e-11};
// h on [1, 4] in |x| - 2.5, and on [1, 6] in (|x| - 3.5) / 2.5; absolute errors of
// erf 2^-35, 2^-66.
const double largeF32[] = {1.55681527,      0.352680624,    -0.0561081581,
                           0.0108535057,    -0.00216650846, 0.000430928369,
                           -6.18105987e-05, 2.1687898e-05};
const double largeF64[] = {
    1.862437402148188,       0.66524897091299706,     -0.20779340786825473,
    0.081650909630556351,    -0.034128411248747298,   0.014384551227906104,
    -0.005953683418397122,   0.0023740382269971634,   -0.00089370786203993313,
    0.0003069400271488864,   -9.2612304418133768e-05, 1.887988306280903e-05,
    1.0102591678009434e-05,  1.3207963601394006e-05,  1.6284809507785252e-05,
    -1.4764939385847893e-05, -4.065259126093472e-05,  -4.871603887662076e-05,
    -3.1710724550557762e-05, -1.1968980429810613e-05, -2.0456848793425846e-06};

} // namespace

Value erf(MathBuilder &m, Value x) {
  bool f64 = m.isF64();
  Value a = m.abs(x);
  Value e = m.polynomial(m.mul(x, x),
                         f64 ? ArrayRef<double>(smallF64) : ArrayRef<double>(smallF32));
  Value small = m.fma(x, e, x);
  Value bounded = m.clamp(a, 1, m.both(4, 6));
  Value t = m.sub(bounded, m.constant(2.5, 3.5));
  if (f64)
    t = m.mul(t, 0.4);
  Value h =
      m.polynomial(t, f64 ? ArrayRef<double>(largeF64) : ArrayRef<double>(largeF32));
  Value exponent = m.fma(bounded, bounded, h);
  Value large = m.sub(m.constant(1), exp(m, m.neg(exponent)));
  return m.select(m.lt(a, 1), small, m.copySign(large, x));
}

} // namespace hexin::mathfn
