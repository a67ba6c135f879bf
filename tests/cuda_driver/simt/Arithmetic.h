//===- Arithmetic.h - what the arithmetic of all float types shares -------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_ARITHMETIC_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_ARITHMETIC_H

#include "tests/cuda_driver/simt/Decoder.h"
#include "tests/cuda_driver/simt/Float.h"

#include <cmath>

namespace standin {

struct FloatModifiers {
  bool ftz = false, sat = false, propagatesNan = false, xorSign = false;
};

/// For f16, f16x2, bf16 and bf16x2; null where there is no such instruction.
Handler halfHandler(Decoder &decoder, Type type, const FloatModifiers &modifiers);

/// -0 < +0. One NaN gives the other operand, unless NaNs propagate. xorSign compares
/// magnitudes and gives the result the product's sign.
template <bool propagatesNan, bool xorSign, class T> T minimum(T a, T b) {
  bool negative = std::signbit(a) != std::signbit(b);
  if (xorSign)
    a = std::fabs(a), b = std::fabs(b);
  T value = a < b || (a == b && std::signbit(a)) ? a : b;
  if (a != a || b != b)
    value = propagatesNan || (a != a && b != b) ? T(NAN) : a != a ? b : a;
  else if (xorSign && negative)
    value = -value;
  return value;
}
template <bool propagatesNan, bool xorSign, class T> T maximum(T a, T b) {
  bool negative = std::signbit(a) != std::signbit(b);
  if (xorSign)
    a = std::fabs(a), b = std::fabs(b);
  T value = a > b || (a == b && !std::signbit(a)) ? a : b;
  if (a != a || b != b)
    value = propagatesNan || (a != a && b != b) ? T(NAN) : a != a ? b : a;
  else if (xorSign && negative)
    value = -value;
  return value;
}

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_ARITHMETIC_H
