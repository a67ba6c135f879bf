//===- EmitImageTest.cpp - small kernels, compiled and run on every arch ----===//
#include "tests/backends/cpu/KernelFixture.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <numeric>

using namespace hexin::test;

namespace {

class EmitImage : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(archs, EmitImage, testing::ValuesIn(runnableArchs()),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

/// A kernel over scalars: `body` computes %r from %v; types name the elements.
std::string mapKernel(const std::string &from, const std::string &to,
                      const std::string &body, const std::string &name = "map") {
  return "func.func @" + name + "(%x: memref<?x" + from + ">, %y: memref<?x" + to +
         ">, %begin: index, %end: index) attributes {hx.bindings = 2 : i64, hx.params = "
         "0 : i64} "
         "{\n  %one = arith.constant 1 : index\n  scf.for %i = %begin to %end step %one "
         "{\n"
         "    %v = memref.load %x[%i] : memref<?x" +
         from + ">\n    " + body + "\n    memref.store %r, %y[%i] : memref<?x" + to +
         ">\n  }\n  return\n}\n";
}

TEST_P(EmitImage, paramsAndRange) {
  std::string image = compileKernels(R"(
    func.func @axpb(%x: memref<?xf32>, %y: memref<?xf32>, %n: i64, %stride: i64,
                    %begin: index, %end: index)
        attributes {hx.bindings = 2 : i64, hx.params = 2 : i64, hx.writes = array<i1: false, true>} {
      %one = arith.constant 1 : index
      %s = arith.index_cast %stride : i64 to index
      %f = arith.sitofp %n : i64 to f32
      scf.for %i = %begin to %end step %one {
        %at = arith.muli %i, %s : index
        %v = memref.load %x[%at] : memref<?xf32>
        %r = arith.addf %v, %f : f32
        memref.store %r, %y[%i] : memref<?xf32>
      }
      return
    })",
                                     GetParam());
  LoadedKernels kernels(image, GetParam());
  std::vector<float> x(2000), y(1000, -1);
  std::iota(x.begin(), x.end(), 0.0f);
  kernels.run("axpb", {bytes(x), bytes(y)}, {7, 2}, 1000);
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(y[i], 2 * i + 7);
  kernels.run("axpb", {bytes(x), bytes(y)}, {9, 0}, 1000, 10000);
  EXPECT_EQ(y[999], 9);
}

TEST_P(EmitImage, vectorOps) {
  std::string image = compileKernels(R"(
    func.func @dot(%a: memref<?xf32>, %b: memref<?xf32>, %c: memref<?xf32>, %k: i64,
                   %begin: index, %end: index)
        attributes {hx.bindings = 3 : i64, hx.params = 1 : i64} {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %eight = arith.constant 8 : index
      %f0 = arith.constant 0.0 : f32
      %z = arith.constant dense<0.0> : vector<8xf32>
      %n = arith.index_cast %k : i64 to index
      scf.for %i = %begin to %end step %one {
        %row = arith.muli %i, %n : index
        %acc = scf.for %j = %zero to %n step %eight iter_args(%s = %z) -> vector<8xf32> {
          %at = arith.addi %row, %j : index
          %u = vector.load %a[%at] : memref<?xf32>, vector<8xf32>
          %v = vector.load %b[%j] : memref<?xf32>, vector<8xf32>
          %t = vector.fma %u, %v, %s : vector<8xf32>
          scf.yield %t : vector<8xf32>
        }
        %lo, %hi = vector.deinterleave %acc : vector<8xf32> -> vector<4xf32>
        %first = vector.shuffle %lo, %hi [0, 1, 2, 3, 4, 5, 6, 7] : vector<4xf32>, vector<4xf32>
        %e = vector.extract %first[0] : f32 from vector<8xf32>
        %again = vector.insert %e, %first[0] : f32 into vector<8xf32>
        %steps = vector.step : vector<8xindex>
        %ints = arith.index_cast %steps : vector<8xindex> to vector<8xi32>
        %bits = vector.bitcast %again : vector<8xf32> to vector<8xi32>
        %back = arith.bitcast %bits : vector<8xi32> to vector<8xf32>
        %parts:8 = vector.to_elements %back : vector<8xf32>
        %all = vector.from_elements %parts#0, %parts#1, %parts#2, %parts#3, %parts#4, %parts#5, %parts#6, %parts#7 : vector<8xf32>
        %sum = vector.reduction <add>, %all, %f0 : vector<8xf32> into f32
        %bcast = vector.broadcast %sum : f32 to vector<2xf32>
        %r = vector.extract %bcast[1] : f32 from vector<2xf32>
        memref.store %r, %c[%i] : memref<?xf32>
      }
      return
    })",
                                     GetParam());
  LoadedKernels kernels(image, GetParam());
  std::vector<float> a(64 * 100), b(64), c(100);
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = float(i % 13) - 6;
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = float(i % 7) - 3;
  kernels.run("dot", {bytes(a), bytes(b), bytes(c)}, {64}, 100, 1);
  for (int i = 0; i < 100; ++i) {
    float expected = 0;
    for (int j = 0; j < 64; ++j)
      expected += a[i * 64 + j] * b[j];
    ASSERT_EQ(c[i], expected) << i;
  }
}

TEST_P(EmitImage, scratchInALoopDoesNotGrowTheStack) {
  std::string image = compileKernels(mapKernel("f32", "f32", R"(
        %s = memref.alloca() : memref<4096xf32>
        memref.store %v, %s[%one] : memref<4096xf32>
        %r = memref.load %s[%one] : memref<4096xf32>)"),
                                     GetParam());
  LoadedKernels kernels(image, GetParam(), 1);
  std::vector<float> x(100000, 3), y(x.size());
  kernels.run("map", {bytes(x), bytes(y)}, {}, x.size());
  EXPECT_EQ(y.back(), 3);
}

// Mapped from the file where the image's offset is page-aligned, copied where not.
TEST_P(EmitImage, loadedFromAFile) {
  std::string image =
      compileKernels(mapKernel("f32", "f32", "%r = arith.addf %v, %v : f32"), GetParam());
  for (size_t offset : {size_t(8192), size_t(100)}) {
    std::FILE *file = std::tmpfile();
    ASSERT_TRUE(file);
    std::string contents = std::string(offset, 'x') + image;
    ASSERT_EQ(std::fwrite(contents.data(), 1, contents.size(), file), contents.size());
    std::fflush(file);
    LoadedKernels kernels(image, GetParam(), 1, fileno(file), offset);
    std::fclose(file);
    std::vector<float> x(10, 3), y(10);
    kernels.run("map", {bytes(x), bytes(y)}, {}, 10);
    EXPECT_EQ(y[9], 6);
  }
}

float fromBF16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

float fromF16(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float value = exponent == 31  ? (mantissa ? NAN : INFINITY)
                : exponent == 0 ? std::ldexp(float(mantissa), -24)
                                : std::ldexp(float(mantissa + 1024), exponent - 25);
  return bits & 0x8000 ? -value : value;
}

/// Every narrow value widens exactly; every f32 and f64 between two narrow values
/// goes to the nearer one, ties to even.
template <typename Wide>
void checkNarrow(const std::string &arch, const std::string &narrow,
                 const std::string &wide, float (*decode)(uint16_t)) {
  std::string image = compileKernels(
      mapKernel(narrow, wide, "%r = arith.extf %v : " + narrow + " to " + wide, "widen") +
          mapKernel(wide, narrow, "%r = arith.truncf %v : " + wide + " to " + narrow,
                    "narrow"),
      arch);
  LoadedKernels kernels(image, arch);
  std::vector<uint16_t> all(65536);
  std::iota(all.begin(), all.end(), 0);
  std::vector<Wide> values(all.size());
  kernels.run("widen", {bytes(all), bytes(values)}, {}, all.size(), 64);
  for (size_t i = 0; i < all.size(); ++i) {
    float expected = decode(all[i]);
    ASSERT_TRUE(std::isnan(expected)
                    ? std::isnan(values[i])
                    : values[i] == expected &&
                          std::signbit(values[i]) == std::signbit(expected))
        << narrow << " " << i;
  }
  // Between neighbours u < v of positive finite values: below, at and above the tie.
  std::vector<Wide> between;
  std::vector<uint16_t> expected, got;
  uint16_t infinity = narrow == "bf16" ? 0x7f80 : 0x7c00;
  for (uint16_t u = 0; u < infinity - 1; ++u) {
    Wide low = decode(u), high = decode(u + 1), tie = low + (high - low) / 2;
    for (Wide sign : {Wide(1), Wide(-1)}) {
      uint16_t signBit = sign < 0 ? 0x8000 : 0;
      if (tie == low || tie == high)
        continue; // denormal f32 beside bf16
      between.insert(between.end(), {sign * low, sign * std::nextafter(tie, low),
                                     sign * tie, sign * std::nextafter(tie, high)});
      expected.insert(expected.end(), {uint16_t(u | signBit), uint16_t(u | signBit),
                                       uint16_t((u & 1 ? u + 1 : u) | signBit),
                                       uint16_t((u + 1) | signBit)});
    }
  }
  between.insert(between.end(),
                 {Wide(INFINITY), std::numeric_limits<Wide>::max(), Wide(0), -Wide(0),
                  std::numeric_limits<Wide>::denorm_min()});
  expected.insert(expected.end(), {infinity, infinity, 0, 0x8000, 0});
  got.resize(between.size());
  kernels.run("narrow", {bytes(between), bytes(got)}, {}, between.size(), 64);
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], expected[i]) << narrow << " of " << between[i];
  std::vector<Wide> nan(1, NAN);
  std::vector<uint16_t> nanBits(1);
  kernels.run("narrow", {bytes(nan), bytes(nanBits)}, {}, 1);
  EXPECT_TRUE(std::isnan(decode(nanBits[0])));
}

TEST_P(EmitImage, narrowFloats) {
  checkNarrow<float>(GetParam(), "bf16", "f32", fromBF16);
  checkNarrow<float>(GetParam(), "f16", "f32", fromF16);
  checkNarrow<double>(GetParam(), "bf16", "f64", fromBF16);
  checkNarrow<double>(GetParam(), "f16", "f64", fromF16);
}

TEST_P(EmitImage, narrowArithmeticIsInF32) {
  std::string image = compileKernels(
      mapKernel("bf16", "bf16",
                "%e = math.exp %v : bf16\n    %r = arith.addf %e, %v : bf16"),
      GetParam());
  LoadedKernels kernels(image, GetParam());
  std::vector<uint16_t> x = {0x3f80, 0}, y(2); // 1, 0
  kernels.run("map", {bytes(x), bytes(y)}, {}, 2);
  EXPECT_NEAR(fromBF16(y[0]), 3.71828, 0.02);
  EXPECT_EQ(fromBF16(y[1]), 1);
}

// LLVM widens a narrow float that it carries through a branch or a select, and calls a
// function to narrow it again.
TEST(EmitImageArchs, narrowFloatsThroughBranchesOnEveryArch) {
  const char *body = R"(
    %zero = arith.constant 0.0 : FLOAT
    %two = arith.constant 2.0 : FLOAT
    %at = arith.constant 0 : index
    %four = arith.constant 4 : index
    %isAbove = arith.cmpf ogt, %v, %two : FLOAT
    %chosen = arith.select %isAbove, %v, %two : FLOAT
    %branch = scf.if %isAbove -> FLOAT {
      %other = memref.load %x[%at] : memref<?xFLOAT>
      scf.yield %other : FLOAT
    } else {
      scf.yield %zero : FLOAT
    }
    %vector = vector.from_elements %branch, %chosen, %v, %zero : vector<4xFLOAT>
    %carried = scf.for %k = %at to %four step %one iter_args(%c = %vector) -> (vector<4xFLOAT>) {
      %last = vector.shuffle %c, %vector [1, 2, 3, 4] : vector<4xFLOAT>, vector<4xFLOAT>
      scf.yield %last : vector<4xFLOAT>
    }
    %second = vector.extract %carried[1] : FLOAT from vector<4xFLOAT>
    %best = arith.maximumf %second, %branch : FLOAT
    %r = arith.addf %best, %zero : FLOAT)";
  std::vector<std::string> runnable = runnableArchs();
  for (const char *arch : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
    for (const char *type : {"bf16", "f16"}) {
      std::string text = body, messages;
      for (size_t at; (at = text.find("FLOAT")) != std::string::npos;)
        text.replace(at, 5, type);
      std::string image = compileKernels(mapKernel(type, type, text), arch, &messages);
      ASSERT_FALSE(image.empty()) << arch << " " << type << ": " << messages;
      if (std::find(runnable.begin(), runnable.end(), arch) == runnable.end())
        continue;
      LoadedKernels kernels(image, arch);
      bool isHalf = type == std::string("f16");
      // Above 2 it is the first element, else 0.
      std::vector<uint16_t> x = isHalf ? std::vector<uint16_t>{0x3c00, 0x4200, 0x4500}
                                       : std::vector<uint16_t>{0x3f80, 0x4040, 0x40a0};
      std::vector<uint16_t> y(3);
      kernels.run("map", {bytes(x), bytes(y)}, {}, 3);
      auto decode = isHalf ? fromF16 : fromBF16;
      EXPECT_EQ(decode(y[0]), 0.0f);
      EXPECT_EQ(decode(y[1]), 1.0f);
      EXPECT_EQ(decode(y[2]), 1.0f);
    }
}

TEST_P(EmitImage, integerMath) {
  std::string image = compileKernels(mapKernel("i64", "i64", R"(
        %a = math.absi %v : i64
        %b = math.ctpop %v : i64
        %c = math.ctlz %v : i64
        %d = math.cttz %v : i64
        %three = arith.constant 3 : i64
        %e = math.ipowi %v, %three : i64
        %ab = arith.addi %a, %b : i64
        %abc = arith.addi %ab, %c : i64
        %abcd = arith.addi %abc, %d : i64
        %r = arith.addi %abcd, %e : i64)"),
                                     GetParam());
  LoadedKernels kernels(image, GetParam());
  std::vector<int64_t> x = {0, 1, -1, 40, -96, INT64_MAX}, y(x.size());
  kernels.run("map", {bytes(x), bytes(y)}, {}, x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    auto u = uint64_t(x[i]);
    uint64_t expected = uint64_t(std::llabs(x[i])) + std::popcount(u) +
                        std::countl_zero(u) + std::countr_zero(u) + u * u * u;
    EXPECT_EQ(uint64_t(y[i]), expected) << x[i];
  }
}

// LLVM may abort on, or call a library for, what it does not know: each op on each
// type, scalar and vector, must compile to a self-contained image.
TEST_P(EmitImage, everyOpOnEveryType) {
  const std::vector<const char *> floats = {"f16", "bf16", "f32", "f64"};
  const std::vector<const char *> ints = {"i8", "i16", "i32", "i64"};
  const std::vector<std::pair<std::vector<std::string>, std::vector<const char *>>>
      binary = {
          {{"arith.addf", "arith.subf", "arith.mulf", "arith.divf", "arith.remf",
            "arith.maximumf", "arith.minimumf", "arith.maxnumf", "arith.minnumf",
            "math.copysign", "math.powf", "math.atan2"},
           floats},
          {{"arith.addi",  "arith.subi",      "arith.muli",       "arith.divsi",
            "arith.divui", "arith.remsi",     "arith.remui",      "arith.andi",
            "arith.ori",   "arith.xori",      "arith.shli",       "arith.shrsi",
            "arith.shrui", "arith.maxsi",     "arith.maxui",      "arith.minsi",
            "arith.minui", "arith.ceildivsi", "arith.floordivsi", "arith.ceildivui"},
           ints}};
  const std::vector<std::string> unary = {
      "arith.negf", "math.absf",      "math.sqrt",  "math.floor", "math.ceil",
      "math.trunc", "math.roundeven", "math.round", "math.exp",   "math.exp2",
      "math.expm1", "math.log",       "math.log2",  "math.log10", "math.log1p",
      "math.sin",   "math.cos",       "math.tan",   "math.asin",  "math.acos",
      "math.atan",  "math.sinh",      "math.cosh",  "math.tanh",  "math.asinh",
      "math.acosh", "math.atanh",     "math.erf",   "math.rsqrt", "math.cbrt"};
  std::string text;
  int count = 0;
  auto add = [&](const std::string &from, const std::string &to,
                 const std::string &body) {
    std::string n = std::to_string(count++);
    text += "func.func @k" + n + "(%x: memref<?x" + from + ">, %y: memref<?x" + to +
            ">, %i: index, %end: index) attributes {hx.bindings = 2 : i64, hx.params = 0 "
            ": i64} {\n";
    auto replaced = [&](bool isVector) {
      std::string f = isVector ? "vector<8x" + from + ">" : from;
      std::string t = isVector ? "vector<8x" + to + ">" : to;
      std::string s = body, suffix = isVector ? "v" : "s";
      auto all = [&](const std::string &what, const std::string &with) {
        for (size_t at = 0; (at = s.find(what, at)) != std::string::npos;
             at += with.size())
          s.replace(at, what.size(), with);
      };
      all("FROM", f);
      all("TO", t);
      all("%v", "%v" + suffix);
      all("%w", "%w" + suffix);
      all("%r", "%r" + suffix);
      std::string load = isVector ? "vector.load" : "memref.load";
      std::string types = isVector ? ", " + f : "";
      text += "  %v" + suffix + " = " + load + " %x[%i] : memref<?x" + from + ">" +
              types + "\n";
      if (from == to)
        text += "  %w" + suffix + " = " + load + " %y[%i] : memref<?x" + to + ">" +
                types + "\n";
      text += "  " + s + "\n  ";
      text += isVector ? "vector.store %rv, %y[%end] : memref<?x" + to + ">, " + t
                       : "memref.store %rs, %y[%i] : memref<?x" + to + ">";
      text += "\n";
    };
    replaced(false);
    replaced(true);
    text += "  return\n}\n";
  };
  for (const auto &[ops, types] : binary)
    for (const std::string &op : ops)
      for (const char *type : types)
        add(type, type, "%r = " + op + " %v, %w : FROM");
  for (const std::string &op : unary)
    for (const char *type : floats)
      add(type, type, "%r = " + op + " %v : FROM");
  for (const char *i : ints)
    for (const char *f : floats) {
      add(i, f, "%r = arith.sitofp %v : FROM to TO");
      add(i, f, "%r = arith.uitofp %v : FROM to TO");
      add(f, i, "%r = arith.fptosi %v : FROM to TO");
      add(f, i, "%r = arith.fptoui %v : FROM to TO");
    }
  EXPECT_FALSE(compileKernels(text, GetParam()).empty());
}

TEST(EmitImageErrors, callsAreRefusedAtTheOp) {
  std::string messages;
  EXPECT_EQ(compileKernels(R"(
    func.func @k(%x: memref<?xf32>, %begin: index, %end: index)
        attributes {hx.bindings = 1 : i64, hx.params = 0 : i64} {
      func.call @k(%x, %begin, %end) : (memref<?xf32>, index, index) -> ()
      return
    })",
                           "x86-64-v3", &messages),
            "");
  EXPECT_NE(messages.find("'func.call' op is not allowed in a kernel"), std::string::npos)
      << messages;
}

TEST(EmitImageErrors, wrongSignature) {
  std::string messages;
  EXPECT_EQ(compileKernels(R"(
    func.func @k(%x: memref<?xf32>, %begin: index, %end: index)
        attributes {hx.bindings = 2 : i64, hx.params = 0 : i64} { return })",
                           "x86-64-v3", &messages),
            "");
  EXPECT_NE(messages.find("expected 2 memrefs"), std::string::npos) << messages;
}

TEST(EmitImageErrors, unknownFunction) {
  std::string messages;
  EXPECT_EQ(compileKernels(mapKernel("f32", "f32", "%r = math.erfc %v : f32"),
                           "x86-64-v3", &messages),
            "");
  EXPECT_NE(messages.find("no lowering"), std::string::npos) << messages;
}

TEST(EmitImageErrors, helperCallNamesTheKernel) {
  std::string messages;
  EXPECT_EQ(compileKernels(mapKernel("i128", "i128",
                                     "%w = memref.load %y[%i] : memref<?xi128>\n"
                                     "    %r = arith.divsi %v, %w : i128",
                                     "wide"),
                           "x86-64-v3", &messages),
            "");
  EXPECT_NE(messages.find("__divti3"), std::string::npos) << messages;
}

} // namespace
