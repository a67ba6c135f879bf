// The PTX of what only teams with asynchronous copies and matrices have.
#include "tests/backends/cuda/PtxTesting.h"

#include <gmock/gmock.h>

namespace hexin::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string judged(const std::string &mlirText) {
  std::string errors, text = ptxOf(mlirText, &errors);
  EXPECT_EQ(errors, "");
  if (!findPtxas().empty())
    for (const std::string &gpu : judgedGpus()) {
      Assembly assembly = assemble(text, gpu);
      EXPECT_EQ(assembly.error, "") << text;
      EXPECT_EQ(assembly.spillBytes, 0u) << gpu << "\n" << text;
    }
  return text;
}

const char *attributes = "hx.team_threads = 32 : i64, hx.local_bytes = 1024 : i64, ";

/// %local, of 512 elements of `type`, and %t.
std::string before(const std::string &type) {
  return "%t = gpu.thread_id x\n%local = memref.alloca() {alignment = 16 : i64} : "
         "memref<512x" +
         type + ", #gpu.address_space<workgroup>>\n";
}

const char *copies = R"(
    %c4 = arith.constant 4 : index
    %to = arith.muli %t, %c4 : index
    %n = arith.index_cast %p0 : i64 to index
    %some = nvgpu.device_async_copy %b0[%t], %local[%to], 1, %n :
      memref<?xf32> to memref<512xf32, #gpu.address_space<workgroup>>
    %all = nvgpu.device_async_copy %b0[%to], %local[%to], 4 :
      memref<?xf32> to memref<512xf32, #gpu.address_space<workgroup>>
    nvvm.cp.async.commit.group
    nvvm.cp.async.wait.group 1
    gpu.barrier
    %x = memref.load %local[%t] : memref<512xf32, #gpu.address_space<workgroup>>
    memref.store %x, %b1[%i] : memref<?xf32>)";

TEST(MatrixPtx, CopiesGoOnWhileThreadsCompute) {
  std::string text =
      judged(ptxKernel("copy_f32", {"f32", "f32"}, 1, copies, attributes, before("f32")));
  for (const char *part : {"cp.async.ca.shared.global [", "cp.async.cg.shared.global [",
                           "], 16;", "cp.async.commit_group;", "cp.async.wait_group"})
    EXPECT_THAT(text, HasSubstr(part));
}

std::string product(const std::string &type) {
  std::string memory = "memref<512x" + type + ", #gpu.address_space<workgroup>>";
  std::string four = "vector<4x2x" + type + ">", two = "vector<2x2x" + type + ">";
  return "%c16 = arith.constant 16 : index\n%at = arith.muli %t, %c16 : index\n"
         "%left = nvgpu.ldmatrix %local[%at] {numTiles = 4 : i32, transpose = false} : " +
         memory + " -> " + four +
         "\n%both = nvgpu.ldmatrix %local[%at] {numTiles = 4 : i32, transpose = true} "
         ": " +
         memory + " -> " + four + "\n%flat = vector.shape_cast %both : " + four +
         " to vector<8x" + type + ">\n%words = vector.bitcast %flat : vector<8x" + type +
         "> to vector<4xi32>\n"
         "%half = vector.shuffle %words, %words [2, 3] : vector<4xi32>, vector<4xi32>\n"
         "%pairs = vector.bitcast %half : vector<2xi32> to vector<4x" +
         type + ">\n%right = vector.shape_cast %pairs : vector<4x" + type + "> to " +
         two +
         R"(
    %zeros = arith.constant dense<0.0> : vector<2x2xf32>
    %once = nvgpu.mma.sync (%left, %right, %zeros) {mmaShape = [16, 8, 16]} :
      ()" +
         four + ", " + two + R"(, vector<2x2xf32>) -> vector<2x2xf32>
    %twice = nvgpu.mma.sync (%left, %right, %once) {mmaShape = [16, 8, 16]} :
      ()" +
         four + ", " + two + R"(, vector<2x2xf32>) -> vector<2x2xf32>
    %sums = vector.shape_cast %twice : vector<2x2xf32> to vector<4xf32>
    vector.store %sums, %b1[%at] : memref<?xf32>, vector<4xf32>)";
}

TEST(MatrixPtx, HalfsAreMultipliedByWarps) {
  for (std::string type : {"f16", "bf16"}) {
    std::string text = judged(ptxKernel("product_" + type, {type, "f32"}, 0,
                                        product(type), attributes, before(type)));
    EXPECT_THAT(text, AllOf(HasSubstr("ldmatrix.sync.aligned.m8n8.x4.shared.b16"),
                            HasSubstr("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"),
                            HasSubstr("mma.sync.aligned.m16n8k16.row.col.f32." + type +
                                      "." + type + ".f32")));
  }
}

/// Bytes that are unsigned as `flags` say.
std::string productOfBytes(const std::string &flags) {
  return R"(
    %c16 = arith.constant 16 : index
    %at = arith.muli %t, %c16 : index
    %left = nvgpu.ldmatrix %local[%at] {numTiles = 4 : i32, transpose = false} :
      memref<512xi8, #gpu.address_space<workgroup>> -> vector<4x4xi8>
    %flat = vector.shape_cast %left : vector<4x4xi8> to vector<16xi8>
    %words = vector.bitcast %flat : vector<16xi8> to vector<4xi32>
    %half = vector.shuffle %words, %words [2, 3] : vector<4xi32>, vector<4xi32>
    %bytes = vector.bitcast %half : vector<2xi32> to vector<8xi8>
    %right = vector.shape_cast %bytes : vector<8xi8> to vector<2x4xi8>
    %zeros = arith.constant dense<0> : vector<2x2xi32>
    %sums = nvgpu.mma.sync (%left, %right, %zeros) {mmaShape = [16, 8, 32])" +
         flags + R"(} :
      (vector<4x4xi8>, vector<2x4xi8>, vector<2x2xi32>) -> vector<2x2xi32>
    %all = vector.shape_cast %sums : vector<2x2xi32> to vector<4xi32>
    vector.store %all, %b1[%at] : memref<?xi32>, vector<4xi32>)";
}

TEST(MatrixPtx, BytesAreMultipliedByWarps) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "s8.s8"},
      {", hx.unsigned_left", "u8.s8"},
      {", hx.unsigned_right", "s8.u8"},
      {", hx.unsigned_left, hx.unsigned_right", "u8.u8"}};
  for (const auto &[flags, types] : cases) {
    std::string text = judged(ptxKernel("product_i8", {"i8", "i32"}, 0,
                                        productOfBytes(flags), attributes, before("i8")));
    EXPECT_THAT(text,
                HasSubstr("mma.sync.aligned.m16n8k32.row.col.s32." + types + ".s32"));
  }
}

TEST(MatrixPtx, OtherProductsAreRefused) {
  std::string errors;
  EXPECT_EQ(ptxOf(ptxKernel("product_f32", {"f32", "f32"}, 0, R"(
    %a = arith.constant dense<1.0> : vector<4x1xf32>
    %b = arith.constant dense<1.0> : vector<2x1xf32>
    %zeros = arith.constant dense<0.0> : vector<2x2xf32>
    %sums = nvgpu.mma.sync (%a, %b, %zeros) {mmaShape = [16, 8, 8], tf32Enabled} :
      (vector<4x1xf32>, vector<2x1xf32>, vector<2x2xf32>) -> vector<2x2xf32>
    %flat = vector.shape_cast %sums : vector<2x2xf32> to vector<4xf32>
    vector.store %flat, %b1[%i] : memref<?xf32>, vector<4xf32>)",
                            attributes),
                  &errors),
            "");
  EXPECT_THAT(errors, HasSubstr("expected matrices of 16 x 16 and 16 x 8 halfs"));
}

TEST(MatrixPtx, CopiesAreOfTeams) {
  std::string errors;
  EXPECT_EQ(
      ptxOf(ptxKernel("alone_f32", {"f32", "f32"}, 0, "nvvm.cp.async.commit.group\n"),
            &errors),
      "");
  EXPECT_THAT(errors, HasSubstr("is in a kernel that has no hx.team_threads"));
}

} // namespace
} // namespace hexin::test
