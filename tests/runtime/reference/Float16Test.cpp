#include "runtime/base/Float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace hexin;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Float16, everyHalfSurvivesTheWayThroughF64) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float value = f16ToF32(uint16_t(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16ToF32(f64ToF16(value))));
    } else {
      EXPECT_EQ(f64ToF16(value), bits);
    }
    float wide = bf16ToF32(uint16_t(bits));
    if (!std::isnan(wide)) {
      EXPECT_EQ(f64ToBf16(wide), bits);
    }
  }
}

TEST(Float16, halfAgreesWithTheCompilersOwn) {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits)
    EXPECT_EQ(f16ToF32(uint16_t(bits)), float(std::bit_cast<_Float16>(uint16_t(bits))));
}

TEST(Float16, roundsOnceAndToEven) {
  EXPECT_EQ(f64ToF16(1 + 0x1p-11), 0x3C00);           // a tie, down to even
  EXPECT_EQ(f64ToF16(1 + 3 * 0x1p-11), 0x3C02);       // a tie, up to even
  EXPECT_EQ(f64ToF16(1 + 0x1p-11 + 0x1p-40), 0x3C01); // through f32 it would be a tie
  EXPECT_EQ(f64ToF16(65519.9), 0x7BFF);
  EXPECT_EQ(f64ToF16(65520), 0x7C00);
  EXPECT_EQ(f64ToF16(-0.0), 0x8000);
  EXPECT_EQ(f64ToF16(0x1p-25), 0x0000);
  EXPECT_EQ(f64ToF16(0x1.8p-25), 0x0001);
  EXPECT_EQ(f64ToBf16(1 + 0x1p-8), 0x3F80);
}

TEST(Float16, everyNarrowValueSurvives) {
  for (DType dtype : {DType::f8e4m3fn, DType::f8e4m3fnuz, DType::f8e5m2,
                      DType::f8e5m2fnuz, DType::f8e8m0, DType::f4e2m1}) {
    uint32_t count = dtype == DType::f4e2m1 ? 16 : 256;
    for (uint32_t bits = 0; bits < count; ++bits) {
      float value = narrowToF32(uint8_t(bits), dtype);
      if (std::isfinite(value)) {
        EXPECT_EQ(f64ToNarrow(value, dtype), bits) << toString(dtype);
      }
    }
  }
}

TEST(Float16, narrowOverflow) {
  EXPECT_EQ(narrowToF32(f64ToNarrow(1e9, DType::f8e4m3fn), DType::f8e4m3fn), 448);
  EXPECT_EQ(narrowToF32(f64ToNarrow(-infinity, DType::f8e5m2), DType::f8e5m2), -57344);
  EXPECT_TRUE(std::isnan(
      narrowToF32(f64ToNarrow(infinity, DType::f8e4m3fn, false), DType::f8e4m3fn)));
  EXPECT_EQ(narrowToF32(f64ToNarrow(1e9, DType::f8e5m2, false), DType::f8e5m2), infinity);
  EXPECT_EQ(f64ToNarrow(1e9, DType::f8e4m3fnuz, false), 0x80);
  EXPECT_EQ(f64ToNarrow(-0.0, DType::f8e5m2fnuz), 0x00); // there is no -0
  EXPECT_EQ(f64ToNarrow(std::nan(""), DType::f4e2m1) & 7, 0);
  EXPECT_EQ(narrowToF32(f64ToNarrow(100, DType::f4e2m1, false), DType::f4e2m1), 6);
}

TEST(Float16, scalesKeepTheExponent) {
  auto scale = [](double value, ScaleRounding rounding, bool saturate = true) {
    return narrowToF32(f64ToNarrow(value, DType::f8e8m0, saturate, rounding),
                       DType::f8e8m0);
  };
  EXPECT_EQ(scale(1.5, ScaleRounding::nearest), 2);
  EXPECT_EQ(scale(1.49, ScaleRounding::nearest), 1);
  EXPECT_EQ(scale(1.01, ScaleRounding::up), 2);
  EXPECT_EQ(scale(-1.99, ScaleRounding::down), 1);
  EXPECT_EQ(scale(0, ScaleRounding::nearest), 0x1p-127f);
  EXPECT_EQ(scale(infinity, ScaleRounding::up), 0x1p127f);
  EXPECT_TRUE(std::isnan(scale(infinity, ScaleRounding::up, false)));
}

} // namespace
