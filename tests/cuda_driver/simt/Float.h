//===- Float.h - float formats of a GPU, exactly -------------------------------------===//
#ifndef HEXIN_TESTS_CUDA_DRIVER_SIMT_FLOAT_H
#define HEXIN_TESTS_CUDA_DRIVER_SIMT_FLOAT_H

#include <bit>
#include <cmath>
#include <cstdint>

namespace standin {

struct Half {
  uint16_t bits;
};
struct BHalf {
  uint16_t bits;
};
/// .f16x2 and .bf16x2: the first in the low half.
struct Half2 {
  Half lo, hi;
};
struct BHalf2 {
  BHalf lo, hi;
};

/// .rn .rz .rm .rp and, of cvt only, .rna (ties away from zero).
enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

struct Format {
  int mantissaBits; ///< stored
  int exponentBits;
};
constexpr Format formatHalf{10, 5}, formatBHalf{7, 8}, formatSingle{23, 8},
    formatDouble{52, 11}, formatTf32{10, 8};

/// (-1)^negative * mantissa * 2^exponent, rounded once. Overflow goes to infinity or
/// the largest number, as the rounding says.
uint64_t packFloat(Format format, bool negative, uint64_t mantissa, int exponent,
                   Rounding rounding);
/// `value`, rounded once; a NaN becomes the format's canonical one.
uint64_t packFloat(Format format, double value, Rounding rounding);

/// a * b + c, rounded to odd: a second rounding to a format with at most half of the
/// digits is then as good as the only one.
double fmaToOdd(double a, double b, double c);

constexpr uint32_t canonicalNan = 0x7fffffff; ///< of every f32 result that is NaN

inline float toFloat(Half value) { return float(std::bit_cast<_Float16>(value.bits)); }
inline float toFloat(BHalf value) {
  return std::bit_cast<float>(uint32_t(value.bits) << 16);
}
inline float toFloat(float value) { return value; }

/// To nearest; NaN becomes 0x7fff.
template <class T> T fromFloat(float value);
template <> inline Half fromFloat<Half>(float value) {
  return value == value ? Half{std::bit_cast<uint16_t>(_Float16(value))} : Half{0x7fff};
}
template <> inline BHalf fromFloat<BHalf>(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return value == value ? BHalf{uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16)}
                        : BHalf{0x7fff};
}
template <> inline float fromFloat<float>(float value) {
  return value == value ? value : std::bit_cast<float>(canonicalNan);
}

inline float flush(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>(bits & 0x7f800000 ? bits : bits & 0x80000000);
}
inline Half flush(Half value) {
  return value.bits & 0x7c00 ? value : Half{uint16_t(value.bits & 0x8000)};
}
inline BHalf flush(BHalf value) {
  return value.bits & 0x7f80 ? value : BHalf{uint16_t(value.bits & 0x8000)};
}
/// To [+0, 1]; NaN becomes +0.
inline float saturate(float value) {
  value = value > 0 ? value : 0.0f;
  return value < 1 ? value : 1.0f;
}

} // namespace standin

#endif // HEXIN_TESTS_CUDA_DRIVER_SIMT_FLOAT_H
