// The register block that CPU-like devices like: 4 rows x 16 columns in private
// vectors, one fused multiply-add per row and step.
#include "tests/backends/opencl/OpenclTesting.h"

namespace hexin::test {
namespace {

/// C[M, N] = A[M, K] * B[K, N]; item = one block. Params: N, K, blocks per row.
std::string blockBody(unsigned rows, unsigned vectors) {
  std::string body = R"(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %zero = arith.constant dense<0.0> : vector<16xf32>
    %n = arith.index_cast %p0 : i64 to index
    %depth = arith.index_cast %p1 : i64 to index
    %perRow = arith.index_cast %p2 : i64 to index
    %bm = arith.divui %i, %perRow : index
    %bn = arith.remui %i, %perRow : index
    %rows = arith.constant )" +
                     std::to_string(rows) + R"( : index
    %cols = arith.constant )" +
                     std::to_string(vectors * 16) + R"( : index
    %row = arith.muli %bm, %rows : index
    %col = arith.muli %bn, %cols : index
)";
  std::string args, types, inits, yields;
  for (unsigned r = 0; r < rows; ++r) {
    std::string id = std::to_string(r);
    body += "%r" + id + " = arith.constant " + id + " : index\n%row" + id +
            " = arith.addi %row, %r" + id + " : index\n%arow" + id +
            " = arith.muli %row" + id + ", %depth : index\n%crow" + id +
            " = arith.muli %row" + id + ", %n : index\n";
    for (unsigned v = 0; v < vectors; ++v) {
      std::string name = id + "_" + std::to_string(v), comma = args.empty() ? "" : ", ";
      args += comma + "%acc" + name + " = %zero";
      types += comma + "vector<16xf32>";
      yields += comma + "%s" + name;
    }
  }
  unsigned count = rows * vectors;
  body += "%sum:" + std::to_string(count) +
          " = scf.for %k = %c0 to %depth step %c1 iter_args(" + args + ") -> (" + types +
          ") {\n%brow = arith.muli %k, %n : index\n"
          "%bat = arith.addi %brow, %col : index\n";
  for (unsigned v = 0; v < vectors; ++v) {
    std::string id = std::to_string(v);
    body += "%v" + id + " = arith.constant " + std::to_string(v * 16) + " : index\n%bat" +
            id + " = arith.addi %bat, %v" + id + " : index\n%x" + id +
            " = vector.load %b1[%bat" + id + "] : memref<?xf32>, vector<16xf32>\n";
  }
  for (unsigned r = 0; r < rows; ++r) {
    std::string id = std::to_string(r);
    body += "%aat" + id + " = arith.addi %arow" + id + ", %k : index\n%a" + id +
            " = memref.load %b0[%aat" + id + "] : memref<?xf32>\n%w" + id +
            " = vector.broadcast %a" + id + " : f32 to vector<16xf32>\n";
    for (unsigned v = 0; v < vectors; ++v) {
      std::string name = id + "_" + std::to_string(v);
      body += "%s" + name + " = vector.fma %w" + id + ", %x" + std::to_string(v) +
              ", %acc" + name + " : vector<16xf32>\n";
    }
  }
  body += "scf.yield " + yields + " : " + types + "\n}\n";
  for (unsigned r = 0; r < rows; ++r)
    for (unsigned v = 0; v < vectors; ++v) {
      std::string name = std::to_string(r) + "_" + std::to_string(v);
      body += "%u" + name + " = arith.constant " + std::to_string(v * 16) +
              " : index\n%cc" + name + " = arith.addi %col, %u" + name +
              " : index\n%cat" + name + " = arith.addi %crow" + std::to_string(r) +
              ", %cc" + name + " : index\nvector.store %sum#" +
              std::to_string(r * vectors + v) + ", %b2[%cat" + name +
              "] : memref<?xf32>, vector<16xf32>\n";
    }
  return body;
}

void checkBlock(unsigned rows, unsigned vectors, int64_t m, int64_t n, int64_t k) {
  TestDevice device;
  if (!device.device)
    GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  hexin_module *module = device.load(emitOpencl(
      kernel("matmul_block", {"f32", "f32", "f32"}, 3, blockBody(rows, vectors))));
  ASSERT_TRUE(module) << device.error.message;
  std::vector<float> a(m * k), b(k * n), c(m * n);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = static_cast<float>(static_cast<int>(i * 7 % 13) - 6);
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = static_cast<float>(static_cast<int>(i * 5 % 11) - 5);
  int64_t perRow = n / (16 * vectors), items = m / rows * perRow;
  ASSERT_EQ(runKernel(device, module, "matmul_block", {bound(a), bound(b), bound(c)},
                      {n, k, perRow}, items, /*grain=*/1),
            "");
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      float expected = 0; // small integers: every order gives the same sum
      for (int64_t l = 0; l < k; ++l)
        expected += a[i * k + l] * b[l * n + j];
      ASSERT_EQ(c[i * n + j], expected) << i << ", " << j;
    }
  device.api->unload(device.device, module);
}

TEST(OpenclMatMul, FourBySixteen) { checkBlock(4, 1, 24, 48, 37); }
TEST(OpenclMatMul, FourByThirtyTwo) { checkBlock(4, 2, 8, 64, 5); }

} // namespace
} // namespace hexin::test
