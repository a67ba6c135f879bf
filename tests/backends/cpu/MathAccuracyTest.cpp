//===- MathAccuracyTest.cpp - errors of the generated math functions --------===//
//
// f32 results against the C library in double, f64 results against it in long
// double, over the whole range of bit patterns and over each function's own
// interval. Prints the worst error in units in the last place.
//
//===----------------------------------------------------------------------===//
#include "tests/backends/cpu/KernelFixture.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <limits>
#include <random>

using namespace hexin::test;

namespace {

struct Function {
  const char *op;
  double (*inDouble)(double);
  long double (*inLongDouble)(long double);
  double low, high;      ///< extra dense samples
  double maxF32, maxF64; ///< ulp
};

const Function functions[] = {
    {"exp", std::exp, std::exp, -105, 90, 1.1, 1.1},
    {"exp2", std::exp2, std::exp2, -151, 129, 1.5, 1.5},
    {"expm1", std::expm1, std::expm1, -20, 90, 2.0, 2.0},
    {"log", std::log, std::log, 0, 4, 1.0, 1.0},
    {"log2", std::log2, std::log2, 0, 4, 1.5, 1.5},
    {"log10", std::log10, std::log10, 0, 4, 1.5, 1.5},
    {"log1p", std::log1p, std::log1p, -1, 4, 2.0, 2.0},
    {"sin", std::sin, std::sin, -100, 100, 1.6, 1.6},
    {"cos", std::cos, std::cos, -100, 100, 1.6, 1.6},
    {"tan", std::tan, std::tan, -100, 100, 3.5, 3.5},
    {"asin", std::asin, std::asin, -1, 1, 2.0, 2.0},
    {"acos", std::acos, std::acos, -1, 1, 2.0, 2.0},
    {"atan", std::atan, std::atan, -4, 4, 2.0, 2.0},
    {"sinh", std::sinh, std::sinh, -90, 90, 3.0, 3.0},
    {"cosh", std::cosh, std::cosh, -90, 90, 3.0, 3.0},
    {"tanh", std::tanh, std::tanh, -10, 10, 3.0, 3.0},
    {"asinh", std::asinh, std::asinh, -100, 100, 3.0, 3.0},
    {"acosh", std::acosh, std::acosh, 1, 100, 3.0, 3.0},
    {"atanh", std::atanh, std::atanh, -1, 1, 3.0, 3.0},
    {"erf", std::erf, std::erf, -7, 7, 2.0, 2.0},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); },
     [](long double x) { return 1 / std::sqrt(x); }, 0, 100, 1.5, 1.5},
    {"cbrt", std::cbrt, std::cbrt, -100, 100, 1.5, 1.5},
};

template <typename T> struct Wider;
template <> struct Wider<float> {
  using type = double;
  static constexpr const char *name = "f32";
};
template <> struct Wider<double> {
  using type = long double;
  static constexpr const char *name = "f64";
};

/// |got - expected| in units in the last place of T at `expected`; infinity where
/// one is NaN or infinite and the other is not (a result rounded to infinity for a
/// value just beyond the range counts as that value).
template <typename T> double ulpError(T got, typename Wider<T>::type expected) {
  T rounded = static_cast<T>(expected);
  if (std::isnan(rounded) || std::isnan(got))
    return std::isnan(rounded) == std::isnan(got) ? 0 : INFINITY;
  if (got == rounded)
    return std::signbit(got) == std::signbit(rounded) ? 0 : INFINITY;
  T biggest = std::numeric_limits<T>::max();
  if (std::isinf(got) || std::isinf(rounded))
    return std::abs(std::isinf(got) ? rounded : got) == biggest ? 1 : INFINITY;
  T size = std::abs(rounded);
  T ulp = size < biggest ? std::nextafter(size, biggest) - size
                         : size - std::nextafter(size, T(0));
  return static_cast<double>(
      std::abs(static_cast<typename Wider<T>::type>(got) - expected) / ulp);
}

std::string unaryKernel(const std::string &op, const std::string &type, int lanes) {
  std::string vector = "vector<" + std::to_string(lanes) + "x" + type + ">";
  return "func.func @" + op + "_" + type + "(%x: memref<?x" + type + ">, %y: memref<?x" +
         type +
         ">, %begin: index, %end: index) attributes {hx.bindings = 2 : i64, hx.params = "
         "0 : "
         "i64} {\n  %one = arith.constant 1 : index\n  %lanes = arith.constant " +
         std::to_string(lanes) +
         " : index\n  scf.for %i = %begin to %end step %one {\n"
         "    %at = arith.muli %i, %lanes : index\n    %v = vector.load %x[%at] : "
         "memref<?x" +
         type + ">, " + vector + "\n    %r = math." + op + " %v : " + vector +
         "\n    vector.store %r, %y[%at] : memref<?x" + type + ">, " + vector +
         "\n  }\n  return\n}\n";
}

/// Bit patterns at even distances over all of them, specials, and [low, high].
template <typename T> std::vector<T> samples(double low, double high) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  std::vector<T> points = {T(0),
                           -T(0),
                           T(INFINITY),
                           -T(INFINITY),
                           T(NAN),
                           T(1),
                           T(-1),
                           T(0.5),
                           T(-0.5),
                           std::numeric_limits<T>::max(),
                           std::numeric_limits<T>::min(),
                           std::numeric_limits<T>::denorm_min(),
                           -std::numeric_limits<T>::denorm_min()};
  std::mt19937_64 random(1);
  Bits step = Bits(~Bits(0)) / 200000;
  for (Bits bits = 0; points.size() < 200000; bits += step)
    points.push_back(std::bit_cast<T>(Bits(bits + random() % step)));
  std::uniform_real_distribution<double> inside(low, high), small(-1, 1);
  for (int i = 0; i < 100000; ++i) {
    points.push_back(T(inside(random)));
    points.push_back(T(small(random)));
    points.push_back(T(1 + 0.01 * small(random)));
  }
  points.resize(points.size() / 64 * 64);
  return points;
}

class MathAccuracy : public testing::TestWithParam<std::string> {
protected:
  template <typename T>
  void measure(LoadedKernels &kernels, const Function &f, double maxUlp, int lanes) {
    std::vector<T> x = samples<T>(f.low, f.high), y(x.size());
    kernels.run(std::string(f.op) + "_" + Wider<T>::name, {bytes(x), bytes(y)}, {},
                x.size() / lanes, 64);
    double worst = 0;
    T worstAt = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      typename Wider<T>::type exact;
      if constexpr (sizeof(T) == 4)
        exact = f.inDouble(x[i]);
      else
        exact = f.inLongDouble(x[i]);
      double error = ulpError(y[i], exact);
      if (error > worst) {
        worst = error;
        worstAt = x[i];
      }
    }
    std::printf("  %-10s %-6s %s %6.3f ulp at %.17g\n", GetParam().c_str(), f.op,
                Wider<T>::name, worst, double(worstAt));
    EXPECT_LE(worst, maxUlp) << f.op << " " << Wider<T>::name << " at " << worstAt;
  }
};

TEST_P(MathAccuracy, unary) {
  int lanes = GetParam() == "x86-64-v4" ? 16 : GetParam() == "x86-64-v3" ? 8 : 4;
  std::string text;
  for (const Function &f : functions)
    text += unaryKernel(f.op, "f32", lanes) + unaryKernel(f.op, "f64", lanes / 2);
  std::string image = compileKernels(text, GetParam());
  ASSERT_FALSE(image.empty());
  LoadedKernels kernels(image, GetParam());
  for (const Function &f : functions) {
    measure<float>(kernels, f, f.maxF32, lanes);
    measure<double>(kernels, f, f.maxF64, lanes / 2);
  }
}

std::string binaryKernel(const std::string &op, const std::string &type) {
  std::string m = "memref<?x" + type + ">";
  std::string call = op == "remf" ? "arith.remf" : "math." + op;
  return "func.func @" + op + "_" + type + "(%x: " + m + ", %y: " + m + ", %z: " + m +
         ", %begin: index, %end: index) attributes {hx.bindings = 3 : i64, hx.params = 0 "
         ": i64} "
         "{\n  %one = arith.constant 1 : index\n"
         "  scf.for %i = %begin to %end step %one {\n    %a = memref.load %x[%i] : " +
         m + "\n    %b = memref.load %y[%i] : " + m + "\n    %r = " + call +
         " %a, %b : " + type + "\n    memref.store %r, %z[%i] : " + m +
         "\n  }\n  return\n}\n";
}

template <typename T>
void measureBinary(LoadedKernels &kernels, const std::string &op,
                   typename Wider<T>::type (*exact)(typename Wider<T>::type,
                                                    typename Wider<T>::type),
                   double maxUlp, const std::string &arch) {
  const T specials[] = {0,
                        -T(0),
                        1,
                        -1,
                        2,
                        -2,
                        3,
                        -3,
                        T(0.5),
                        T(-0.5),
                        T(INFINITY),
                        -T(INFINITY),
                        T(NAN),
                        std::numeric_limits<T>::max(),
                        std::numeric_limits<T>::min(),
                        std::numeric_limits<T>::denorm_min(),
                        T(1e10),
                        T(-1.5)};
  std::vector<T> x, y;
  for (T a : specials)
    for (T b : specials) {
      x.push_back(a);
      y.push_back(b);
    }
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> base(-30, 30), power(-20, 20), any(-120, 120);
  for (int i = 0; i < 300000; ++i) {
    switch (i % 3) {
    case 0:
      x.push_back(T(std::exp2(base(random))));
      y.push_back(T(power(random)));
      break;
    case 1:
      x.push_back(T(std::exp2(any(random)) * (i % 2 ? 1 : -1)));
      y.push_back(T(std::round(power(random))));
      break;
    default:
      x.push_back(T(1 + base(random) * 1e-3));
      y.push_back(T(power(random) * 1000));
    }
  }
  std::vector<T> z(x.size());
  kernels.run(op + "_" + Wider<T>::name, {bytes(x), bytes(y), bytes(z)}, {}, x.size(),
              64);
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    double error = ulpError(z[i], exact(x[i], y[i]));
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  std::printf("  %-10s %-6s %s %6.3f ulp at %.17g, %.17g\n", arch.c_str(), op.c_str(),
              Wider<T>::name, worst, double(x[at]), double(y[at]));
  EXPECT_LE(worst, maxUlp) << op << " " << x[at] << ", " << y[at] << " = " << z[at];
}

TEST_P(MathAccuracy, binary) {
  std::string text;
  for (const char *op : {"powf", "atan2", "remf"})
    text += binaryKernel(op, "f32") + binaryKernel(op, "f64");
  std::string image = compileKernels(text, GetParam());
  ASSERT_FALSE(image.empty());
  LoadedKernels kernels(image, GetParam());
  measureBinary<float>(kernels, "powf", std::pow, 1.5, GetParam());
  measureBinary<double>(kernels, "powf", std::pow, 1.5, GetParam());
  measureBinary<float>(kernels, "atan2", std::atan2, 2.5, GetParam());
  measureBinary<double>(kernels, "atan2", std::atan2, 2.5, GetParam());
  measureBinary<float>(kernels, "remf", std::fmod, 0, GetParam());
  measureBinary<double>(kernels, "remf", std::fmod, 0, GetParam());
}

INSTANTIATE_TEST_SUITE_P(archs, MathAccuracy, testing::ValuesIn(runnableArchs()),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

} // namespace
