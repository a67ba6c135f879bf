//===- SpeedTest.cpp - what an instruction of a warp costs ---------------------------------===//
#include "tests/cuda_driver/tests/Kernel.h"

#include <gtest/gtest.h>

#include <ctime>

using namespace standin;

namespace {

/// A million elements, one a thread. Only a large loss fails, since other work shares the
/// machine; the number is printed.
TEST(Speed, elementwiseKernel) {
  constexpr uint32_t elements = 1 << 20;
  Kernel kernel(
      entry("mov.u32 %r0, %tid.x;\nmov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\n"
            "mad.lo.s32 %r3, %r1, %r2, %r0;\nld.param.u64 %rd0, [p0];\n"
            "ld.param.u64 %rd1, [p1];\nmul.wide.s32 %rd2, %r3, 4;\n"
            "add.s64 %rd3, %rd0, %rd2;\nadd.s64 %rd4, %rd1, %rd2;\n"
            "ld.global.f32 %f0, [%rd3];\nld.global.f32 %f1, [%rd4];\n"
            "fma.rn.f32 %f2, %f0, 0f40000000, %f1;\nmul.f32 %f3, %f2, %f2;\n"
            "max.f32 %f4, %f3, 0f00000000;\nadd.f32 %f5, %f4, %f0;\n"
            "st.global.f32 [%rd4], %f5;",
            2));
  kernel.buffer(std::vector<float>(elements, 1.0f));
  DeviceAddress out = kernel.buffer(std::vector<float>(elements, 2.0f));
  kernel.launch.block = {256, 1, 1};
  kernel.launch.grid = {elements / 256, 1, 1};
  std::clock_t begin = std::clock();
  ASSERT_FALSE(kernel.run());
  double time = double(std::clock() - begin) * 1e9 / CLOCKS_PER_SEC;
  EXPECT_EQ(kernel.read<float>(out, elements), std::vector<float>(elements, 17.0f));
  double perInstruction = time / double(kernel.counters.warpInstructions);
  RecordProperty("nanoseconds_per_warp_instruction", int(perInstruction));
  std::printf("%.1f ns per warp instruction, %.0f ms for %u elements\n", perInstruction,
              time * 1e-6, elements);
  EXPECT_LT(perInstruction, 5000);
  EXPECT_EQ(kernel.counters.globalSectors, kernel.counters.idealGlobalSectors);
}

} // namespace
