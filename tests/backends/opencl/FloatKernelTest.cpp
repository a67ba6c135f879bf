// Float ops on f32 and f64, scalar and vector, bit for bit against the host,
// with NaN, infinities and signed zeros among the operands.
#include "tests/backends/opencl/OpenclTesting.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>

namespace hexin::test {
namespace {

template <typename T> using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <typename T> struct FloatOp {
  std::string text; ///< with %a, %b and the type as $T
  std::function<T(T, T)> host;
  std::function<T(T, T)> alsoRight = nullptr; ///< what devices may give instead
};

template <typename T> T minimum(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <typename T> T maximum(T a, T b) { return -minimum<T>(-a, -b); }

template <typename T> std::vector<FloatOp<T>> floatOps() {
  return {
      {"arith.addf %a, %b : $T", [](T a, T b) { return a + b; }},
      {"arith.subf %a, %b : $T", [](T a, T b) { return a - b; }},
      {"arith.mulf %a, %b : $T", [](T a, T b) { return a * b; }},
      {"arith.divf %a, %b : $T", [](T a, T b) { return a / b; }},
      {"arith.remf %a, %b : $T", [](T a, T b) { return std::fmod(a, b); }},
      {"arith.negf %a : $T", [](T a, T) { return -a; }},
      {"arith.minimumf %a, %b : $T", minimum<T>},
      {"arith.maximumf %a, %b : $T", maximum<T>},
      {"arith.maximumf %a, %zero : $T", [](T a, T) { return maximum<T>(a, 0); }},
      {"arith.minimumf %a, %zero : $T", [](T a, T) { return minimum<T>(a, 0); }},
      {"arith.minimumf %a, %third : $T",
       [](T a, T) { return minimum<T>(a, T(1) / T(3)); }},
      // Two roundings where the device has no fused multiply-add.
      {"math.fma %a, %b, %third : $T",
       [](T a, T b) { return std::fma(a, b, T(1) / T(3)); },
       [](T a, T b) { return T(a * b) + T(1) / T(3); }},
      {"math.sqrt %a : $T", [](T a, T) { return std::sqrt(a); }},
      {"math.absf %a : $T", [](T a, T) { return std::fabs(a); }},
      {"math.floor %a : $T", [](T a, T) { return std::floor(a); }},
      {"math.ceil %a : $T", [](T a, T) { return std::ceil(a); }},
      {"math.trunc %a : $T", [](T a, T) { return std::trunc(a); }},
      {"math.roundeven %a : $T", [](T a, T) { return std::nearbyint(a); }},
      {"math.copysign %a, %b : $T", [](T a, T b) { return std::copysign(a, b); }},
  };
}

struct FloatCompare {
  const char *predicate;
  std::function<bool(double, double)> host;
};

std::vector<FloatCompare> floatCompares() {
  auto isUnordered = [](double a, double b) { return std::isnan(a) || std::isnan(b); };
  return {
      {"oeq", [](double a, double b) { return a == b; }},
      {"ogt", [](double a, double b) { return a > b; }},
      {"oge", [](double a, double b) { return a >= b; }},
      {"olt", [](double a, double b) { return a < b; }},
      {"ole", [](double a, double b) { return a <= b; }},
      {"one", [](double a, double b) { return a < b || a > b; }},
      {"ord", [=](double a, double b) { return !isUnordered(a, b); }},
      {"ueq", [](double a, double b) { return !(a < b || a > b); }},
      {"ugt", [](double a, double b) { return !(a <= b); }},
      {"uge", [](double a, double b) { return !(a < b); }},
      {"ult", [](double a, double b) { return !(a >= b); }},
      {"ule", [](double a, double b) { return !(a > b); }},
      {"une", [](double a, double b) { return a != b; }},
      {"uno", isUnordered},
      {"true", [](double, double) { return true; }},
      {"false", [](double, double) { return false; }},
  };
}

/// Results k go to out[k * n + at]; comparisons as select(a op b, a, -b).
template <typename T> std::string floatBody(const std::string &element, unsigned lanes) {
  bool isVector = lanes > 1;
  std::string type =
      isVector ? "vector<" + std::to_string(lanes) + "x" + element + ">" : element;
  std::string tail = isVector ? ", " + type : "", memory = "memref<?x" + element + ">";
  std::string load = isVector ? "vector.load" : "memref.load";
  std::string store = isVector ? "vector.store" : "memref.store";
  auto constant = [&](const std::string &name, double value) {
    std::string literal = std::to_string(value);
    if (value != 0) { // hexadecimal bits: exact
      char digits[32];
      std::snprintf(
          digits, sizeof digits, "0x%0*llX", int(sizeof(T) * 2),
          static_cast<unsigned long long>(std::bit_cast<Bits<T>>(static_cast<T>(value))));
      literal = digits;
    }
    return "%" + name + " = arith.constant " +
           (isVector ? "dense<" + literal + ">" : literal) + " : " + type + "\n";
  };
  std::string body = "%lanes = arith.constant " + std::to_string(lanes) +
                     " : index\n%at = arith.muli %i, %lanes : index\n"
                     "%n = arith.index_cast %p0 : i64 to index\n" +
                     constant("zero", 0) + constant("third", double(T(1) / T(3))) +
                     "%a = " + load + " %b0[%at] : " + memory + tail + "\n%b = " + load +
                     " %b1[%at] : " + memory + tail + "\n";
  unsigned k = 0;
  auto put = [&] {
    std::string id = std::to_string(k++);
    body += "%k" + id + " = arith.constant " + id + " : index\n%o" + id +
            " = arith.muli %k" + id + ", %n : index\n%w" + id + " = arith.addi %o" + id +
            ", %at : index\n" + store + " %r" + id + ", %b2[%w" + id + "] : " + memory +
            tail + "\n";
  };
  for (const FloatOp<T> &op : floatOps<T>()) {
    std::string text = op.text;
    text.replace(text.find("$T"), 2, type);
    body += "%r" + std::to_string(k) + " = " + text + "\n";
    put();
  }
  body += "%negative = arith.negf %b : " + type + "\n";
  for (const FloatCompare &compare : floatCompares()) {
    std::string id = std::to_string(k);
    std::string mask = isVector ? "vector<" + std::to_string(lanes) + "xi1>" : "i1";
    body += "%c" + id + " = arith.cmpf " + compare.predicate + ", %a, %b : " + type +
            "\n%r" + id + " = arith.select %c" + id + ", %a, %negative : " + mask + ", " +
            type + "\n";
    put();
  }
  return body;
}

template <typename T> bool isSame(T got, T expected) {
  return std::isnan(expected)
             ? std::isnan(got)
             : std::bit_cast<Bits<T>>(got) == std::bit_cast<Bits<T>>(expected);
}

template <typename T> void checkFloats(const std::string &element) {
  TestDevice device;
  if (!device.device)
    GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  if (sizeof(T) == 8 && !(device.info.flags & HEXIN_DEVICE_FP64))
    GTEST_SKIP() << "the device has no f64";
  std::string text =
      kernel("scalar_ops", {element, element, element}, 1, floatBody<T>(element, 1)) +
      kernel("vector_ops", {element, element, element}, 1, floatBody<T>(element, 8));
  hexin_module *module = device.load(emitOpencl(text));
  ASSERT_TRUE(module) << device.error.message;

  using L = std::numeric_limits<T>;
  std::vector<T> values = {T(0),      T(-0.0),       T(1),           T(-1),
                           T(0.5),    T(-2.5),       T(3.5),         T(1e10),
                           T(-1e-10), L::infinity(), -L::infinity(), L::quiet_NaN(),
                           L::max(),  L::min(),      T(2.5),         T(-0.3)};
  std::vector<T> a, b;
  for (T x : values)
    for (T y : values) {
      a.push_back(x);
      b.push_back(y);
    }
  auto n = static_cast<int64_t>(a.size());
  auto ops = floatOps<T>();
  auto compares = floatCompares();
  for (int64_t lanes : {1, 8}) {
    std::string name = lanes == 1 ? "scalar_ops" : "vector_ops";
    std::vector<T> out((ops.size() + compares.size()) * a.size());
    ASSERT_EQ(
        runKernel(device, module, name, {bound(a), bound(b), bound(out)}, {n}, n / lanes),
        "");
    auto check = [&](size_t k, int64_t i, T expected, T alsoRight,
                     const std::string &what) {
      T got = out[k * n + i];
      ASSERT_TRUE(isSame(got, expected) || isSame(got, alsoRight))
          << name << ": " << what << " of " << a[i] << ", " << b[i] << " is " << got
          << ", expected " << expected;
    };
    for (int64_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < ops.size(); ++k)
        check(k, i, ops[k].host(a[i], b[i]),
              ops[k].alsoRight ? ops[k].alsoRight(a[i], b[i]) : ops[k].host(a[i], b[i]),
              ops[k].text);
      for (size_t k = 0; k < compares.size(); ++k) {
        T selected = compares[k].host(a[i], b[i]) ? a[i] : -b[i];
        check(ops.size() + k, i, selected, selected, compares[k].predicate);
      }
    }
  }
  device.api->unload(device.device, module);
}

TEST(OpenclFloats, F32) { checkFloats<float>("f32"); }
TEST(OpenclFloats, F64) { checkFloats<double>("f64"); }

} // namespace
} // namespace hexin::test
