// Vector building and splitting, masks, casts between integers and floats.
#include "tests/backends/opencl/OpenclTesting.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

namespace hexin::test {
namespace {

class OpenclVectors : public testing::Test {
protected:
  void SetUp() override {
    if (!device.device)
      GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  }
  void TearDown() override {
    if (module)
      device.api->unload(device.device, module);
  }
  void load(const std::string &mlirText) {
    module = device.load(emitOpencl(mlirText));
    ASSERT_TRUE(module) << device.error.message;
  }

  TestDevice device;
  hexin_module *module = nullptr;
};

TEST_F(OpenclVectors, BuildSplitAndShuffle) {
  load(kernel("shuffle_all", {"f32", "f32"}, 1, R"(
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c12 = arith.constant 12 : index
    %c16 = arith.constant 16 : index
    %n = arith.index_cast %p0 : i64 to index
    %a = vector.load %b0[%c0] : memref<?xf32>, vector<4xf32>
    %b = vector.load %b0[%c4] : memref<?xf32>, vector<4xf32>
    %s = vector.shuffle %a, %b [3, 7, 0, 4] : vector<4xf32>, vector<4xf32>
    vector.store %s, %b1[%c0] : memref<?xf32>, vector<4xf32>
    %r = vector.shuffle %a, %a [2, 1] : vector<4xf32>, vector<4xf32>
    %e = vector.extract %r[1] : f32 from vector<2xf32>
    %d = vector.extract %b[%n] : f32 from vector<4xf32>
    %i0 = vector.insert %e, %a[2] : f32 into vector<4xf32>
    %i1 = vector.insert %d, %i0[%n] : f32 into vector<4xf32>
    vector.store %i1, %b1[%c4] : memref<?xf32>, vector<4xf32>
    %x:4 = vector.to_elements %b : vector<4xf32>
    %y = vector.from_elements %x#3, %x#2, %x#1, %x#0 : vector<4xf32>
    vector.store %y, %b1[%c8] : memref<?xf32>, vector<4xf32>
    %z = vector.broadcast %e : f32 to vector<4xf32>
    %f = vector.fma %z, %a, %b : vector<4xf32>
    vector.store %f, %b1[%c12] : memref<?xf32>, vector<4xf32>
    %t = vector.step : vector<4xindex>
    %u = arith.index_cast %t : vector<4xindex> to vector<4xi32>
    %v = arith.sitofp %u : vector<4xi32> to vector<4xf32>
    vector.store %v, %b1[%c16] : memref<?xf32>, vector<4xf32>)"));
  std::vector<float> in = {1, 2, 3, 4, 5, 6, 7, 8}, out(20);
  ASSERT_EQ(runKernel(device, module, "shuffle_all", {bound(in), bound(out)}, {3}, 1),
            "");
  EXPECT_EQ(out, (std::vector<float>{4, 8, 1, 5,  1,  2,  2, 8, 8, 7,
                                     6, 5, 7, 10, 13, 16, 0, 1, 2, 3}));
}

TEST_F(OpenclVectors, ReduceEveryKind) {
  std::string body = "%c0 = arith.constant 0 : index\n"
                     "%v = vector.load %b0[%c0] : memref<?xi32>, vector<16xi32>\n"
                     "%f = arith.sitofp %v : vector<16xi32> to vector<16xf32>\n"
                     "%acc = arith.constant 100 : i32\n"
                     "%w = vector.reduction <add>, %v, %acc : vector<16xi32> into i32\n"
                     "memref.store %w, %b1[%c0] : memref<?xi32>\n";
  std::vector<std::string> kinds = {"add",   "mul", "minui", "minsi", "maxui",
                                    "maxsi", "and", "or",    "xor"};
  for (size_t k = 0; k < kinds.size(); ++k) {
    std::string id = std::to_string(k);
    body += "%k" + id + " = arith.constant " + std::to_string(k + 1) + " : index\n%r" +
            id + " = vector.reduction <" + kinds[k] +
            ">, %v : vector<16xi32> into i32\n"
            "memref.store %r" +
            id + ", %b1[%k" + id + "] : memref<?xi32>\n";
  }
  std::vector<std::string> floatKinds = {"add",      "mul",     "minimumf",
                                         "maximumf", "minnumf", "maxnumf"};
  for (size_t k = 0; k < floatKinds.size(); ++k) {
    std::string id = "f" + std::to_string(k);
    body += "%k" + id + " = arith.constant " + std::to_string(k) + " : index\n%r" + id +
            " = vector.reduction <" + floatKinds[k] +
            ">, %f : vector<16xf32> into f32\n"
            "memref.store %r" +
            id + ", %b2[%k" + id + "] : memref<?xf32>\n";
  }
  // Masks: all and any, back to i1 scalars.
  body += R"(
    %four = arith.constant dense<4> : vector<16xi32>
    %m = arith.cmpi sgt, %v, %four : vector<16xi32>
    %all = vector.reduction <and>, %m : vector<16xi1> into i1
    %any = vector.reduction <or>, %m : vector<16xi1> into i1
    %all32 = arith.extui %all : i1 to i32
    %any32 = arith.extsi %any : i1 to i32
    %c20 = arith.constant 20 : index
    %c21 = arith.constant 21 : index
    memref.store %all32, %b1[%c20] : memref<?xi32>
    memref.store %any32, %b1[%c21] : memref<?xi32>)";
  load(kernel("reduce_all", {"i32", "i32", "f32"}, 0, body, 2));
  std::vector<int32_t> in = {3, -1, 2, 5, 1, 1, -2, 1, 1, 1, 3, 1, 1, 1, 1, 1}, out(22);
  std::vector<float> floats(6);
  ASSERT_EQ(runKernel(device, module, "reduce_all",
                      {bound(in), bound(out), bound(floats)}, {}, 1),
            "");
  EXPECT_EQ(std::vector<int32_t>(out.begin(), out.begin() + 10),
            (std::vector<int32_t>{
                120, 20, 180, 1, -2, -1, 5, 0, -1,
                std::accumulate(in.begin(), in.end(), 0, std::bit_xor<int32_t>())}));
  EXPECT_EQ(out[20], 0);
  EXPECT_EQ(out[21], -1);
  EXPECT_EQ(floats, (std::vector<float>{20, 180, -2, 5, -2, 5}));
}

TEST_F(OpenclVectors, CastsAndMasks) {
  load(kernel("casts_vector", {"i8", "i64", "f32", "i8"}, 0, R"(
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c8 = arith.constant 8 : index
    %c12 = arith.constant 12 : index
    %c16 = arith.constant 16 : index
    %c20 = arith.constant 20 : index
    %b = vector.load %b0[%c0] : memref<?xi8>, vector<4xi8>
    %s = arith.extsi %b : vector<4xi8> to vector<4xi64>
    %u = arith.extui %b : vector<4xi8> to vector<4xi64>
    vector.store %s, %b1[%c0] : memref<?xi64>, vector<4xi64>
    vector.store %u, %b1[%c4] : memref<?xi64>, vector<4xi64>
    %m = arith.trunci %b : vector<4xi8> to vector<4xi1>
    %ms = arith.extsi %m : vector<4xi1> to vector<4xi64>
    %mu = arith.extui %m : vector<4xi1> to vector<4xi64>
    vector.store %ms, %b1[%c8] : memref<?xi64>, vector<4xi64>
    vector.store %mu, %b1[%c12] : memref<?xi64>, vector<4xi64>
    %ones = arith.constant dense<true> : vector<4xi1>
    %not = arith.xori %m, %ones : vector<4xi1>
    %sel = arith.select %not, %s, %mu : vector<4xi1>, vector<4xi64>
    vector.store %sel, %b1[%c16] : memref<?xi64>, vector<4xi64>
    %bit = vector.extract %m[1] : i1 from vector<4xi1>
    %wide = vector.broadcast %bit : i1 to vector<4xi1>
    %sel2 = arith.select %wide, %s, %u : vector<4xi1>, vector<4xi64>
    %sel3 = arith.select %bit, %sel2, %u : vector<4xi64>
    vector.store %sel3, %b1[%c20] : memref<?xi64>, vector<4xi64>
    %fs = arith.sitofp %b : vector<4xi8> to vector<4xf32>
    %fu = arith.uitofp %b : vector<4xi8> to vector<4xf32>
    %fm = arith.uitofp %m : vector<4xi1> to vector<4xf32>
    vector.store %fs, %b2[%c0] : memref<?xf32>, vector<4xf32>
    vector.store %fu, %b2[%c4] : memref<?xf32>, vector<4xf32>
    vector.store %fm, %b2[%c8] : memref<?xf32>, vector<4xf32>
    %half = arith.constant dense<-0.5> : vector<4xf32>
    %g = arith.mulf %fs, %half : vector<4xf32>
    %i8s = arith.fptosi %g : vector<4xf32> to vector<4xi8>
    vector.store %i8s, %b3[%c0] : memref<?xi8>, vector<4xi8>
    %i8u = arith.fptoui %fu : vector<4xf32> to vector<4xi8>
    vector.store %i8u, %b3[%c4] : memref<?xi8>, vector<4xi8>
    %bits = vector.bitcast %fs : vector<4xf32> to vector<16xi8>
    vector.store %bits, %b3[%c8] : memref<?xi8>, vector<16xi8>)",
              3));
  std::vector<int8_t> in = {-100, 7, 0, 127}, bytes(24);
  std::vector<int64_t> wide(24);
  std::vector<float> floats(12);
  ASSERT_EQ(runKernel(device, module, "casts_vector",
                      {bound(in), bound(wide), bound(floats), bound(bytes)}, {}, 1),
            "");
  EXPECT_EQ(wide,
            (std::vector<int64_t>{-100, 7, 0, 127, 156,  7, 0, 127, 0,    -1, 0, -1,
                                  0,    1, 0, 1,   -100, 1, 0, 1,   -100, 7,  0, 127}));
  EXPECT_EQ(floats, (std::vector<float>{-100, 7, 0, 127, 156, 7, 0, 127, 0, 1, 0, 1}));
  EXPECT_EQ(std::vector<int8_t>(bytes.begin(), bytes.begin() + 8),
            (std::vector<int8_t>{50, -3, 0, -63, -100, 7, 0, 127}));
  EXPECT_EQ(0, std::memcmp(bytes.data() + 8, floats.data(), 16));
}

TEST_F(OpenclVectors, CastsOfScalars) {
  load(kernel("casts_scalar", {"i32", "i64", "f32"}, 0, R"(
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c4 = arith.constant 4 : index
    %x = memref.load %b0[%c0] : memref<?xi32>
    %s = arith.extsi %x : i32 to i64
    %u = arith.extui %x : i32 to i64
    memref.store %s, %b1[%c0] : memref<?xi64>
    memref.store %u, %b1[%c1] : memref<?xi64>
    %zero = arith.constant 0 : i32
    %neg = arith.cmpi slt, %x, %zero : i32
    %true = arith.constant true
    %false = arith.constant false
    %both = arith.andi %neg, %true : i1
    %less = arith.cmpi slt, %both, %false : i1
    %ns = arith.extsi %less : i1 to i64
    memref.store %ns, %b1[%c2] : memref<?xi64>
    %low, %high = arith.mulsi_extended %s, %u : i64
    memref.store %high, %b1[%c3] : memref<?xi64>
    %sum, %carry = arith.addui_extended %s, %s : i64, i1
    %carry64 = arith.extui %carry : i1 to i64
    memref.store %carry64, %b1[%c4] : memref<?xi64>
    %f = arith.sitofp %x : i32 to f32
    %g = arith.uitofp %x : i32 to f32
    memref.store %f, %b2[%c0] : memref<?xf32>
    memref.store %g, %b2[%c1] : memref<?xf32>
    %b = arith.bitcast %x : i32 to f32
    memref.store %b, %b2[%c2] : memref<?xf32>)",
              2));
  std::vector<int32_t> in = {-5};
  std::vector<int64_t> wide(5);
  std::vector<float> floats(3);
  ASSERT_EQ(runKernel(device, module, "casts_scalar",
                      {bound(in), bound(wide), bound(floats)}, {}, 1),
            "");
  // true as a signed i1 is -1, which is less than false.
  EXPECT_EQ(wide, (std::vector<int64_t>{-5, 4294967291, -1, -1, 1}));
  EXPECT_EQ(floats[0], -5.0f);
  EXPECT_EQ(floats[1], 4294967296.0f);
  EXPECT_EQ(0, std::memcmp(&floats[2], &in[0], 4));
}

} // namespace
} // namespace hexin::test
