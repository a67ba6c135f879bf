// Every integer op, scalar and vector, of every width, against C++ on the host.
#include "tests/backends/opencl/OpenclTesting.h"

#include <functional>
#include <limits>
#include <type_traits>

namespace hexin::test {
namespace {

template <typename S> struct IntOp {
  std::string name;
  std::function<S(S, S)> host;
};

template <typename S> S wrap(std::make_unsigned_t<S> value) {
  return static_cast<S>(value);
}

/// What each op gives, with the values our printer promises where arith has none.
template <typename S> std::vector<IntOp<S>> intOps() {
  using U = std::make_unsigned_t<S>;
  using W = uint64_t; // products of uint16_t would overflow int
  constexpr S least = std::numeric_limits<S>::min();
  auto div = [](S a, S b) { return b == 0 || (a == least && b == -1) ? a : S(a / b); };
  auto rem = [](S a, S b) { return b == 0 || b == -1 ? S(0) : S(a % b); };
  auto floordiv = [=](S a, S b) {
    S q = div(a, b), r = rem(a, b);
    return r != 0 && (r < 0) != (b < 0) ? S(q - 1) : q;
  };
  auto ceildiv = [=](S a, S b) {
    S q = div(a, b), r = rem(a, b);
    return r != 0 && (r < 0) == (b < 0) ? S(q + 1) : q;
  };
  return {
      {"arith.addi", [](S a, S b) { return wrap<S>(U(a) + U(b)); }},
      {"arith.subi", [](S a, S b) { return wrap<S>(U(a) - U(b)); }},
      {"arith.muli", [](S a, S b) { return wrap<S>(U(W(a) * W(b))); }},
      {"arith.divsi", div},
      {"arith.remsi", rem},
      {"arith.floordivsi", floordiv},
      {"arith.ceildivsi", ceildiv},
      {"arith.divui", [](S a, S b) { return b ? wrap<S>(U(a) / U(b)) : a; }},
      {"arith.remui", [](S a, S b) { return b ? wrap<S>(U(a) % U(b)) : S(0); }},
      {"arith.ceildivui",
       [](S a, S b) { return b ? wrap<S>(U(U(a) / U(b)) + (U(a) % U(b) != 0)) : a; }},
      {"arith.andi", [](S a, S b) { return S(a & b); }},
      {"arith.ori", [](S a, S b) { return S(a | b); }},
      {"arith.xori", [](S a, S b) { return S(a ^ b); }},
      {"arith.minsi", [](S a, S b) { return a < b ? a : b; }},
      {"arith.maxsi", [](S a, S b) { return a > b ? a : b; }},
      {"arith.minui", [](S a, S b) { return U(a) < U(b) ? a : b; }},
      {"arith.maxui", [](S a, S b) { return U(a) > U(b) ? a : b; }},
  };
}

template <typename S> std::vector<IntOp<S>> shiftOps() {
  using U = std::make_unsigned_t<S>;
  return {
      {"arith.shli", [](S a, S b) { return wrap<S>(U(uint64_t(a) << b)); }},
      {"arith.shrui", [](S a, S b) { return wrap<S>(U(a) >> b); }},
      {"arith.shrsi", [](S a, S b) { return S(a >> b); }},
  };
}

template <typename S> std::vector<IntOp<S>> compareOps() {
  using U = std::make_unsigned_t<S>;
  return {
      {"eq", [](S a, S b) { return a == b; }},
      {"ne", [](S a, S b) { return a != b; }},
      {"slt", [](S a, S b) { return a < b; }},
      {"sle", [](S a, S b) { return a <= b; }},
      {"sgt", [](S a, S b) { return a > b; }},
      {"sge", [](S a, S b) { return a >= b; }},
      {"ult", [](S a, S b) { return U(a) < U(b); }},
      {"ule", [](S a, S b) { return U(a) <= U(b); }},
      {"ugt", [](S a, S b) { return U(a) > U(b); }},
      {"uge", [](S a, S b) { return U(a) >= U(b); }},
  };
}

/// out[k * n + at] = ops[k](a[at], b[at]) for one value or vector per item.
std::string intBody(const std::string &element, unsigned lanes,
                    const std::vector<std::string> &ops, bool isCompare) {
  std::string type =
      lanes > 1 ? "vector<" + std::to_string(lanes) + "x" + element + ">" : element;
  std::string mask = lanes > 1 ? "vector<" + std::to_string(lanes) + "xi1>" : "i1";
  std::string load = lanes > 1 ? "vector.load" : "memref.load";
  std::string store = lanes > 1 ? "vector.store" : "memref.store";
  std::string tail = lanes > 1 ? ", " + type : "";
  std::string memory = "memref<?x" + element + ">";
  std::string body = "%lanes = arith.constant " + std::to_string(lanes) +
                     " : index\n%at = arith.muli %i, %lanes : index\n"
                     "%n = arith.index_cast %p0 : i64 to index\n"
                     "%a = " +
                     load + " %b0[%at] : " + memory + tail +
                     "\n"
                     "%b = " +
                     load + " %b1[%at] : " + memory + tail + "\n";
  for (size_t k = 0; k < ops.size(); ++k) {
    std::string id = std::to_string(k);
    if (isCompare)
      body += "%c" + id + " = arith.cmpi " + ops[k] + ", %a, %b : " + type + "\n%r" + id +
              " = arith.extui %c" + id + " : " + mask + " to " + type + "\n";
    else
      body += "%r" + id + " = " + ops[k] + " %a, %b : " + type + "\n";
    body += "%k" + id + " = arith.constant " + id + " : index\n%o" + id +
            " = arith.muli %k" + id + ", %n : index\n%w" + id + " = arith.addi %o" + id +
            ", %at : index\n" + store + " %r" + id + ", %b2[%w" + id + "] : " + memory +
            tail + "\n";
  }
  return body;
}

template <typename S> std::vector<S> edgeValues() {
  constexpr S least = std::numeric_limits<S>::min(), most = std::numeric_limits<S>::max();
  return {S(0),        S(1),         S(-1),           S(2),  S(-2),        S(7),
          S(-7),       S(100),       S(-100),         least, S(least + 1), most,
          S(most - 1), S(least / 2), S(most / 2 + 1), S(13)};
}

template <typename S>
void checkOps(TestDevice &device, hexin_module *module, const std::string &name,
              unsigned lanes, const std::vector<IntOp<S>> &ops, bool isShift) {
  std::vector<S> values = edgeValues<S>(), a, b;
  for (S x : values)
    for (S y : values) {
      a.push_back(x);
      b.push_back(isShift ? S((y & 0x7f) % (sizeof(S) * 8)) : y);
    }
  int64_t n = static_cast<int64_t>(a.size());
  std::vector<S> out(a.size() * ops.size(), S(42));
  ASSERT_EQ(
      runKernel(device, module, name, {bound(a), bound(b), bound(out)}, {n}, n / lanes),
      "");
  for (size_t k = 0; k < ops.size(); ++k)
    for (int64_t i = 0; i < n; ++i)
      ASSERT_EQ(int64_t(out[k * n + i]), int64_t(S(ops[k].host(a[i], b[i]))))
          << name << ": " << ops[k].name << "(" << int64_t(a[i]) << ", " << int64_t(b[i])
          << ")";
}

template <typename S> std::vector<std::string> namesOf(const std::vector<IntOp<S>> &ops) {
  std::vector<std::string> names;
  for (const IntOp<S> &op : ops)
    names.push_back(op.name);
  return names;
}

template <typename S> void checkWidth(const std::string &element) {
  TestDevice device;
  if (!device.device)
    GTEST_SKIP() << "no OpenCL device: " << device.error.message;
  std::string text;
  for (unsigned lanes : {1u, 4u}) {
    std::string suffix = "_" + element + "x" + std::to_string(lanes);
    text += kernel("ops" + suffix, {element, element, element}, 1,
                   intBody(element, lanes, namesOf(intOps<S>()), false));
    text += kernel("shifts" + suffix, {element, element, element}, 1,
                   intBody(element, lanes, namesOf(shiftOps<S>()), false));
    text += kernel("compares" + suffix, {element, element, element}, 1,
                   intBody(element, lanes, namesOf(compareOps<S>()), true));
  }
  hexin_module *module = device.load(emitOpencl(text));
  ASSERT_TRUE(module) << device.error.message;
  for (unsigned lanes : {1u, 4u}) {
    std::string suffix = "_" + element + "x" + std::to_string(lanes);
    checkOps<S>(device, module, "ops" + suffix, lanes, intOps<S>(), false);
    checkOps<S>(device, module, "shifts" + suffix, lanes, shiftOps<S>(), true);
    checkOps<S>(device, module, "compares" + suffix, lanes, compareOps<S>(), false);
  }
  device.api->unload(device.device, module);
}

TEST(OpenclIntegers, I8) { checkWidth<int8_t>("i8"); }
TEST(OpenclIntegers, I16) { checkWidth<int16_t>("i16"); }
TEST(OpenclIntegers, I32) { checkWidth<int32_t>("i32"); }
TEST(OpenclIntegers, I64) { checkWidth<int64_t>("i64"); }

} // namespace
} // namespace hexin::test
