//===- MatrixTest.cpp - ldmatrix and mma ---------------------------------------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gtest/gtest.h>

#include <bit>

using namespace standin;

namespace {

/// A tile of small whole numbers, which every format holds.
int valueAt(unsigned row, unsigned column) {
  return int((row * 7 + column * 3) % 11) - 5;
}

uint16_t half(int value) { return std::bit_cast<uint16_t>(static_cast<_Float16>(value)); }

/// m16n8k16 of halfs by ldmatrix from shared memory, A row-major and B row-major with
/// .trans, as a matmul kernel does it.
TEST(Matrix, ldmatrixFeedsMma) {
  Kernel kernel(entry(
      ".shared .align 16 .b8 a[512];\n.shared .align 16 .b8 b[256];\n"
      "ld.param.u64 %rd0, [p0];\nld.param.u64 %rd1, [p1];\nld.param.u64 %rd2, [p2];\n"
      "mov.u32 %r0, %tid.x;\nmul.wide.u32 %rd3, %r0, 16;\n"
      "add.s64 %rd4, %rd0, %rd3;\nld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd4];\n"
      "mov.b64 %rd5, a;\nadd.s64 %rd6, %rd5, %rd3;\n"
      "st.shared.v4.b32 [%rd6], {%r1, %r2, %r3, %r4};\n"
      "setp.lt.u32 %p0, %r0, 16;\nadd.s64 %rd7, %rd1, %rd3;\n"
      "mov.b64 %rd8, b;\nadd.s64 %rd9, %rd8, %rd3;\n"
      "@%p0 ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd7];\n"
      "@%p0 st.shared.v4.b32 [%rd9], {%r1, %r2, %r3, %r4};\nbar.sync 0;\n"
      // Lane l gives row l % 16 and, of the second half, column 8.
      "and.b32 %r5, %r0, 15;\nshr.u32 %r6, %r0, 4;\nmul.wide.u32 %rd10, %r5, 32;\n"
      "mul.wide.u32 %rd11, %r6, 16;\nadd.s64 %rd12, %rd5, %rd10;\nadd.s64 %rd12, %rd12, "
      "%rd11;\n"
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%rd12];\n"
      "mul.wide.u32 %rd13, %r5, 16;\nadd.s64 %rd13, %rd8, %rd13;\n"
      "ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r14, %r15}, [%rd13];\n"
      "mov.f32 %f0, 0f00000000;\n"
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, "
      "{%r10, %r11, %r12, %r13}, {%r14, %r15}, {%f0, %f0, %f0, %f0};\n"
      // Row l / 4 and 8 below, columns 2 (l % 4).
      "shr.u32 %r20, %r0, 2;\nand.b32 %r21, %r0, 3;\nmul.wide.u32 %rd14, %r20, 32;\n"
      "mul.wide.u32 %rd15, %r21, 8;\nadd.s64 %rd16, %rd2, %rd14;\nadd.s64 %rd16, %rd16, "
      "%rd15;\n"
      "st.global.v2.f32 [%rd16], {%f1, %f2};\nst.global.v2.f32 [%rd16+256], {%f3, %f4};",
      3));
  std::vector<uint16_t> a, b;
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned k = 0; k < 16; ++k)
      a.push_back(half(valueAt(m, k)));
  for (unsigned k = 0; k < 16; ++k)
    for (unsigned n = 0; n < 8; ++n)
      b.push_back(half(valueAt(k + 3, n)));
  kernel.buffer(a);
  kernel.buffer(b);
  DeviceAddress out = kernel.buffer(16 * 8 * 4);
  std::optional<Fault> fault = kernel.run();
  ASSERT_FALSE(fault) << fault->message;
  auto c = kernel.read<float>(out, 128);
  for (unsigned m = 0; m < 16; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      int sum = 0;
      for (unsigned k = 0; k < 16; ++k)
        sum += valueAt(m, k) * valueAt(k + 3, n);
      EXPECT_EQ(c[m * 8 + n], float(sum)) << m << ", " << n;
    }
  EXPECT_EQ(kernel.counters.mma, 1u);
}

struct Shape {
  const char *name; // shape and types
  unsigned k, elements, registersA, registersB, registersC;
};

/// Every shape with registers that all hold 1 in each element: each sum is k + c.
TEST(Matrix, everyShapeSumsOverK) {
  const Shape shapes[] = {
      {"m16n8k8.row.col.f32.f16.f16.f32", 8, 2, 2, 1, 4},
      {"m16n8k16.row.col.f32.bf16.bf16.f32", 16, 2, 4, 2, 4},
      {"m16n8k8.row.col.f32.bf16.bf16.f32", 8, 2, 2, 1, 4},
      {"m16n8k4.row.col.f32.tf32.tf32.f32", 4, 1, 2, 1, 4},
      {"m16n8k8.row.col.f32.tf32.tf32.f32", 8, 1, 4, 2, 4},
      {"m16n8k16.row.col.s32.s8.u8.s32", 16, 4, 2, 1, 4},
      {"m16n8k32.row.col.satfinite.s32.u8.s8.s32", 32, 4, 4, 2, 4},
      {"m16n8k16.row.col.f16.f16.f16.f16", 16, 2, 4, 2, 2},
  };
  for (const Shape &shape : shapes) {
    std::string name = shape.name;
    auto list = [](const std::string &reg, unsigned count) {
      std::string text = "{";
      for (unsigned i = 0; i < count; ++i)
        text += (i ? ", " : "") + reg;
      return text + "}";
    };
    auto contains = [&](const char *part) { return name.find(part) != name.npos; };
    bool isHalfResult = shape.registersC == 2, isInteger = contains("s32");
    const char *one = contains("tf32")   ? "0x3f800000"
                      : contains("bf16") ? "0x3f803f80"
                      : isInteger        ? "0x01010101"
                                         : "0x3c003c00";
    const char *two = isHalfResult ? "0x40004000" : isInteger ? "2" : "0x40000000";
    std::string dst = isHalfResult ? "{%r10, %r11}" : "{%r10, %r11, %r12, %r13}";
    Kernel kernel(entry(
        "ld.param.u64 %rd0, [p0];\nmov.b32 %r0, " + std::string(one) +
            ";\nmov.b32 %r1, " + two + ";\nmma.sync.aligned." + name + " " + dst + ", " +
            list("%r0", shape.registersA) + ", " + list("%r0", shape.registersB) + ", " +
            list("%r1", shape.registersC) + ";\nst.global.v2.b32 [%rd0], {%r10, %r11};",
        1));
    DeviceAddress out = kernel.buffer(8);
    std::optional<Fault> fault = kernel.run();
    ASSERT_FALSE(fault) << fault->message;
    uint32_t expected = isHalfResult ? half(int(shape.k) + 2) * 0x10001u
                        : isInteger  ? shape.k + 2
                                     : std::bit_cast<uint32_t>(float(shape.k + 2));
    for (uint32_t value : kernel.read<uint32_t>(out, 2))
      EXPECT_EQ(value, expected) << name;
  }
}

} // namespace
