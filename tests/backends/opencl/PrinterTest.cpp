// The text of kernels: fragments that show each decision, and refusals.
#include "backends/opencl/abi/OpenclText.h"
#include "tests/backends/opencl/OpenclTesting.h"

#include <gmock/gmock.h>

namespace hexin::test {
namespace {

using opencl::kernelSymbol;
using testing::HasSubstr;
using testing::Not;

TEST(OpenclPrinter, KernelFollowsTheAbi) {
  std::string text = emitOpencl(kernel("scale_f32", {"f32", "f32"}, 1, R"(
    %n = arith.index_cast %p0 : i64 to index
    %at = arith.muli %i, %n : index
    %x = memref.load %b0[%at] : memref<?xf32>
    %two = arith.constant 2.0 : f32
    %y = arith.mulf %x, %two : f32
    memref.store %y, %b1[%i] : memref<?xf32>)"));
  EXPECT_EQ(text, R"(// OpenCL C 1.2
#pragma OPENCL FP_CONTRACT OFF

__kernel void scale_f32(__global const uchar *b0, ulong o0, __global uchar *b1, ulong o1, long p0, long items) {
const long begin = get_global_id(0);
if (begin >= items)
  return;
__global const float *m0 = (__global const float *)(b0 + o0);
__global float *m1 = (__global float *)(b1 + o1);
{
const long i0 = begin;
float v1 = m0[((ulong)i0 * ((ulong)p0))];
m1[i0] = (v1 * 0x1p1f);
}
}

)");
}

TEST(OpenclPrinter, IsDeterministic) {
  std::string module =
      kernel("copy_f32", {"f32", "f32"}, 0,
             "%x = memref.load %b0[%i] : memref<?xf32>\n%y = math.exp %x : f32\n"
             "memref.store %y, %b1[%i] : memref<?xf32>");
  EXPECT_EQ(emitOpencl(module), emitOpencl(module));
}

TEST(OpenclPrinter, ExtensionsOnlyWhenUsed) {
  auto copyOf = [](const std::string &type) {
    return emitOpencl(kernel("copy_all", {type, type}, 0,
                             "%x = memref.load %b0[%i] : memref<?x" + type +
                                 ">\nmemref.store %x, %b1[%i] : memref<?x" + type + ">"));
  };
  EXPECT_THAT(copyOf("f32"), Not(HasSubstr("cl_khr_fp64")));
  EXPECT_THAT(copyOf("f64"), HasSubstr("#pragma OPENCL EXTENSION cl_khr_fp64 : enable"));
  // Moving a narrow float moves its bits.
  EXPECT_THAT(copyOf("f16"),
              testing::AllOf(HasSubstr("ushort v"), Not(HasSubstr("half"))));
}

TEST(OpenclPrinter, ConstantsAreExact) {
  std::string text =
      emitOpencl(kernel("constants", {"f32", "f64", "i32", "i8", "f16"}, 0, R"(
    %a = arith.constant 0.1 : f32
    %b = arith.constant 0x7FC00000 : f32
    %c = arith.constant 0xFF800000 : f32
    %d = arith.constant -1.0e-320 : f64
    %e = arith.constant -5 : i32
    %f = arith.constant 2147483647 : i32
    %g = arith.constant -128 : i8
    %h = arith.constant 1.5 : f16
    memref.store %a, %b0[%i] : memref<?xf32>
    memref.store %b, %b0[%i] : memref<?xf32>
    memref.store %c, %b0[%i] : memref<?xf32>
    memref.store %d, %b1[%i] : memref<?xf64>
    memref.store %e, %b2[%i] : memref<?xi32>
    memref.store %f, %b2[%i] : memref<?xi32>
    memref.store %g, %b3[%i] : memref<?xi8>
    memref.store %h, %b4[%i] : memref<?xf16>)",
                        5));
  for (const char *literal :
       {"= 0x1.99999ap-4f;", "= as_float(0x7fc00000u);", "= as_float(0xff800000u);",
        "= (-0x0.00000000007e8p-1022);", "= (uint)-5;", "= 2147483647u;",
        "= (uchar)-128;", "= (ushort)0x3e00u;"})
    EXPECT_THAT(text, HasSubstr(literal));
}

TEST(OpenclPrinter, ContractFlagsFuse) {
  std::string body = R"(
    %x = memref.load %b0[%i] : memref<?xf32>
    %m = arith.mulf %x, %x FLAGS : f32
    %y = arith.addf %m, %x FLAGS : f32
    memref.store %y, %b1[%i] : memref<?xf32>)";
  auto emitWith = [&](const std::string &flags) {
    std::string text = body;
    for (size_t at; (at = text.find("FLAGS")) != std::string::npos;)
      text.replace(at, 5, flags);
    return emitOpencl(kernel("square_add", {"f32", "f32"}, 0, text));
  };
  EXPECT_THAT(emitWith("fastmath<contract>"), HasSubstr("hxh_fma(v1, v1, v1)"));
  EXPECT_THAT(emitWith(""), Not(HasSubstr("fma")));
}

TEST(OpenclPrinter, ExactFmaStaysFma) {
  std::string text = emitOpencl(kernel("fma_kinds", {"f32", "f32"}, 0, R"(
    %x = memref.load %b0[%i] : memref<?xf32>
    %a = math.fma %x, %x, %x {hx.exact} : f32
    %b = math.fma %a, %a, %a : f32
    memref.store %b, %b1[%i] : memref<?xf32>)"));
  EXPECT_THAT(text, HasSubstr("= fma(v1, v1, v1);"));
  EXPECT_THAT(text, HasSubstr("= hxh_fma(v2, v2, v2);"));
  EXPECT_THAT(text, HasSubstr("#ifdef HXH_SLOW_FMA"));
}

TEST(OpenclPrinter, NoAliasIsRestrict) {
  std::string text = emitOpencl(
      "func.func @fill_it(%b0: memref<?xf32> {llvm.noalias}, %begin: index, %end: index) "
      "attributes "
      "{hx.bindings = 1 : i64, hx.params = 0 : i64, hx.writes = array<i1: true>} {\n"
      "%c = arith.constant 1.0 : f32\nmemref.store %c, %b0[%begin] : "
      "memref<?xf32>\nreturn }");
  EXPECT_THAT(text, HasSubstr("__global uchar *restrict b0"));
}

TEST(OpenclPrinter, KernelNames) {
  for (const char *plain : {"add_f32", "map_12", "Conv3x3", "matmul_f32_4x16"})
    EXPECT_EQ(kernelSymbol(plain), plain);
  EXPECT_EQ(kernelSymbol("float4"), "hxk_float4");
  EXPECT_EQ(kernelSymbol("kernel"), "hxk_kernel");
  EXPECT_EQ(kernelSymbol("get_global_id"), "hxk_get_5fglobal_5fid");
  EXPECT_EQ(kernelSymbol("a.b"), "hxk_a_2eb");
  EXPECT_EQ(kernelSymbol("hxk_max"), "hxk_hxk_5fmax");
  EXPECT_EQ(kernelSymbol("1x1"), "hxk_1x1");
}

// -- Refusals: what, and what is expected instead ------------------------------------

std::string refusal(const std::string &mlirText) {
  std::string errors;
  EXPECT_EQ(emitOpencl(mlirText, &errors), "");
  return errors;
}

TEST(OpenclPrinter, RefusesWhatItCannotSay) {
  EXPECT_THAT(refusal(kernel("wide_vector", {"f32"}, 0, R"(
    %c0 = arith.constant 0 : index
    %v = vector.load %b0[%c0] : memref<?xf32>, vector<32xf32>
    vector.store %v, %b0[%c0] : memref<?xf32>, vector<32xf32>)")),
              HasSubstr("vectors of 2, 4, 8 or 16"));
  EXPECT_THAT(refusal(kernel("call_out", {"f32"}, 0, "func.call @wide() : () -> ()") +
                      "func.func private @wide()"),
              HasSubstr("compiler/target/Target.h"));
  EXPECT_THAT(refusal("func.func @no_kernel(%x: f32) { return }"),
              HasSubstr("is no kernel"));
  EXPECT_THAT(refusal(kernel("big_scratch", {"f32"}, 0, R"(
    %a = memref.alloca() : memref<100000xf32>
    %x = memref.load %a[%i] : memref<100000xf32>
    memref.store %x, %b0[%i] : memref<?xf32>)")),
              HasSubstr("pass scratch as a binding"));
  EXPECT_THAT(refusal(kernel("reads_only", {"f32"}, 0, R"(
    %c = arith.constant 1.0 : f32
    memref.store %c, %b0[%i] : memref<?xf32>)",
                             0)),
              HasSubstr("hx.writes says is only read"));
}

} // namespace
} // namespace hexin::test
