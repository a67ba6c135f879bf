// The PTX of kernels: what each part of a kernel's form becomes, and refusals.
#include "tests/backends/cuda/PtxTesting.h"

#include <gmock/gmock.h>

namespace hexin::test {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// PTX of a kernel, which every GPU's assembler takes.
std::string judged(const std::string &mlirText) {
  std::string text = ptxOf(mlirText);
  if (!findPtxas().empty())
    for (const std::string &gpu : judgedGpus()) {
      Assembly assembly = assemble(text, gpu);
      EXPECT_EQ(assembly.error, "") << text;
      EXPECT_EQ(assembly.spillBytes, 0u) << gpu << "\n" << text;
    }
  return text;
}

std::string refusal(const std::string &mlirText) {
  std::string errors;
  EXPECT_EQ(ptxOf(mlirText, &errors), "");
  return errors;
}

const char *scale = R"(
    %n = arith.index_cast %p0 : i64 to index
    %at = arith.muli %i, %n : index
    %x = memref.load %b0[%at] : memref<?xf32>
    %two = arith.constant 2.5 : f32
    %y = arith.mulf %x, %two : f32
    memref.store %y, %b1[%i] : memref<?xf32>)";

TEST(Ptx, KernelFollowsTheAbi) {
  std::string text = judged(ptxKernel("scale_f32", {"f32", "f32"}, 1, scale));
  EXPECT_THAT(text,
              testing::StartsWith(".version 8.0\n.target sm_80\n.address_size 64\n"));
  EXPECT_THAT(text, ContainsRegex("\\.visible \\.entry scale_f32\\(\n"
                                  "\t\\.param \\.u64 [^\n]*scale_f32_param_0,\n"
                                  "\t\\.param \\.u64 [^\n]*scale_f32_param_1,\n"
                                  "\t\\.param \\.u64 scale_f32_param_2,\n"
                                  "\t\\.param \\.u64 scale_f32_param_3\n\\)\n"
                                  "\\.maxntid 256"));
  EXPECT_THAT(text, AllOf(HasSubstr("ld.global.nc"), HasSubstr("st.global"),
                          Not(HasSubstr(".extern"))));
}

TEST(Ptx, ItemsStrideOverTheGrid) {
  std::string text = judged(ptxKernel("scale_f32", {"f32", "f32"}, 1, scale));
  for (const char *part : {"%ctaid.x", "%ntid.x", "%tid.x", "%nctaid.x"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Ptx, IsDeterministic) {
  std::string module = ptxKernel("scale_f32", {"f32", "f32"}, 1, scale);
  EXPECT_EQ(ptxOf(module), ptxOf(module));
}

TEST(Ptx, KernelsShareAHead) {
  std::string text = judged(ptxKernel("one_f32", {"f32", "f32"}, 1, scale) +
                            ptxKernel("two_f32", {"f32", "f32"}, 1, scale));
  EXPECT_EQ(text.find(".version"), text.rfind(".version"));
  EXPECT_THAT(text, AllOf(HasSubstr(".entry one_f32("), HasSubstr(".entry two_f32(")));
}

const char *teamAttributes = "hx.team_threads = 64 : i64, hx.local_bytes = 256 : i64, ";
const char *teamBefore = "%t = gpu.thread_id x\n%local = memref.alloca() : "
                         "memref<64xf32, #gpu.address_space<workgroup>>\n";
const char *reverse = R"(
    %c63 = arith.constant 63 : index
    %c64 = arith.constant 64 : index
    %first = arith.muli %i, %c64 : index
    %at = arith.addi %first, %t : index
    %x = memref.load %b0[%at] : memref<?xf32>
    memref.store %x, %local[%t] : memref<64xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %other = arith.subi %c63, %t : index
    %y = memref.load %local[%other] : memref<64xf32, #gpu.address_space<workgroup>>
    memref.store %y, %b1[%at] : memref<?xf32>
    gpu.barrier)";

TEST(Ptx, TeamsAreBlocks) {
  std::string text = judged(
      ptxKernel("team_f32", {"f32", "f32"}, 0, reverse, teamAttributes, teamBefore));
  for (const char *part : {".reqntid 64", "bar.sync",
                           ".shared .align 16 .b8 "
                           "team_f32_local0[256]",
                           "st.shared", "ld.shared", "%ctaid.x", "%nctaid.x"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_THAT(text, Not(HasSubstr("%ntid.x")));
}

TEST(Ptx, ScratchIsLocal) {
  std::string text = judged(ptxKernel("scratch_f32", {"f32", "f32"}, 1, R"(
    %s = memref.alloca() : memref<512xf32>
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = arith.index_cast %p0 : i64 to index
    scf.for %j = %c0 to %n step %c1 {
      %x = memref.load %b0[%j] : memref<?xf32>
      memref.store %x, %s[%j] : memref<512xf32>
    }
    %y = memref.load %s[%i] : memref<512xf32>
    memref.store %y, %b1[%i] : memref<?xf32>)"));
  EXPECT_THAT(text, AllOf(HasSubstr(".local"), HasSubstr("st.local")));
}

TEST(Ptx, FusesWhereItMay) {
  std::string text = judged(ptxKernel("fused_f32", {"f32", "f32"}, 0, R"(
    %x = memref.load %b0[%i] : memref<?xf32>
    %m = arith.mulf %x, %x : f32
    %y = arith.addf %m, %x : f32
    memref.store %y, %b1[%i] : memref<?xf32>)"));
  EXPECT_THAT(text, AllOf(HasSubstr("fma.rn.f32"), Not(HasSubstr("mul.rn"))));
}

// No library, no approximation, denormals stay.
TEST(Ptx, MathIsOurs) {
  std::string body;
  for (const char *function : {"exp", "log", "tanh", "erf", "sin", "sqrt", "rsqrt",
                               "floor", "ceil", "trunc", "roundeven", "absf"})
    body += std::string("%") + function + " = math." + function + " %x : f32\n" +
            "memref.store %" + function + ", %b1[%i] : memref<?xf32>\n";
  std::string text =
      judged(ptxKernel("math_f32", {"f32", "f32"}, 0,
                       "%x = memref.load %b0[%i] : memref<?xf32>\n" + body));
  EXPECT_THAT(text, AllOf(Not(HasSubstr(".approx")), Not(HasSubstr(".ftz")),
                          Not(HasSubstr("call"))));
  std::string each = judged(ptxKernel("exact_f32", {"f32", "f32"}, 0, R"(
    %x = memref.load %b0[%i] : memref<?xf32>
    %s = math.sqrt %x : f32
    %d = arith.divf %s, %x : f32
    %m = arith.maximumf %d, %x : f32
    memref.store %m, %b1[%i] : memref<?xf32>)"));
  EXPECT_THAT(each, AllOf(HasSubstr("sqrt.rn.f32"), HasSubstr("div.rn.f32"),
                          HasSubstr("max.NaN.f32")));
}

TEST(Ptx, VectorsAreTakenApart) {
  std::string text = judged(ptxKernel("vector_all", {"f32", "f32", "i8"}, 0, R"(
    %c4 = arith.constant 4 : index
    %c16 = arith.constant 16 : index
    %at = arith.muli %i, %c16 : index
    %a = vector.load %b0[%at] : memref<?xf32>, vector<16xf32>
    %q = vector.load %b2[%at] : memref<?xi8>, vector<16xi8>
    %w = arith.sitofp %q : vector<16xi8> to vector<16xf32>
    %p = arith.mulf %a, %w : vector<16xf32>
    %e = math.exp %p : vector<16xf32>
    %zero = arith.constant 0.0 : f32
    %sum = vector.reduction <add>, %e, %zero : vector<16xf32> into f32
    %most = vector.reduction <maximumf>, %e : vector<16xf32> into f32
    %s = arith.divf %sum, %most : f32
    %r = vector.broadcast %s : f32 to vector<16xf32>
    %c = arith.cmpf olt, %e, %r : vector<16xf32>
    %d = arith.select %c, %e, %r : vector<16xi1>, vector<16xf32>
    vector.store %d, %b1[%at] : memref<?xf32>, vector<16xf32>)"));
  EXPECT_THAT(text, Not(HasSubstr(".extern")));
}

TEST(Ptx, NarrowFloatsAreWidened) {
  std::string text =
      judged(ptxKernel("narrow_all", {"f16", "bf16", "f64", "f16", "bf16"}, 0, R"(
    %x = memref.load %b0[%i] : memref<?xf16>
    %y = memref.load %b1[%i] : memref<?xbf16>
    %d = memref.load %b2[%i] : memref<?xf64>
    %xx = arith.mulf %x, %x : f16
    %xe = math.exp %xx : f16
    %yy = arith.addf %y, %y : bf16
    memref.store %xe, %b3[%i] : memref<?xf16>
    memref.store %yy, %b4[%i] : memref<?xbf16>
    %dx = arith.truncf %d : f64 to f16
    %dy = arith.truncf %d : f64 to bf16
    memref.store %dx, %b3[%i] : memref<?xf16>
    memref.store %dy, %b4[%i] : memref<?xbf16>)"));
  EXPECT_THAT(text, AllOf(Not(HasSubstr(".extern")), HasSubstr("cvt.rn.bf16.f32")));
}

TEST(Ptx, RefusesWhatIsNoKernel) {
  EXPECT_THAT(refusal(ptxKernel("alone", {"f32"}, 0, "gpu.barrier")),
              HasSubstr("no hx.team_threads"));
  EXPECT_THAT(refusal(ptxKernel("large", {"f32"}, 0, "gpu.barrier",
                                "hx.team_threads = 2048 : i64, ")),
              HasSubstr("is no number of threads from 1 to 1024"));
  EXPECT_THAT(refusal(ptxKernel("ends", {"f32"}, 0,
                                "%e = arith.index_cast %end : index to i32\n"
                                "%f = arith.sitofp %e : i32 to f32\n"
                                "memref.store %f, %b0[%i] : memref<?xf32>")),
              HasSubstr("no other use of begin and end"));
  EXPECT_THAT(refusal("func.func @\"k.1\"(%begin: index, %end: index) attributes "
                      "{hx.bindings = 0 : i64, hx.params = 0 : i64} { return }"),
              HasSubstr("is no name for a kernel"));
  EXPECT_THAT(refusal(ptxKernel("calls", {"f32"}, 0,
                                "%m = memref.alloc() : memref<4xf32>\n"
                                "%f = memref.load %m[%i] : memref<4xf32>\n"
                                "memref.store %f, %b0[%i] : memref<?xf32>")),
              HasSubstr("is not allowed in a kernel"));
}

TEST(Ptx, RefusesATypeThatNoGpuHas) {
  EXPECT_THAT(refusal(ptxKernel("pairs", {"complex<f32>"}, 0, "")),
              HasSubstr("has elements of type 'complex<f32>'"));
  EXPECT_THAT(refusal(ptxKernel("wide", {"f32", "f32"}, 0, R"(
    %x = memref.load %b0[%i] : memref<?xf32>
    %w = arith.extf %x : f32 to f128
    %u = arith.mulf %w, %w : f128
    %v = arith.mulf %u, %w : f128
    %y = arith.truncf %v : f128 to f32
    memref.store %y, %b1[%i] : memref<?xf32>)")),
              HasSubstr("is not known to translate"));
}

} // namespace
} // namespace hexin::test
