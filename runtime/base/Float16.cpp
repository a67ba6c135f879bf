#include "runtime/base/Float16.h"

#include <cmath>
#include <limits>

namespace hexin {
namespace {

/// A sign bit, an exponent, a mantissa. Codes below are without the sign.
struct FloatFormat {
  int mantissaBits;
  int bias;
  uint32_t largest;  ///< code of the largest finite value
  uint32_t overflow; ///< code of what does not fit
  uint32_t nan;      ///< code of NaN
  uint32_t sign;     ///< the sign bit
  bool isFnuz;       ///< NaN takes the place of -0
};

constexpr FloatFormat f16Format{10, 15, 0x7BFF, 0x7C00, 0x7E00, 0x8000, false};
constexpr FloatFormat bf16Format{7, 127, 0x7F7F, 0x7F80, 0x7FC0, 0x8000, false};

FloatFormat narrowFormat(DType dtype) {
  switch (dtype) {
  case DType::f8e4m3fnuz:
    return {3, 8, 0x7F, 0x80, 0x80, 0x80, true};
  case DType::f8e5m2:
    return {2, 15, 0x7B, 0x7C, 0x7E, 0x80, false};
  case DType::f8e5m2fnuz:
    return {2, 16, 0x7F, 0x80, 0x80, 0x80, true};
  case DType::f4e2m1:
    return {1, 1, 0x7, 0x7, 0x0, 0x8, false};
  default: // f8e4m3fn
    return {3, 7, 0x7E, 0x7F, 0x7F, 0x80, false};
  }
}

/// Code of |value| (finite), rounded to nearest even; may exceed `largest`.
uint32_t roundMagnitude(double value, const FloatFormat &format) {
  uint64_t bits = std::bit_cast<uint64_t>(value) & ~(uint64_t(1) << 63);
  int exponent = int(bits >> 52) - 1023;
  if (exponent == -1023) // zero, or far below every subnormal here
    return 0;
  uint64_t mantissa = (bits & ((uint64_t(1) << 52) - 1)) | (uint64_t(1) << 52);
  int lowest = 1 - format.bias;
  int shift = 52 - format.mantissaBits + (exponent < lowest ? lowest - exponent : 0);
  if (shift > 53) // below half of the smallest subnormal
    return 0;
  uint64_t quotient = mantissa >> shift;
  uint64_t rest = mantissa & ((uint64_t(1) << shift) - 1);
  uint64_t half = uint64_t(1) << (shift - 1);
  if (rest > half || (rest == half && (quotient & 1)))
    ++quotient;
  if (exponent < lowest)
    return uint32_t(quotient);
  // The quotient's leading one adds 1 to the exponent field.
  return (uint32_t(exponent - lowest) << format.mantissaBits) + uint32_t(quotient);
}

uint32_t encode(double value, const FloatFormat &format, bool saturate) {
  uint32_t sign = std::signbit(value) ? format.sign : 0;
  uint32_t code;
  if (std::isnan(value)) {
    code = format.nan;
  } else if (std::isinf(value)) {
    code = saturate ? format.largest : format.overflow;
  } else {
    code = roundMagnitude(value, format);
    if (code > format.largest)
      code = saturate ? format.largest : format.overflow;
  }
  if (format.isFnuz && (code == 0 || code == format.nan))
    return code;
  return code | sign;
}

float decode(uint32_t bits, const FloatFormat &format) {
  uint32_t code = bits & (format.sign - 1);
  bool isNegative = bits & format.sign;
  float value;
  if (format.isFnuz && bits == format.nan)
    return std::numeric_limits<float>::quiet_NaN();
  if (code > format.largest) {
    value = code == format.overflow && format.overflow != format.nan
                ? std::numeric_limits<float>::infinity()
                : std::numeric_limits<float>::quiet_NaN();
  } else {
    uint32_t one = 1u << format.mantissaBits;
    uint32_t mantissa = code & (one - 1);
    int exponent = int(code >> format.mantissaBits);
    value = exponent == 0
                ? std::ldexp(float(mantissa), 1 - format.bias - format.mantissaBits)
                : std::ldexp(float(mantissa + one),
                             exponent - format.bias - format.mantissaBits);
  }
  return isNegative ? -value : value;
}

/// The code is a biased exponent: 2^(code - 127); 255 is NaN.
uint8_t encodeScale(double value, bool saturate, ScaleRounding rounding) {
  if (std::isnan(value))
    return 0xFF;
  value = std::fabs(value);
  if (value == 0)
    return 0;
  int code = 255;
  if (!std::isinf(value)) {
    int exponent;
    double fraction = std::frexp(value, &exponent) * 2; // [1, 2)
    bool isUp = rounding == ScaleRounding::up        ? fraction > 1
                : rounding == ScaleRounding::nearest ? fraction >= 1.5
                                                     : false;
    code = exponent - 1 + 127 + isUp;
  }
  if (code > 254)
    return saturate ? 254 : 0xFF;
  return code < 0 ? 0 : uint8_t(code);
}

} // namespace

float f16ToF32(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t magnitude = bits & 0x7FFF;
  if (magnitude >= 0x7C00) // infinity, NaN
    return std::bit_cast<float>(sign | 0x7F800000 | (magnitude << 13));
  // Move the fields into place, then scale by 2^(127-15): subnormals come right.
  float value = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | sign);
}

uint16_t f64ToF16(double value) { return uint16_t(encode(value, f16Format, false)); }

uint16_t f64ToBf16(double value) { return uint16_t(encode(value, bf16Format, false)); }

float narrowToF32(uint8_t bits, DType dtype) {
  if (dtype == DType::f8e8m0)
    return bits == 0xFF ? std::numeric_limits<float>::quiet_NaN()
                        : std::ldexp(1.0f, int(bits) - 127);
  return decode(dtype == DType::f4e2m1 ? bits & 0xF : bits, narrowFormat(dtype));
}

uint8_t f64ToNarrow(double value, DType dtype, bool saturate, ScaleRounding rounding) {
  if (dtype == DType::f8e8m0)
    return encodeScale(value, saturate, rounding);
  return uint8_t(encode(value, narrowFormat(dtype), saturate));
}

} // namespace hexin
