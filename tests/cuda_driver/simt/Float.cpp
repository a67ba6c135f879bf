//===- Float.cpp - float formats of a GPU, exactly -----------------------------------===//
#include "tests/cuda_driver/simt/Float.h"

using namespace standin;

uint64_t standin::packFloat(Format format, bool negative, uint64_t mantissa, int exponent,
                            Rounding rounding) {
  const int bias = (1 << (format.exponentBits - 1)) - 1;
  const uint64_t infinity = uint64_t((1 << format.exponentBits) - 1)
                            << format.mantissaBits;
  const uint64_t sign = uint64_t(negative) << (format.mantissaBits + format.exponentBits);
  if (mantissa == 0)
    return sign;

  // Shift to format.mantissaBits + 1 digits, fewer where the result is subnormal.
  int digits = 64 - std::countl_zero(mantissa);
  int lowest = 1 - bias - format.mantissaBits; // exponent of the last digit, at least
  int last = exponent + digits - 1 - format.mantissaBits;
  if (last < lowest)
    last = lowest;
  int shift = last - exponent;
  uint64_t kept = 0, half = 0; // half: 0 exact, 1 below a half, 2 a half, 3 above
  if (shift <= 0) {
    kept = mantissa << -shift;
  } else if (shift > 64) {
    half = 1;
  } else {
    kept = shift == 64 ? 0 : mantissa >> shift;
    uint64_t middle = uint64_t(1) << (shift - 1);
    uint64_t rest = mantissa & (middle | (middle - 1));
    half = rest == 0 ? 0 : rest < middle ? 1 : rest == middle ? 2 : 3;
  }
  bool away = false;
  switch (rounding) {
  case Rounding::Nearest:
    away = half == 3 || (half == 2 && (kept & 1));
    break;
  case Rounding::NearestAway:
    away = half >= 2;
    break;
  case Rounding::Zero:
    break;
  case Rounding::Down:
    away = half && negative;
    break;
  case Rounding::Up:
    away = half && !negative;
    break;
  }
  kept += away;
  // With the implicit digit the exponent counts one more, which the addition yields.
  uint64_t bits = kept;
  if (kept >> format.mantissaBits)
    bits += uint64_t(last - lowest) << format.mantissaBits;
  bool isTooLarge = last - lowest >= (1 << format.exponentBits) || bits >= infinity;
  if (isTooLarge) {
    bool staysFinite = rounding == Rounding::Zero ||
                       (rounding == Rounding::Down && !negative) ||
                       (rounding == Rounding::Up && negative);
    bits = staysFinite ? infinity - 1 : infinity;
  }
  return sign | bits;
}

uint64_t standin::packFloat(Format format, double value, Rounding rounding) {
  uint64_t bits = std::bit_cast<uint64_t>(value);
  bool negative = bits >> 63;
  uint64_t mantissa = bits & ((uint64_t(1) << 52) - 1);
  int exponent = int(bits >> 52 & 0x7ff);
  uint64_t allOnes = (uint64_t(1) << (format.mantissaBits + format.exponentBits)) - 1;
  if (exponent == 0x7ff) {
    uint64_t infinity = allOnes >> format.mantissaBits << format.mantissaBits;
    uint64_t sign = uint64_t(negative) << (format.mantissaBits + format.exponentBits);
    return mantissa ? allOnes : sign | infinity;
  }
  if (exponent)
    mantissa |= uint64_t(1) << 52;
  else
    exponent = 1;
  return packFloat(format, negative, mantissa, exponent - 1075, rounding);
}

double standin::fmaToOdd(double a, double b, double c) {
  // The product of two halfs is exact; the sum's error tells whether it was.
  double product = a * b;
  double sum = product + c;
  if (!std::isfinite(sum))
    return sum;
  double part = sum - product;
  double error = (product - (sum - part)) + (c - part);
  uint64_t bits = std::bit_cast<uint64_t>(sum);
  if (error == 0 || (bits & 1))
    return sum;
  // One step towards where the exact sum lies makes the last digit odd.
  bool isAway = (error > 0) == (sum > 0);
  return std::bit_cast<double>(isAway ? bits + 1 : bits - 1);
}
