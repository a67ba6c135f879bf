//===- ArithmeticTest.cpp - operations by table ---------------------------------------===//
//
// Expectations are written down, or come from formulas in wider types.
//
//===----------------------------------------------------------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>

using namespace standin;

namespace {

uint64_t f(float value) { return std::bit_cast<uint32_t>(value); }
uint64_t d(double value) { return std::bit_cast<uint64_t>(value); }
constexpr uint64_t nan32 = 0x7fffffff, inf32 = 0x7f800000, negInf32 = 0xff800000;

struct Case {
  const char *text;
  const char *dst;
  std::vector<std::string> src;
  std::vector<uint64_t> values;
  uint64_t expected;
};

std::vector<Case> cases() {
  using L = std::vector<std::string>;
  const L s32{"s32", "s32"}, u32{"u32", "u32"}, f32{"f32", "f32"}, f64{"f64", "f64"};
  const L f32x3{"f32", "f32", "f32"}, u32x3{"u32", "u32", "u32"}, h2{"f16", "f16"};
  const L pair{"b32", "b32"};
  return {
      // integers
      {"add.s32 %0, %1, %2;", "s32", s32, {0x7fffffff, 1}, 0x80000000},
      {"add.sat.s32 %0, %1, %2;", "s32", s32, {0x7fffffff, 1}, 0x7fffffff},
      {"sub.sat.s32 %0, %1, %2;", "s32", s32, {0x80000000, 1}, 0x80000000},
      {"sub.u16 %0, %1, %2;", "u16", {"u16", "u16"}, {0, 1}, 0xffff},
      {"mul.lo.u16 %0, %1, %2;", "u16", {"u16", "u16"}, {0xffff, 0xffff}, 1},
      {"mul.hi.u32 %0, %1, %2;", "u32", u32, {0xffffffff, 0xffffffff}, 0xfffffffe},
      {"mul.hi.s32 %0, %1, %2;", "s32", s32, {0xffffffff, 2}, 0xffffffff},
      {"mul.hi.s64 %0, %1, %2;", "s64", {"s64", "s64"}, {~0ull, 2}, ~0ull},
      {"mul.hi.u64 %0, %1, %2;", "u64", {"u64", "u64"}, {~0ull, ~0ull}, ~0ull - 1},
      {"mul.wide.s32 %0, %1, %2;", "s64", s32, {0xffffffff, 3}, uint64_t(-3)},
      {"mul.wide.u16 %0, %1, %2;", "u32", {"u16", "u16"}, {0xffff, 0xffff}, 0xfffe0001},
      {"mad.lo.s32 %0, %1, %2, %3;",
       "s32",
       {"s32", "s32", "s32"},
       {3, 0xfffffffe, 10},
       4},
      {"mad.wide.u32 %0, %1, %2, %3;",
       "u64",
       {"u32", "u32", "u64"},
       {0xffffffff, 2, 5},
       0x200000003},
      {"div.s32 %0, %1, %2;", "s32", s32, {uint32_t(-7), 2}, uint32_t(-3)},
      {"div.s32 %0, %1, %2;", "s32", s32, {0x80000000, 0xffffffff}, 0x80000000},
      {"div.u32 %0, %1, %2;", "u32", u32, {5, 0}, 0xffffffff},
      {"rem.s32 %0, %1, %2;", "s32", s32, {uint32_t(-7), 2}, uint32_t(-1)},
      {"rem.s64 %0, %1, %2;", "s64", {"s64", "s64"}, {1ull << 63, ~0ull}, 0},
      {"min.s32 %0, %1, %2;", "s32", s32, {0xffffffff, 1}, 0xffffffff},
      {"max.u32 %0, %1, %2;", "u32", u32, {0xffffffff, 1}, 0xffffffff},
      {"abs.s32 %0, %1;", "s32", {"s32"}, {0x80000000}, 0x80000000},
      {"neg.s16 %0, %1;", "s16", {"s16"}, {1}, 0xffff},
      {"sad.u32 %0, %1, %2, %3;", "u32", u32x3, {3, 10, 100}, 107},
      {"dp4a.s32.s32 %0, %1, %2, %3;",
       "b32",
       {"b32", "b32", "b32"},
       {0x01ff0280, 0x02020202, 10},
       uint32_t(10 + 2 * (1 - 1 + 2 - 128))},
      {"dp4a.u32.s32 %0, %1, %2, %3;",
       "b32",
       {"b32", "b32", "b32"},
       {0x000000ff, 0x000000ff, 0},
       uint32_t(-255)},
      // bits
      {"and.b32 %0, %1, %2;", "b32", pair, {0xf0f0, 0xff00}, 0xf000},
      {"not.b16 %0, %1;", "b16", {"b16"}, {0x00ff}, 0xff00},
      {"not.pred %0, %1;", "pred", {"pred"}, {1}, 0},
      {"xor.pred %0, %1, %2;", "pred", {"pred", "pred"}, {1, 1}, 0},
      {"cnot.b32 %0, %1;", "b32", {"b32"}, {0}, 1},
      {"shl.b32 %0, %1, %2;", "b32", pair, {1, 32}, 0},
      {"shr.s32 %0, %1, %2;", "s32", {"s32", "u32"}, {0x80000000, 99}, 0xffffffff},
      {"shr.u64 %0, %1, %2;", "u64", {"u64", "u32"}, {1ull << 63, 63}, 1},
      {"shf.l.wrap.b32 %0, %1, %2, %3;",
       "b32",
       {"b32", "b32", "b32"},
       {0x80000000, 1, 33},
       3},
      {"shf.r.clamp.b32 %0, %1, %2, %3;", "b32", {"b32", "b32", "b32"}, {7, 9, 40}, 9},
      {"bfe.u32 %0, %1, %2, %3;", "u32", u32x3, {0xabcd1234, 8, 8}, 0x12},
      {"bfe.s32 %0, %1, %2, %3;",
       "s32",
       {"s32", "u32", "u32"},
       {0x0000f000, 12, 4},
       0xffffffff},
      {"bfe.s32 %0, %1, %2, %3;",
       "s32",
       {"s32", "u32", "u32"},
       {0x80000000, 31, 8},
       0xffffffff},
      {"bfi.b32 %0, %1, %2, %3, %4;",
       "b32",
       {"b32", "b32", "b32", "b32"},
       {0xff, 0, 4, 4},
       0xf0},
      {"popc.b64 %0, %1;", "b32", {"b64"}, {~0ull}, 64},
      {"clz.b32 %0, %1;", "b32", {"b32"}, {1}, 31},
      {"brev.b32 %0, %1;", "b32", {"b32"}, {1}, 0x80000000},
      {"bfind.u32 %0, %1;", "u32", {"u32"}, {0}, 0xffffffff},
      {"bfind.s32 %0, %1;", "u32", {"s32"}, {0xfffffffe}, 0},
      {"lop3.b32 %0, %1, %2, %3, 0x80;",
       "b32",
       {"b32", "b32", "b32"},
       {0xff, 0xf0, 0x30},
       0x30},
      {"lop3.b32 %0, %1, %2, %3, 0x96;",
       "b32",
       {"b32", "b32", "b32"},
       {0xff, 0xf0, 0x30},
       0xff ^ 0xf0 ^ 0x30},
      {"prmt.b32 %0, %1, %2, 0x5410;", "b32", pair, {0x11112222, 0x33334444}, 0x44442222},
      {"prmt.b32 %0, %1, %2, 0x0009;", "b32", pair, {0x00008000, 0}, 0x000000ff},
      // f32
      {"add.rn.f32 %0, %1, %2;", "f32", f32, {f(1), f(0x1p-24f)}, f(1)},
      {"add.rp.f32 %0, %1, %2;", "f32", f32, {f(1), f(0x1p-24f)}, f(1 + 0x1p-23f)},
      {"add.rz.f32 %0, %1, %2;", "f32", f32, {f(1), f(-0x1p-30f)}, f(1 - 0x1p-24f)},
      {"add.rm.f32 %0, %1, %2;", "f32", f32, {f(1), f(-1)}, f(-0.0f)},
      {"add.f32 %0, %1, %2;", "f32", f32, {inf32, negInf32}, nan32},
      {"add.f32 %0, %1, %2;", "f32", f32, {0x7fc12345, f(1)}, nan32},
      {"add.ftz.f32 %0, %1, %2;", "f32", f32, {1, 1}, 0},
      {"mul.ftz.f32 %0, %1, %2;", "f32", f32, {f(-0x1p-100f), f(0x1p-40f)}, f(-0.0f)},
      {"mul.f32 %0, %1, %2;", "f32", f32, {f(-0x1p-100f), f(0x1p-40f)}, f(-0x1p-140f)},
      {"add.sat.f32 %0, %1, %2;", "f32", f32, {f(3), f(4)}, f(1)},
      {"add.sat.f32 %0, %1, %2;", "f32", f32, {nan32, f(4)}, f(0)},
      {"fma.rn.f32 %0, %1, %2, %3;",
       "f32",
       f32x3,
       {f(1 + 0x1p-13f), f(1 - 0x1p-13f), f(-1)},
       f(-0x1p-26f)},
      {"mul.rn.f32 %0, %1, %2;", "f32", f32, {f(1 + 0x1p-13f), f(1 - 0x1p-13f)}, f(1)},
      {"div.rn.f32 %0, %1, %2;", "f32", f32, {f(1), f(3)}, 0x3eaaaaab},
      {"div.rz.f32 %0, %1, %2;", "f32", f32, {f(1), f(3)}, 0x3eaaaaaa},
      {"div.rn.f32 %0, %1, %2;", "f32", f32, {f(1), f(-0.0f)}, negInf32},
      {"sqrt.rn.f32 %0, %1;", "f32", {"f32"}, {f(2)}, 0x3fb504f3},
      {"sqrt.rp.f32 %0, %1;", "f32", {"f32"}, {f(2)}, 0x3fb504f4},
      {"sqrt.rn.f32 %0, %1;", "f32", {"f32"}, {f(-1)}, nan32},
      {"rcp.rn.f32 %0, %1;", "f32", {"f32"}, {f(3)}, 0x3eaaaaab},
      {"min.f32 %0, %1, %2;", "f32", f32, {f(0), f(-0.0f)}, f(-0.0f)},
      {"max.f32 %0, %1, %2;", "f32", f32, {f(-0.0f), f(0)}, f(0)},
      {"min.f32 %0, %1, %2;", "f32", f32, {nan32, f(3)}, f(3)},
      {"max.f32 %0, %1, %2;", "f32", f32, {nan32, 0x7fc00000}, nan32},
      {"max.NaN.f32 %0, %1, %2;", "f32", f32, {nan32, f(3)}, nan32},
      {"min.xorsign.abs.f32 %0, %1, %2;", "f32", f32, {f(-3), f(2)}, f(-2)},
      {"abs.f32 %0, %1;", "f32", {"f32"}, {f(-0.0f)}, f(0)},
      {"neg.f32 %0, %1;", "f32", {"f32"}, {f(0)}, f(-0.0f)},
      {"copysign.f32 %0, %1, %2;", "f32", f32, {f(-1), f(5)}, f(-5)},
      {"ex2.approx.f32 %0, %1;", "f32", {"f32"}, {f(3)}, f(8)},
      {"ex2.approx.ftz.f32 %0, %1;", "f32", {"f32"}, {f(-130)}, f(0)},
      {"lg2.approx.f32 %0, %1;", "f32", {"f32"}, {f(0)}, negInf32},
      {"rsqrt.approx.f32 %0, %1;", "f32", {"f32"}, {f(4)}, f(0.5f)},
      {"tanh.approx.f32 %0, %1;", "f32", {"f32"}, {negInf32}, f(-1)},
      // f64
      {"fma.rn.f64 %0, %1, %2, %3;",
       "f64",
       {"f64", "f64", "f64"},
       {d(1 + 0x1p-30), d(1 - 0x1p-30), d(-1)},
       d(-0x1p-60)},
      {"add.rm.f64 %0, %1, %2;", "f64", f64, {d(1), d(-0x1p-80)}, d(1 - 0x1p-53)},
      {"div.rn.f64 %0, %1, %2;",
       "f64",
       f64,
       {d(0), d(0) | 1ull << 63},
       0xfff8000000000000},
      {"min.f64 %0, %1, %2;", "f64", f64, {d(NAN), d(2)}, d(2)},
      // halfs
      {"add.rn.f16 %0, %1, %2;", "f16", h2, {0x3c00, 0x1000}, 0x3c00},
      {"add.rn.f16 %0, %1, %2;", "f16", h2, {0x7bff, 0x7bff}, 0x7c00},
      {"mul.rn.f16 %0, %1, %2;", "f16", h2, {0x0001, 0x3800}, 0x0000},
      {"fma.rn.f16 %0, %1, %2, %3;",
       "f16",
       {"f16", "f16", "f16"},
       {0x3c01, 0x3c01, 0xbc02},
       0x0010},
      {"fma.rn.f16x2 %0, %1, %2, %3;",
       "b32",
       {"b32", "b32", "b32"},
       {0x40003c00, 0x40004200, 0x3c003c00},
       0x45004400},
      {"add.rn.bf16x2 %0, %1, %2;", "b32", pair, {0x3f804000, 0x3f803f80}, 0x40004040},
      {"fma.rn.bf16 %0, %1, %2, %3;",
       "b16",
       {"b16", "b16", "b16"},
       {0x3f81, 0x3f81, 0xbf82},
       0x3880},
      {"max.f16x2 %0, %1, %2;", "b32", pair, {0x7fff3c00, 0x3c007fff}, 0x3c003c00},
      {"neg.f16x2 %0, %1;", "b32", {"b32"}, {0x00008000}, 0x80000000},
      {"add.sat.f16 %0, %1, %2;", "f16", h2, {0x4000, 0x4000}, 0x3c00},
      // comparisons
      {"setp.lt.f32 %0, %1, %2;", "pred", f32, {nan32, f(1)}, 0},
      {"setp.ltu.f32 %0, %1, %2;", "pred", f32, {nan32, f(1)}, 1},
      {"setp.ne.f32 %0, %1, %2;", "pred", f32, {nan32, f(1)}, 0},
      {"setp.neu.f32 %0, %1, %2;", "pred", f32, {nan32, f(1)}, 1},
      {"setp.eq.f32 %0, %1, %2;", "pred", f32, {f(0), f(-0.0f)}, 1},
      {"setp.nan.f32 %0, %1, %2;", "pred", f32, {f(0), nan32}, 1},
      {"setp.num.f64 %0, %1, %2;", "pred", f64, {d(0), d(1)}, 1},
      {"setp.lt.s32 %0, %1, %2;", "pred", s32, {0xffffffff, 0}, 1},
      {"setp.lo.u32 %0, %1, %2;", "pred", u32, {0xffffffff, 0}, 0},
      {"setp.gt.and.s32 %0, %1, %2, !%3;", "pred", {"s32", "s32", "pred"}, {2, 1, 1}, 0},
      {"setp.gt.or.s16 %0, %1, %2, %3;", "pred", {"s16", "s16", "pred"}, {1, 2, 1}, 1},
      {"setp.eq.ftz.f32 %0, %1, %2;", "pred", f32, {1, 0}, 1},
      {"setp.gt.f16 %0, %1, %2;", "pred", h2, {0x3c00, 0xbc00}, 1},
      {"selp.b32 %0, %1, %2, %3;", "b32", {"b32", "b32", "pred"}, {7, 8, 0}, 8},
      {"set.lt.u32.f32 %0, %1, %2;", "u32", f32, {f(1), f(2)}, 0xffffffff},
      {"slct.f32.s32 %0, %1, %2, %3;",
       "f32",
       {"f32", "f32", "s32"},
       {f(1), f(2), 0xffffffff},
       f(2)},
      {"testp.subnormal.f32 %0, %1;", "pred", {"f32"}, {1}, 1},
  };
}

TEST(InstructionTable, givesWhatIsWrittenDown) {
  for (const Case &row : cases()) {
    std::vector<std::vector<uint64_t>> lanes(33, row.values);
    std::vector<uint64_t> results = evaluate(row.text, row.dst, row.src, lanes);
    ASSERT_EQ(results.size(), lanes.size());
    for (uint64_t result : {results.front(), results.back()})
      EXPECT_EQ(result, row.expected)
          << row.text << std::hex << " gives 0x" << result << ", not 0x" << row.expected;
  }
}

std::vector<uint64_t> interestingSingles() {
  std::vector<uint64_t> values;
  for (float v : {0.0f, 1.0f, 1.5f, 0.1f, 3.0f, 0x1p-126f, 0x1p-149f, 0x1.fffffep127f,
                  1e30f, 65504.0f, 16777216.0f, 0x1.000002p0f, INFINITY})
    for (float sign : {1.0f, -1.0f})
      values.push_back(f(v * sign));
  values.push_back(nan32);
  return values;
}

/// All pairs of values that are apt to go wrong, against f64, which is exact for products
/// and, rounded to f32, right for sums and quotients.
TEST(InstructionTable, singlesAgreeWithDoubles) {
  struct Operation {
    const char *text;
    std::function<double(double, double)> formula;
  };
  const Operation operations[] = {
      {"add.rn.f32 %0, %1, %2;", [](double a, double b) { return a + b; }},
      {"sub.rn.f32 %0, %1, %2;", [](double a, double b) { return a - b; }},
      {"mul.rn.f32 %0, %1, %2;", [](double a, double b) { return a * b; }},
      {"div.rn.f32 %0, %1, %2;", [](double a, double b) { return a / b; }},
  };
  std::vector<std::vector<uint64_t>> inputs;
  for (uint64_t a : interestingSingles())
    for (uint64_t b : interestingSingles())
      inputs.push_back({a, b});
  for (const Operation &operation : operations) {
    std::vector<uint64_t> results =
        evaluate(operation.text, "f32", {"f32", "f32"}, inputs);
    for (size_t i = 0; i < inputs.size(); ++i) {
      float a = std::bit_cast<float>(uint32_t(inputs[i][0]));
      float b = std::bit_cast<float>(uint32_t(inputs[i][1]));
      float value = float(operation.formula(a, b));
      uint64_t expected = std::isnan(value) ? nan32 : f(value);
      EXPECT_EQ(results[i], expected) << operation.text << " of " << a << ", " << b;
    }
  }
}

TEST(InstructionTable, secondResultOfSetpIsTheOpposite) {
  Kernel kernel(entry("setp.eq.s32 %p0|%p1, 1, 1;\nselp.b32 %r0, 1, 0, %p0;\n"
                      "selp.b32 %r1, 1, 0, %p1;\nld.param.u64 %rd0, [p0];\n"
                      "st.global.v2.b32 [%rd0], {%r0, %r1};",
                      1));
  DeviceAddress out = kernel.buffer(8);
  ASSERT_FALSE(kernel.run());
  EXPECT_EQ(kernel.read<uint32_t>(out, 2), (std::vector<uint32_t>{1, 0}));
}

} // namespace
