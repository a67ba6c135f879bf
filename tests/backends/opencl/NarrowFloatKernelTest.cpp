// f16 and bf16: kept as bits, computed in f32, rounded once.
#include "runtime/base/Float16.h"
#include "tests/backends/opencl/OpenclTesting.h"

#include <bit>
#include <cmath>

namespace hexin::test {
namespace {

/// Values around every kind of rounding decision of a narrow format.
std::vector<double> roundingValues() {
  std::vector<double> values = {0.0,      -0.0,      1.0,     65504.0, 65519.9, 65520.0,
                                1e30,     -1e39,     5.96e-8, 2.98e-8, 2.99e-8, 1e-50,
                                INFINITY, -INFINITY, NAN,     3.4e38};
  for (int exponent = -27; exponent < 20; ++exponent)
    for (int step = 0; step < 40; ++step) {
      double mantissa = 1.0 + step / 40.0;
      values.push_back(std::ldexp(mantissa, exponent));
      // Ties of f16 and bf16, and their neighbours in f64.
      for (int bits : {8, 11}) {
        double tie = std::ldexp(1.0 + (2 * step + 1) * std::ldexp(1.0, -bits), exponent);
        values.push_back(tie);
        values.push_back(std::nextafter(tie, 0.0));
        values.push_back(-std::nextafter(tie, 1e9));
      }
    }
  values.resize(values.size() / 16 * 16);
  return values;
}

std::string convertBody(const std::string &op, const std::string &from,
                        const std::string &to) {
  return "%lanes = arith.constant 16 : index\n%at = arith.muli %i, %lanes : index\n"
         "%x = vector.load %b0[%at] : memref<?x" +
         from + ">, vector<16x" + from +
         ">\n"
         "%y = " +
         op + " %x : vector<16x" + from + "> to vector<16x" + to +
         ">\n"
         "vector.store %y, %b1[%at] : memref<?x" +
         to + ">, vector<16x" + to +
         ">\n"
         "%s = memref.load %b0[%at] : memref<?x" +
         from +
         ">\n"
         "%t = " +
         op + " %s : " + from + " to " + to +
         "\n"
         "memref.store %t, %b2[%i] : memref<?x" +
         to + ">";
}

struct Narrow {
  std::string name;
  float (*widen)(uint16_t);
  uint16_t (*narrow)(double);
};

class OpenclNarrowFloats : public testing::TestWithParam<Narrow> {};

TEST_P(OpenclNarrowFloats, ConvertLikeTheHost) {
  const Narrow &format = GetParam();
  TestDevice device;
  if (!device.device)
    GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  const std::string &n = format.name;
  bool hasF64 = device.info.flags & HEXIN_DEVICE_FP64;
  std::string text =
      kernel("widen_all", {n, "f32", "f32"}, 0, convertBody("arith.extf", n, "f32"), 2) +
      kernel("narrow_f32", {"f32", n, n}, 0, convertBody("arith.truncf", "f32", n), 2);
  if (hasF64)
    text +=
        kernel("narrow_f64", {"f64", n, n}, 0, convertBody("arith.truncf", "f64", n), 2);
  // x * x + x rounded after each op, negated and compared, and moved untouched.
  text += kernel("compute_all", {n, n, n, "i8"}, 0,
                 "%x = memref.load %b0[%i] : memref<?x" + n +
                     ">\n%m = arith.mulf %x, %x : " + n +
                     "\n%s = arith.addf %m, %x : " + n + "\n%g = arith.negf %s : " + n +
                     "\nmemref.store %g, %b1[%i] : memref<?x" + n +
                     ">\nmemref.store %x, %b2[%i] : memref<?x" + n +
                     ">\n%c = arith.cmpf olt, %x, %s : " + n +
                     "\n%b = arith.extui %c : i1 to i8\n"
                     "memref.store %b, %b3[%i] : memref<?xi8>",
                 3);
  hexin_module *module = device.load(emitOpencl(text));
  ASSERT_TRUE(module) << device.error.message;

  std::vector<uint16_t> all(1 << 16), product(1 << 16), moved(1 << 16);
  std::vector<float> wide(1 << 16), scalarWide(1 << 12);
  std::vector<uint8_t> isLess(1 << 16);
  for (unsigned i = 0; i < all.size(); ++i)
    all[i] = static_cast<uint16_t>(i);
  ASSERT_EQ(runKernel(device, module, "widen_all",
                      {bound(all), bound(wide), bound(scalarWide)}, {}, 1 << 12),
            "");
  ASSERT_EQ(runKernel(device, module, "compute_all",
                      {bound(all), bound(product), bound(moved), bound(isLess)}, {},
                      1 << 16),
            "");
  for (unsigned i = 0; i < all.size(); ++i) {
    float x = format.widen(all[i]);
    if (std::isnan(x)) {
      ASSERT_TRUE(std::isnan(wide[i])) << i;
    } else {
      ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), std::bit_cast<uint32_t>(x)) << i;
      ASSERT_EQ(std::bit_cast<uint32_t>(scalarWide[i / 16]),
                std::bit_cast<uint32_t>(format.widen(all[i / 16 * 16])));
      uint16_t square = format.narrow(double(x) * x);
      uint16_t sum = format.narrow(double(format.widen(square)) + x);
      if (!std::isnan(format.widen(sum)))
        ASSERT_EQ(product[i], sum ^ 0x8000) << x;
      ASSERT_EQ(isLess[i], x < format.widen(sum)) << x;
    }
    ASSERT_EQ(moved[i], all[i]);
  }

  std::vector<double> doubles = roundingValues();
  std::vector<float> floats(doubles.begin(), doubles.end());
  std::vector<uint16_t> out(doubles.size()), scalarOut(doubles.size() / 16);
  auto check = [&](auto &inputs, const std::string &name) {
    ASSERT_EQ(runKernel(device, module, name,
                        {bound(inputs), bound(out), bound(scalarOut)}, {},
                        static_cast<int64_t>(inputs.size() / 16)),
              "");
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (std::isnan(inputs[i])) {
        ASSERT_TRUE(std::isnan(format.widen(out[i])));
        continue;
      }
      ASSERT_EQ(out[i], format.narrow(inputs[i])) << name << " of " << double(inputs[i]);
      ASSERT_EQ(scalarOut[i / 16], format.narrow(inputs[i / 16 * 16]));
    }
  };
  check(floats, "narrow_f32");
  if (hasF64)
    check(doubles, "narrow_f64");
  device.api->unload(device.device, module);
}

INSTANTIATE_TEST_SUITE_P(Formats, OpenclNarrowFloats,
                         testing::Values(Narrow{"f16", f16ToF32, f64ToF16},
                                         Narrow{"bf16", bf16ToF32, f64ToBf16}),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace hexin::test
