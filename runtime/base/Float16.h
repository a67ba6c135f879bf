//===- Float16.h - narrow float formats to and from f32 and f64 ------------===//
//
// f16, bf16, the f8 types and f4e2m1 are bit patterns on the host (uint16_t and
// uint8_t). Decoding is exact. Encoding rounds once, to nearest, ties to even,
// straight from the f64 (f32 converts to f64 exactly), so that no double
// rounding can happen.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_BASE_FLOAT16_H
#define HEXIN_RUNTIME_BASE_FLOAT16_H

#include "hexin/value.h"

#include <bit>
#include <cstdint>

namespace hexin {

float f16ToF32(uint16_t bits);
uint16_t f64ToF16(double value); ///< overflow gives infinity

inline float bf16ToF32(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}
uint16_t f64ToBf16(double value); ///< overflow gives infinity

/// How e8m0, which has no mantissa, picks its exponent. `nearest` takes ties up.
enum class ScaleRounding : uint8_t { nearest, up, down };

/// `dtype` is one of the f8 types or f4e2m1 (in the low four bits).
float narrowToF32(uint8_t bits, DType dtype);

/// What does not fit: with `saturate` the largest finite value (infinities
/// too), else infinity where the type has it (e5m2) and NaN where it has not;
/// f4e2m1 always saturates and makes NaN zero. f8e8m0 drops the sign, makes
/// zero 2^-127 and alone reads `rounding`.
uint8_t f64ToNarrow(double value, DType dtype, bool saturate = true,
                    ScaleRounding rounding = ScaleRounding::nearest);

} // namespace hexin

#endif // HEXIN_RUNTIME_BASE_FLOAT16_H
