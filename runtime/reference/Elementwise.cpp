// unary, binary, compare, select: broadcasting loops over chunks of wide
// elements; the functions themselves are in ScalarFunctions.cpp.

#include "runtime/reference/Elementwise.h"

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hexin::reference {
namespace {

constexpr int64_t chunk = 1024;

ElementTraits traitsOf(DType dtype) {
  return {dtype == DType::boolean ? 1 : int(byteWidth(dtype)) * 8, isSigned(dtype)};
}

/// Functions that are arithmetic have no meaning on truth values.
bool existsOnBool(std::string_view fn) {
  return fn == "bit_and" || fn == "bit_or" || fn == "bit_xor" || fn == "min" ||
         fn == "max" || fn == "bit_not" || fn == "logical_not";
}

/// Walks a and b, broadcast to `dims`, in chunks: fn(a, b, resultStart, count).
template <typename W, typename Fn>
Status forEachPair(const Tensor &a, const Tensor &b, std::span<const int64_t> dims,
                   Fn fn) {
  HEXIN_ASSIGN_OR_RETURN(Dims aStrides, broadcastStrides(a.dims(), dims));
  HEXIN_ASSIGN_OR_RETURN(Dims bStrides, broadcastStrides(b.dims(), dims));
  W aValues[chunk], bValues[chunk];
  int64_t done = 0;
  StridedLoop<2>(dims, {aStrides, bStrides})
      .run([&](const auto &offsets, int64_t count, const auto &steps) {
        for (int64_t i = 0; i < count; i += chunk) {
          int64_t n = std::min(chunk, count - i);
          loadElements(a.dtype(), a.data(), offsets[0] + i * steps[0], steps[0], n,
                       aValues);
          loadElements(b.dtype(), b.data(), offsets[1] + i * steps[1], steps[1], n,
                       bValues);
          fn(aValues, bValues, done, n);
          done += n;
        }
      });
  return Status::success();
}

Status checkSamePair(const Tensor &a, const Tensor &b) {
  // u64 computes in a wide type of its own.
  if (domainOf(a.dtype()) == domainOf(b.dtype()) &&
      (a.dtype() == DType::u64) == (b.dtype() == DType::u64))
    return Status::success();
  return invalidArgument("operands of types " + std::string(toString(a.dtype())) +
                         " and " + std::string(toString(b.dtype())) +
                         " do not go together");
}

/// is_nan and its kin: bool from a float.
Results runTest(const Call &call, TestLoop<double> loop) {
  const Tensor &input = call.operand(0);
  if (domainOf(input.dtype()) != Domain::floating)
    return unsupported("tests for NaN and infinity on " +
                       std::string(toString(input.dtype())));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
  double x[chunk];
  int64_t r[chunk];
  for (int64_t start = 0; start < input.numElements(); start += chunk) {
    int64_t n = std::min(chunk, input.numElements() - start);
    loadElements(input.dtype(), input.data(), start, 1, n, x);
    loop(x, r, n);
    storeElements(result.dtype(), result.data(), start, n, r);
  }
  return single(std::move(result));
}

/// pow whose exponent has another domain than its base.
Results runMixedPower(const Call &call, std::span<const int64_t> dims) {
  const Tensor &base = call.operand(0), &exponent = call.operand(1);
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  double r[chunk];
  // An integer base with a float exponent: in f64, then truncated on storing.
  HEXIN_RETURN_IF_ERROR((forEachPair<double>(
      base, exponent, dims,
      [&](const double *a, const double *b, int64_t start, int64_t count) {
        for (int64_t i = 0; i < count; ++i)
          r[i] = std::pow(a[i], b[i]);
        storeElements(result.dtype(), result.data(), start, count, r);
      })));
  return single(std::move(result));
}

} // namespace

Results runUnary(const Call &call) {
  const Tensor &input = call.operand(0);
  std::string_view fn = call.attributes.getString("fn");
  if (TestLoop<double> test = findTest(fn))
    return runTest(call, test);
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, input));
  ElementTraits traits = traitsOf(input.dtype());
  return visitWide(input.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    UnaryLoop<W> loop = findUnary<W>(fn);
    if (!loop || (input.dtype() == DType::boolean && !existsOnBool(fn)))
      return unknownKeyword("fn", fn);
    HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
    W x[chunk];
    for (int64_t start = 0; start < input.numElements(); start += chunk) {
      int64_t n = std::min(chunk, input.numElements() - start);
      loadElements(input.dtype(), input.data(), start, 1, n, x);
      loop(x, x, n, traits);
      storeElements(result.dtype(), result.data(), start, n, x);
    }
    return single(std::move(result));
  });
}

Results runBinary(const Call &call) {
  const Tensor &lhs = call.operand(0), &rhs = call.operand(1);
  std::string_view fn = call.attributes.getString("fn");
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, lhs));
  HEXIN_ASSIGN_OR_RETURN(Dims dims, broadcastDims(lhs.dims(), rhs.dims()));
  bool isMixed = domainOf(lhs.dtype()) != domainOf(rhs.dtype());
  if (fn == "pow" && isMixed && domainOf(lhs.dtype()) != Domain::opaque &&
      domainOf(rhs.dtype()) != Domain::opaque)
    return runMixedPower(call, dims);
  if (fn != "pow")
    HEXIN_RETURN_IF_ERROR(checkSamePair(lhs, rhs));
  ElementTraits traits = traitsOf(lhs.dtype());
  return visitWide(lhs.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    BinaryLoop<W> loop = findBinary<W>(fn);
    if (!loop || (lhs.dtype() == DType::boolean && !existsOnBool(fn)))
      return unknownKeyword("fn", fn);
    HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
    W r[chunk];
    HEXIN_RETURN_IF_ERROR((forEachPair<W>(
        lhs, rhs, dims, [&](const W *a, const W *b, int64_t start, int64_t count) {
          loop(a, b, r, count, traits);
          storeElements(result.dtype(), result.data(), start, count, r);
        })));
    return single(std::move(result));
  });
}

Results runCompare(const Call &call) {
  const Tensor &lhs = call.operand(0), &rhs = call.operand(1);
  std::string_view predicate = call.attributes.getString("predicate");
  HEXIN_RETURN_IF_ERROR(checkSamePair(lhs, rhs));
  HEXIN_ASSIGN_OR_RETURN(Dims dims, broadcastDims(lhs.dims(), rhs.dims()));
  return visitWide(lhs.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    CompareLoop<W> loop = findCompare<W>(predicate);
    if (!loop)
      return unknownKeyword("predicate", predicate);
    HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
    int64_t r[chunk];
    HEXIN_RETURN_IF_ERROR((forEachPair<W>(
        lhs, rhs, dims, [&](const W *a, const W *b, int64_t start, int64_t count) {
          loop(a, b, r, count);
          storeElements(result.dtype(), result.data(), start, count, r);
        })));
    return single(std::move(result));
  });
}

Results runSelect(const Call &call) {
  const Tensor &condition = call.operand(0);
  const Tensor &onTrue = call.operand(1), &onFalse = call.operand(2);
  if (condition.dtype() != DType::boolean || onTrue.dtype() != onFalse.dtype() ||
      call.resultTypes[0] != onTrue.dtype())
    return invalidArgument("expected a bool condition and three equal types, got " +
                           std::string(toString(condition.dtype())) + ", " +
                           std::string(toString(onTrue.dtype())) + ", " +
                           std::string(toString(onFalse.dtype())));
  HEXIN_ASSIGN_OR_RETURN(Dims values, broadcastDims(onTrue.dims(), onFalse.dims()));
  HEXIN_ASSIGN_OR_RETURN(Dims dims, broadcastDims(condition.dims(), values));
  HEXIN_ASSIGN_OR_RETURN(Dims conditionStrides, broadcastStrides(condition.dims(), dims));
  HEXIN_ASSIGN_OR_RETURN(Dims trueStrides, broadcastStrides(onTrue.dims(), dims));
  HEXIN_ASSIGN_OR_RETURN(Dims falseStrides, broadcastStrides(onFalse.dims(), dims));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  size_t width = size_t(byteWidth(onTrue.dtype()));
  char *dst = static_cast<char *>(result.data());
  auto elementOf = [&](const Tensor &tensor, int64_t i) {
    return static_cast<const char *>(tensor.data()) + i * int64_t(width);
  };
  StridedLoop<3>(dims, {conditionStrides, trueStrides, falseStrides})
      .run([&](const auto &at, int64_t count, const auto &steps) {
        for (int64_t i = 0; i < count; ++i, dst += width) {
          bool isTrue = condition.as<uint8_t>()[at[0] + i * steps[0]];
          std::memcpy(dst,
                      isTrue ? elementOf(onTrue, at[1] + i * steps[1])
                             : elementOf(onFalse, at[2] + i * steps[2]),
                      width);
        }
      });
  return single(std::move(result));
}

} // namespace hexin::reference
