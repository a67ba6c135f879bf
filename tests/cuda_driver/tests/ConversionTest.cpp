//===- ConversionTest.cpp - cvt by table ------------------------------------------------===//
#include "tests/cuda_driver/simt/Float.h"
#include "tests/cuda_driver/tests/Kernel.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

using namespace standin;

namespace {

uint64_t f(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t d(double value) { return std::bit_cast<uint64_t>(value); }

struct Case {
  const char *text, *dst, *src;
  uint64_t value, expected;
};

const Case cases[] = {
    {"cvt.rni.s32.f32 %0, %1;", "s32", "f32", f(2.5f), 2},
    {"cvt.rzi.s32.f32 %0, %1;", "s32", "f32", f(-2.9f), uint32_t(-2)},
    {"cvt.rmi.s32.f32 %0, %1;", "s32", "f32", f(-2.1f), uint32_t(-3)},
    {"cvt.rpi.s32.f32 %0, %1;", "s32", "f32", f(2.1f), 3},
    {"cvt.rzi.s32.f32 %0, %1;", "s32", "f32", f(NAN), 0},
    {"cvt.rzi.s32.f32 %0, %1;", "s32", "f32", f(1e20f), 0x7fffffff},
    {"cvt.rzi.s32.f32 %0, %1;", "s32", "f32", f(-INFINITY), 0x80000000},
    {"cvt.rzi.u32.f32 %0, %1;", "u32", "f32", f(-5), 0},
    {"cvt.rzi.u64.f32 %0, %1;", "u64", "f32", f(1e30f), ~0ull},
    {"cvt.rzi.s16.f16 %0, %1;", "s16", "f16", 0xc500, 0xfffb},
    {"cvt.rzi.u8.f32 %0, %1;", "u32", "f32", f(300), 255},
    {"cvt.rn.f32.s32 %0, %1;", "f32", "s32", 16777217, f(16777216)},
    {"cvt.rp.f32.s32 %0, %1;", "f32", "s32", 16777217, f(16777218)},
    {"cvt.rn.f32.u64 %0, %1;", "f32", "u64", ~0ull, f(0x1p64f)},
    {"cvt.rz.f32.u64 %0, %1;", "f32", "u64", ~0ull, f(0x1.fffffep63f)},
    {"cvt.rn.f64.s64 %0, %1;", "f64", "s64", ~0ull, d(-1)},
    {"cvt.rn.f16.u32 %0, %1;", "f16", "u32", 70000, 0x7c00},
    {"cvt.rz.f16.u32 %0, %1;", "f16", "u32", 70000, 0x7bff},
    {"cvt.rn.f16.f32 %0, %1;", "f16", "f32", f(1 + 0x1p-11f), 0x3c00},
    {"cvt.rn.f16.f32 %0, %1;", "f16", "f32", f(1 + 0x3p-11f), 0x3c02},
    {"cvt.rz.f16.f32 %0, %1;", "f16", "f32", f(1e9f), 0x7bff},
    {"cvt.rn.f16.f32 %0, %1;", "f16", "f32", f(0x1p-25f), 0},
    {"cvt.rn.f16.f32 %0, %1;", "f16", "f32", f(0x1.8p-25f), 1},
    {"cvt.rn.f16.f32 %0, %1;", "f16", "f32", f(NAN), 0x7fff},
    {"cvt.rn.bf16.f32 %0, %1;", "bf16", "f32", f(1 + 0x1p-8f), 0x3f80},
    {"cvt.rn.bf16.f32 %0, %1;", "bf16", "f32", f(1 + 0x3p-8f), 0x3f82},
    {"cvt.rn.bf16.f32 %0, %1;", "bf16", "f32", 0x7f7fffff, 0x7f80},
    {"cvt.f32.bf16 %0, %1;", "f32", "bf16", 0xbf80, f(-1)},
    {"cvt.f32.f16 %0, %1;", "f32", "f16", 0x0001, f(0x1p-24f)},
    {"cvt.f64.f32 %0, %1;", "f64", "f32", f(0.1f), d(double(0.1f))},
    {"cvt.rn.f32.f64 %0, %1;", "f32", "f64", d(1 + 0x1p-24), f(1)},
    {"cvt.rp.f32.f64 %0, %1;", "f32", "f64", d(1 + 0x1p-40), f(1 + 0x1p-23f)},
    {"cvt.rm.f32.f64 %0, %1;", "f32", "f64", d(1e300), 0x7f7fffff},
    {"cvt.rn.ftz.f32.f64 %0, %1;", "f32", "f64", d(-0x1p-140), f(-0.0f)},
    {"cvt.rni.f32.f32 %0, %1;", "f32", "f32", f(-0.5f), f(-0.0f)},
    {"cvt.rpi.f64.f64 %0, %1;", "f64", "f64", d(1.25), d(2)},
    {"cvt.sat.f32.f32 %0, %1;", "f32", "f32", f(1.5f), f(1)},
    {"cvt.rn.sat.f16.f32 %0, %1;", "f16", "f32", f(NAN), 0},
    {"cvt.rna.tf32.f32 %0, %1;", "b32", "f32", f(1 + 0x1p-11f), f(1 + 0x1p-10f)},
    {"cvt.s32.s8 %0, %1;", "s32", "s32", 0x1ff, 0xffffffff},
    {"cvt.u32.u8 %0, %1;", "u32", "u32", 0x1ff, 0xff},
    {"cvt.s64.s32 %0, %1;", "s64", "s32", 0x80000000, 0xffffffff80000000},
    {"cvt.u64.u32 %0, %1;", "u64", "u32", 0x80000000, 0x80000000},
    {"cvt.u16.u32 %0, %1;", "u16", "u32", 0x12345678, 0x5678},
    {"cvt.sat.s8.s32 %0, %1;", "s32", "s32", 300, 127},
    {"cvt.sat.u8.s32 %0, %1;", "u32", "s32", uint32_t(-3), 0},
    {"cvt.sat.u32.s64 %0, %1;", "u32", "s64", 1ull << 40, 0xffffffff},
};

TEST(Conversion, givesWhatIsWrittenDown) {
  for (const Case &row : cases) {
    std::vector<uint64_t> results =
        evaluate(row.text, row.dst, {row.src}, {{row.value}, {row.value}});
    EXPECT_EQ(results[1], row.expected)
        << row.text << std::hex << " of 0x" << row.value << " gives 0x" << results[1];
  }
}

TEST(Conversion, makesPairs) {
  auto results =
      evaluate("cvt.rn.f16x2.f32 %0, %1, %2;", "b32", {"f32", "f32"}, {{f(1), f(-2)}});
  EXPECT_EQ(results[0], 0x3c00c000u);
  results = evaluate("cvt.rn.relu.bf16x2.f32 %0, %1, %2;", "b32", {"f32", "f32"},
                     {{f(1), f(-2)}});
  EXPECT_EQ(results[0], 0x3f800000u);
  results = evaluate("cvt.pack.sat.s8.s32.b32 %0, %1, %2, %3;", "b32",
                     {"s32", "s32", "b32"}, {{1000, uint32_t(-1000), 0x1234}});
  EXPECT_EQ(results[0], 0x12347f80u);
}

TEST(Conversion, everyHalfComesBack) {
  std::vector<std::vector<uint64_t>> halfs;
  for (uint32_t bits = 0; bits < 0x10000; bits += 7)
    halfs.push_back({bits});
  std::vector<uint64_t> wide = evaluate("cvt.f32.f16 %0, %1;", "f32", {"f16"}, halfs);
  std::vector<std::vector<uint64_t>> singles;
  for (size_t i = 0; i < halfs.size(); ++i) {
    uint32_t bits = uint32_t(halfs[i][0]), exponent = bits >> 10 & 31;
    double magnitude = exponent ? std::ldexp((bits & 1023) + 1024.0, int(exponent) - 25)
                                : std::ldexp(bits & 1023, -24);
    if (exponent < 31) {
      float value = std::bit_cast<float>(uint32_t(wide[i]));
      EXPECT_EQ(value, bits & 0x8000 ? -magnitude : magnitude);
    }
    singles.push_back({wide[i]});
  }
  std::vector<uint64_t> back =
      evaluate("cvt.rn.f16.f32 %0, %1;", "f16", {"f32"}, singles);
  for (size_t i = 0; i < halfs.size(); ++i) {
    bool isNan = (halfs[i][0] & 0x7fff) > 0x7c00;
    EXPECT_EQ(back[i], isNan ? 0x7fff : halfs[i][0]);
  }
}

TEST(Conversion, packFloatRoundsAsTheHostDoes) {
  // f64 to f32 in hardware is the independent formula.
  uint64_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t exponent = 0x3ff - 160 + state % 320;
    double value = std::bit_cast<double>((state & 0x800fffffffffffff) | exponent << 52);
    EXPECT_EQ(packFloat(formatSingle, value, Rounding::Nearest),
              std::bit_cast<uint32_t>(float(value)));
  }
}

} // namespace
