// scf.for with carried values, scf.if with results, scf.while, private scratch.
#include "tests/backends/opencl/OpenclTesting.h"

#include <cmath>
#include <string_view>

namespace hexin::test {
namespace {

const char *fibonacciBody = R"(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %x0 = arith.constant 0 : i64
    %x1 = arith.constant 1 : i64
    %f:2 = scf.for %k = %c0 to %i step %c1 iter_args(%a = %x0, %b = %x1) -> (i64, i64) {
      %s = arith.addi %a, %b : i64
      scf.yield %b, %s : i64, i64
    }
    memref.store %f#0, %b0[%i] : memref<?xi64>)";

const char *swapBody = R"(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %x0 = arith.constant 0 : i64
    %x1 = arith.constant 1 : i64
    %f:2 = scf.for %k = %c0 to %i step %c1 iter_args(%a = %x0, %b = %x1) -> (i64, i64) {
      scf.yield %b, %a : i64, i64
    }
    memref.store %f#0, %b0[%i] : memref<?xi64>)";

const char *collatzBody = R"(
    %one = arith.constant 1 : i64
    %two = arith.constant 2 : i64
    %three = arith.constant 3 : i64
    %zero = arith.constant 0 : i64
    %n = arith.index_cast %i : index to i64
    %start = arith.addi %n, %one : i64
    %r:2 = scf.while (%v = %start, %steps = %zero) : (i64, i64) -> (i64, i64) {
      %more = arith.cmpi ne, %v, %one : i64
      scf.condition(%more) %v, %steps : i64, i64
    } do {
    ^bb0(%v: i64, %steps: i64):
      %bit = arith.andi %v, %one : i64
      %odd = arith.cmpi eq, %bit, %one : i64
      %next = scf.if %odd -> i64 {
        %t = arith.muli %v, %three : i64
        %u = arith.addi %t, %one : i64
        scf.yield %u : i64
      } else {
        %h = arith.divsi %v, %two : i64
        scf.yield %h : i64
      }
      %count = arith.addi %steps, %one : i64
      scf.yield %next, %count : i64, i64
    }
    memref.store %r#1, %b0[%i] : memref<?xi64>)";

/// Sums p0 values with stride p1 through a private array, stepping by 2.
const char *scratchBody = R"(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c8 = arith.constant 8 : index
    %zero = arith.constant 0.0 : f32
    %n = arith.index_cast %p0 : i64 to index
    %stride = arith.index_cast %p1 : i64 to index
    %scratch = memref.alloca() : memref<8xf32>
    scf.for %k = %c0 to %c8 step %c1 {
      memref.store %zero, %scratch[%k] : memref<8xf32>
    }
    scf.for %k = %c0 to %n step %c2 {
      %slot = arith.remui %k, %c8 : index
      %at = arith.muli %k, %stride : index
      %x = memref.load %b0[%at] : memref<?xf32>
      %inRange = arith.cmpi ult, %k, %n : index
      scf.if %inRange {
        %old = memref.load %scratch[%slot] : memref<8xf32>
        %new = arith.addf %old, %x : f32
        memref.store %new, %scratch[%slot] : memref<8xf32>
      }
    }
    %v = vector.load %scratch[%c0] : memref<8xf32>, vector<8xf32>
    %sum = vector.reduction <add>, %v : vector<8xf32> into f32
    %e = math.exp %zero : f32
    %r = arith.addf %sum, %e : f32
    memref.store %r, %b1[%i] : memref<?xf32>)";

TEST(OpenclControlFlow, LoopsAndBranches) {
  TestDevice device;
  if (!device.device)
    GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  hexin_module *module =
      device.load(emitOpencl(kernel("fibonacci", {"i64"}, 0, fibonacciBody) +
                             kernel("swap_values", {"i64"}, 0, swapBody) +
                             kernel("collatz", {"i64"}, 0, collatzBody)));
  ASSERT_TRUE(module) << device.error.message;

  std::vector<int64_t> out(12);
  ASSERT_EQ(runKernel(device, module, "fibonacci", {bound(out)}, {}, 12), "");
  EXPECT_EQ(out, (std::vector<int64_t>{0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89}));
  ASSERT_EQ(runKernel(device, module, "swap_values", {bound(out)}, {}, 12), "");
  EXPECT_EQ(out, (std::vector<int64_t>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}));
  ASSERT_EQ(runKernel(device, module, "collatz", {bound(out)}, {}, 12), "");
  EXPECT_EQ(out, (std::vector<int64_t>{0, 1, 7, 2, 5, 8, 16, 3, 19, 6, 14, 9}));
  device.api->unload(device.device, module);
}

TEST(OpenclControlFlow, PrivateScratch) {
  TestDevice device;
  if (!device.device)
    GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  if (std::string_view(device.info.driver).find("Intel(R) OpenCL") !=
      std::string_view::npos)
    GTEST_SKIP() << "Intel's runtime for CPUs (2026.2) vectorises the loop over k and "
                    "loses an addition where two k have one slot";
  hexin_module *module =
      device.load(emitOpencl(kernel("scratch_sum", {"f32", "f32"}, 2, scratchBody)));
  ASSERT_TRUE(module) << device.error.message;

  std::vector<float> in(40), sum(3);
  float expected = 0;
  for (size_t i = 0; i < in.size(); ++i)
    in[i] = static_cast<float>(i);
  for (size_t i = 0; i < 20; i += 2)
    expected += in[i * 2];
  ASSERT_EQ(runKernel(device, module, "scratch_sum", {bound(in), bound(sum)}, {20, 2}, 3),
            "");
  EXPECT_EQ(sum, std::vector<float>(3, expected + 1.0f));
  // Stride 0: a dimension that broadcasts at run time.
  ASSERT_EQ(runKernel(device, module, "scratch_sum", {bound(in), bound(sum)}, {20, 0}, 3),
            "");
  EXPECT_EQ(sum, std::vector<float>(3, 1.0f));
  device.api->unload(device.device, module);
}

} // namespace
} // namespace hexin::test
