// reduce, arg_reduce, cumulative: elements join in row-major order.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"
#include "runtime/reference/Lines.h"

#include <limits>
#include <type_traits>

namespace hexin::reference {
namespace {

// max and min keep a NaN, from either side.
constexpr auto addFn = [](auto a, auto b) { return a + b; };
constexpr auto mulFn = [](auto a, auto b) { return a * b; };
constexpr auto maxFn = [](auto a, auto b) { return a >= b || a != a ? a : b; };
constexpr auto minFn = [](auto a, auto b) { return a <= b || a != a ? a : b; };

/// What reducing nothing gives for max (`lowest`) or min of `dtype`.
template <typename W> W limitOf(DType dtype, bool lowest) {
  if constexpr (std::is_same_v<W, double>)
    return lowest ? -std::numeric_limits<double>::infinity()
                  : std::numeric_limits<double>::infinity();
  if constexpr (std::is_same_v<W, uint64_t>)
    return lowest ? 0 : std::numeric_limits<uint64_t>::max();
  if (dtype == DType::boolean)
    return lowest ? 0 : 1;
  int bits = int(byteWidth(dtype)) * 8 - isSigned(dtype);
  uint64_t largest = ~uint64_t(0) >> (64 - bits);
  return W(lowest ? (isSigned(dtype) ? ~largest : 0) : largest);
}

/// Calls use(fn, identity) with the function that `name` is.
template <typename W, typename Use>
Results withFn(std::string_view name, DType dtype, Use use) {
  // Sums of integers are done unsigned, where wrapping is defined.
  using Sum = std::conditional_t<std::is_same_v<W, int64_t>, uint64_t, W>;
  bool isBool = dtype == DType::boolean;
  if (name == "sum" && !isBool)
    return use([](W a, W b) { return W(addFn(Sum(a), Sum(b))); }, W(0));
  if (name == "prod" && !isBool)
    return use([](W a, W b) { return W(mulFn(Sum(a), Sum(b))); }, W(1));
  if (name == "max")
    return use(maxFn, limitOf<W>(dtype, true));
  if (name == "min")
    return use(minFn, limitOf<W>(dtype, false));
  return unknownKeyword("fn", name);
}

template <typename W, typename Fn>
void accumulate(const W *src, std::span<const int64_t> dims,
                std::span<const int64_t> dstStrides, W *dst, Fn fn) {
  StridedLoop<2>(dims, {rowMajorStrides(dims), dstStrides})
      .run([&](const auto &at, int64_t count, const auto &steps) {
        const W *x = src + at[0];
        W *y = dst + at[1];
        if (steps[1] == 0) {
          W sum = *y;
          for (int64_t i = 0; i < count; ++i)
            sum = fn(sum, x[i * steps[0]]);
          *y = sum;
          return;
        }
        for (int64_t i = 0; i < count; ++i)
          y[i * steps[1]] = fn(y[i * steps[1]], x[i * steps[0]]);
      });
}

} // namespace

Results runReduce(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, input));
  Dims axes = call.attributes.getInts("axes");
  bool keepDims = call.attributes.getInt("keepDims", 1) != 0;
  std::vector<bool> isReduced(input.dims().size(), false);
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= int64_t(isReduced.size()) || isReduced[size_t(axis)])
      return invalidArgument("axes=" + formatDims(axes) +
                             " are not distinct axes of rank " +
                             std::to_string(isReduced.size()));
    isReduced[size_t(axis)] = true;
  }
  Dims kept(input.dims().begin(), input.dims().end()), dims;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (isReduced[i])
      kept[i] = 1;
    if (!isReduced[i] || keepDims)
      dims.push_back(kept[i]);
  }
  HEXIN_ASSIGN_OR_RETURN(size_t numElements, workSize(kept, call));
  Dims strides = rowMajorStrides(kept);
  for (size_t i = 0; i < kept.size(); ++i)
    if (isReduced[i])
      strides[i] = 0;
  return visitWide(input.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    return withFn<W>(call.attributes.getString("fn"), input.dtype(),
                     [&](auto fn, W identity) -> Results {
                       std::vector<W> values(numElements, identity);
                       Wide<W> x(input);
                       accumulate(x.data(), input.dims(), strides, values.data(), fn);
                       HEXIN_ASSIGN_OR_RETURN(Tensor result,
                                              storeResult(call, 0, dims, values.data()));
                       return single(std::move(result));
                     });
  });
}

Results runArgReduce(const Call &call) {
  const Tensor &input = call.operand(0);
  std::string_view fn = call.attributes.getString("fn");
  bool isMax = fn == "max", isLast = call.attributes.getInt("last") != 0;
  if (!isMax && fn != "min")
    return unknownKeyword("fn", fn);
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  Dims dims(input.dims().begin(), input.dims().end());
  if (call.attributes.getInt("keepDims", 1) != 0)
    dims[axis] = 1;
  else
    dims.erase(dims.begin() + int64_t(axis));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  Lines lines(input.dims(), axis);
  if (lines.length == 0 && result.numElements() > 0)
    return invalidArgument("axis " + std::to_string(axis) +
                           " has size 0: there is no position to give");
  return visitWide(input.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    Wide<W> x(input);
    // NaN wins over every number, for min too.
    auto isBetter = [&](W a, W best) {
      if (a != a || best != best)
        return a != a && (best == best || isLast);
      return a == best ? isLast : isMax ? a > best : a < best;
    };
    lines.forEach([&](int64_t line, int64_t first) {
      if (result.numElements() == 0)
        return;
      int64_t best = 0;
      for (int64_t k = 1; k < lines.length; ++k)
        if (isBetter(x[first + k * lines.inner], x[first + best * lines.inner]))
          best = k;
      storeElements(result.dtype(), result.data(), line, 1, &best);
    });
    return single(std::move(result));
  });
}

Results runCumulative(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkSameDomain(call, input));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  bool isExclusive = call.attributes.getInt("exclusive") != 0;
  bool isReverse = call.attributes.getInt("reverse") != 0;
  Lines lines(input.dims(), axis);
  return visitWide(input.dtype(), [&](auto zero) -> Results {
    using W = decltype(zero);
    return withFn<W>(
        call.attributes.getString("fn"), input.dtype(),
        [&](auto fn, W identity) -> Results {
          Wide<W> x(input);
          std::vector<W> values(size_t(input.numElements()));
          lines.forEach([&](int64_t, int64_t first) {
            W sum = identity;
            for (int64_t k = 0; k < lines.length; ++k) {
              int64_t at = first + (isReverse ? lines.length - 1 - k : k) * lines.inner;
              W next = fn(sum, x[at]);
              values[size_t(at)] = isExclusive ? sum : next;
              sum = next;
            }
          });
          HEXIN_ASSIGN_OR_RETURN(Tensor result,
                                 storeResult(call, 0, input.dims(), values.data()));
          return single(std::move(result));
        });
  });
}

} // namespace hexin::reference
