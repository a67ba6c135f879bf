// The scalar functions behind unary, binary and compare, one table row each.
// (`>` outside of parentheses would end a template argument for gcc.)

#include "runtime/reference/Elementwise.h"

#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace hexin::reference {
namespace {

template <typename F> struct Row {
  std::string_view name;
  F loop;
};

template <typename F, size_t N>
F findRow(const Row<F> (&rows)[N], std::string_view name) {
  for (const Row<F> &row : rows)
    if (row.name == name)
      return row.loop;
  return nullptr;
}

template <typename W, auto fn>
void unaryLoop(const W *x, W *r, int64_t count, ElementTraits traits) {
  for (int64_t i = 0; i < count; ++i)
    r[i] = fn(x[i], traits);
}

template <typename W, auto fn>
void binaryLoop(const W *a, const W *b, W *r, int64_t count, ElementTraits traits) {
  for (int64_t i = 0; i < count; ++i)
    r[i] = fn(a[i], b[i], traits);
}

template <auto fn> void testLoop(const double *x, int64_t *r, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    r[i] = fn(x[i]);
}

template <typename W, auto fn>
void compareLoop(const W *a, const W *b, int64_t *r, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    r[i] = fn(a[i], b[i]);
}

// ---- double -------------------------------------------------------------------

template <auto fn>
constexpr UnaryLoop<double> real =
    unaryLoop<double, [](double x, ElementTraits) { return double(fn(x)); }>;
template <auto fn>
constexpr BinaryLoop<double> real2 =
    binaryLoop<double,
               [](double a, double b, ElementTraits) { return double(fn(a, b)); }>;

double sigmoid(double x) {
  // exp of a negative number only: no overflow on either side.
  double e = std::exp(-std::fabs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x == 0 ? 0 : x; }

/// Modulo with the divisor's sign, as Python's.
double floorMod(double a, double b) {
  double r = std::fmod(a, b);
  if (r == 0)
    return std::copysign(r, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

/// NaN wins on either side.
double minimum(double a, double b) { return a <= b || std::isnan(a) ? a : b; }
double maximum(double a, double b) { return a >= b || std::isnan(a) ? a : b; }

constexpr Row<UnaryLoop<double>> realUnary[] = {
    {"abs", real<[](double x) { return std::fabs(x); }>},
    {"neg", real<[](double x) { return -x; }>},
    {"sign", real<sign>},
    {"floor", real<[](double x) { return std::floor(x); }>},
    {"ceil", real<[](double x) { return std::ceil(x); }>},
    {"trunc", real<[](double x) { return std::trunc(x); }>},
    {"round_even", real<[](double x) { return std::nearbyint(x); }>},
    {"sqrt", real<[](double x) { return std::sqrt(x); }>},
    {"rsqrt", real<[](double x) { return 1 / std::sqrt(x); }>},
    {"exp", real<[](double x) { return std::exp(x); }>},
    {"expm1", real<[](double x) { return std::expm1(x); }>},
    {"log", real<[](double x) { return std::log(x); }>},
    {"log1p", real<[](double x) { return std::log1p(x); }>},
    {"sin", real<[](double x) { return std::sin(x); }>},
    {"cos", real<[](double x) { return std::cos(x); }>},
    {"tan", real<[](double x) { return std::tan(x); }>},
    {"asin", real<[](double x) { return std::asin(x); }>},
    {"acos", real<[](double x) { return std::acos(x); }>},
    {"atan", real<[](double x) { return std::atan(x); }>},
    {"sinh", real<[](double x) { return std::sinh(x); }>},
    {"cosh", real<[](double x) { return std::cosh(x); }>},
    {"tanh", real<[](double x) { return std::tanh(x); }>},
    {"asinh", real<[](double x) { return std::asinh(x); }>},
    {"acosh", real<[](double x) { return std::acosh(x); }>},
    {"atanh", real<[](double x) { return std::atanh(x); }>},
    {"erf", real<[](double x) { return std::erf(x); }>},
    {"sigmoid", real<sigmoid>},
};

constexpr Row<BinaryLoop<double>> realBinary[] = {
    {"add", real2<[](double a, double b) { return a + b; }>},
    {"sub", real2<[](double a, double b) { return a - b; }>},
    {"mul", real2<[](double a, double b) { return a * b; }>},
    {"div", real2<[](double a, double b) { return a / b; }>},
    {"mod", real2<floorMod>},
    {"fmod", real2<[](double a, double b) { return std::fmod(a, b); }>},
    {"pow", real2<[](double a, double b) { return std::pow(a, b); }>},
    {"min", real2<minimum>},
    {"max", real2<maximum>},
};

constexpr Row<TestLoop<double>> realTests[] = {
    {"is_nan", testLoop<[](double x) { return std::isnan(x); }>},
    {"is_inf", testLoop<[](double x) { return std::isinf(x); }>},
    {"is_pos_inf", testLoop<[](double x) { return std::isinf(x) && 0 < x; }>},
    {"is_neg_inf", testLoop<[](double x) { return std::isinf(x) && x < 0; }>},
};

// ---- integers -----------------------------------------------------------------
//
// Arithmetic is done on uint64_t, where wrapping is defined; storing keeps the
// low bits. W is int64_t, or uint64_t for u64.

using U = uint64_t;

template <typename W> W divide(W a, W b) {
  if (b == 0)
    return 0;
  if constexpr (std::is_signed_v<W>)
    if (b == -1)
      return W(U(0) - U(a)); // smallest / -1 wraps
  return a / b;
}

template <typename W> W remainder(W a, W b) {
  if (b == 0)
    return 0;
  if constexpr (std::is_signed_v<W>)
    if (b == -1)
      return 0;
  return a % b;
}

template <typename W> W floorRemainder(W a, W b) {
  W r = remainder(a, b);
  return r != 0 && (r < 0) != (b < 0) ? W(r + b) : r;
}

template <typename W> W power(W base, W exponent) {
  if constexpr (std::is_signed_v<W>)
    return integerPower(base, exponent);
  U result = 1, factor = U(base);
  for (U e = U(exponent); e != 0; e >>= 1, factor *= factor)
    if (e & 1)
      result *= factor;
  return W(result);
}

template <typename W> W shiftLeft(W a, W b, ElementTraits traits) {
  return b < 0 || b >= W(traits.bits) ? 0 : W(U(a) << b);
}

template <typename W> W shiftRight(W a, W b, ElementTraits traits) {
  if (b < 0 || b >= W(traits.bits))
    return a < 0 ? W(-1) : 0;
  return a >> b;
}

template <typename W, auto fn>
constexpr BinaryLoop<W> whole2 =
    binaryLoop<W, [](W a, W b, ElementTraits) { return W(fn(a, b)); }>;

template <typename W>
constexpr Row<UnaryLoop<W>> integerUnary[] = {
    {"abs", unaryLoop<W, [](W x, ElementTraits) { return x < 0 ? W(U(0) - U(x)) : x; }>},
    {"neg", unaryLoop<W, [](W x, ElementTraits) { return W(U(0) - U(x)); }>},
    {"sign", unaryLoop<W, [](W x, ElementTraits) { return W(x < 0 ? -1 : x != 0); }>},
    {"bit_not", unaryLoop<W, [](W x, ElementTraits) { return W(~x); }>},
    {"logical_not", unaryLoop<W, [](W x, ElementTraits) { return W(x == 0); }>},
};

template <typename W>
constexpr Row<BinaryLoop<W>> integerBinary[] = {
    {"add", whole2<W, [](W a, W b) { return U(a) + U(b); }>},
    {"sub", whole2<W, [](W a, W b) { return U(a) - U(b); }>},
    {"mul", whole2<W, [](W a, W b) { return U(a) * U(b); }>},
    {"div", whole2<W, divide<W>>},
    {"mod", whole2<W, floorRemainder<W>>},
    {"fmod", whole2<W, remainder<W>>},
    {"pow", whole2<W, power<W>>},
    {"min", whole2<W, [](W a, W b) { return a < b ? a : b; }>},
    {"max", whole2<W, [](W a, W b) { return b < a ? a : b; }>},
    {"bit_and", whole2<W, [](W a, W b) { return a & b; }>},
    {"bit_or", whole2<W, [](W a, W b) { return a | b; }>},
    {"bit_xor", whole2<W, [](W a, W b) { return a ^ b; }>},
    {"shl", binaryLoop<W, shiftLeft<W>>},
    {"shr", binaryLoop<W, shiftRight<W>>},
};

template <typename W>
constexpr Row<CompareLoop<W>> compares[] = {
    {"eq", compareLoop<W, [](W a, W b) { return a == b; }>},
    {"lt", compareLoop<W, [](W a, W b) { return a < b; }>},
    {"le", compareLoop<W, [](W a, W b) { return a <= b; }>},
};

} // namespace

int64_t integerPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == -1)
      return exponent % 2 ? -1 : 1;
    return base == 1 ? 1 : 0;
  }
  U result = 1, factor = U(base);
  for (U e = U(exponent); e != 0; e >>= 1, factor *= factor)
    if (e & 1)
      result *= factor;
  return int64_t(result);
}

template <> UnaryLoop<double> findUnary(std::string_view fn) {
  return findRow(realUnary, fn);
}
template <> UnaryLoop<int64_t> findUnary(std::string_view fn) {
  return findRow(integerUnary<int64_t>, fn);
}
template <> UnaryLoop<uint64_t> findUnary(std::string_view fn) {
  return findRow(integerUnary<uint64_t>, fn);
}
template <> BinaryLoop<double> findBinary(std::string_view fn) {
  return findRow(realBinary, fn);
}
template <> BinaryLoop<int64_t> findBinary(std::string_view fn) {
  return findRow(integerBinary<int64_t>, fn);
}
template <> BinaryLoop<uint64_t> findBinary(std::string_view fn) {
  return findRow(integerBinary<uint64_t>, fn);
}
template <> CompareLoop<double> findCompare(std::string_view predicate) {
  return findRow(compares<double>, predicate);
}
template <> CompareLoop<int64_t> findCompare(std::string_view predicate) {
  return findRow(compares<int64_t>, predicate);
}
template <> CompareLoop<uint64_t> findCompare(std::string_view predicate) {
  return findRow(compares<uint64_t>, predicate);
}
TestLoop<double> findTest(std::string_view fn) { return findRow(realTests, fn); }

} // namespace hexin::reference
