// sort, top_k, sorted_search, compact.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"
#include "runtime/reference/Lines.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace hexin::reference {

Results runSort(const Call &call) {
  const Tensor &input = call.operand(0);
  if (call.resultTypes[0] != input.dtype())
    return invalidArgument("sorted values keep their type " +
                           std::string(toString(input.dtype())));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  bool isDescending = call.attributes.getInt("descending") != 0;
  Lines lines(input.dims(), axis);
  HEXIN_ASSIGN_OR_RETURN(Tensor sorted, call.allocate(0, input.dims()));
  Tensor positions;
  bool wantsPositions = call.resultTypes.size() > 1;
  if (wantsPositions) {
    HEXIN_ASSIGN_OR_RETURN(positions, call.allocate(1, input.dims()));
  }
  int64_t width = byteWidth(input.dtype());
  Status status = visitWide(input.dtype(), [&](auto zero) -> Status {
    using W = decltype(zero);
    Wide<W> x(input);
    Dims order(static_cast<size_t>(input.numElements() > 0 ? lines.length : 0));
    // NaN is the greatest value and equal to itself.
    auto isLess = [](W a, W b) { return a < b || (b != b && a == a); };
    lines.forEach([&](int64_t, int64_t first) {
      if (order.empty())
        return;
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        W left = x[first + a * lines.inner], right = x[first + b * lines.inner];
        if (isDescending)
          std::swap(left, right);
        return isLess(left, right) || (a < b && !isLess(right, left)); // stable
      });
      for (size_t k = 0; k < order.size(); ++k) {
        int64_t at = first + int64_t(k) * lines.inner;
        std::memcpy(static_cast<char *>(sorted.data()) + at * width,
                    static_cast<const char *>(input.data()) +
                        (first + order[k] * lines.inner) * width,
                    size_t(width));
        if (wantsPositions)
          storeElements(positions.dtype(), positions.data(), at, 1, &order[k]);
      }
    });
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  std::vector<Tensor> results{std::move(sorted)};
  if (wantsPositions)
    results.push_back(std::move(positions));
  return results;
}

Results runTopK(const Call &call) {
  const Tensor &input = call.operand(0);
  if (call.resultTypes.size() != 2)
    return invalidArgument("there are two results, values and positions");
  if (call.resultTypes[0] != input.dtype())
    return invalidArgument("selected values keep their type " +
                           std::string(toString(input.dtype())));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  HEXIN_ASSIGN_OR_RETURN(Dims k, readIntegers(call.operand(1), "k"));
  if (k.size() != 1 || k[0] < 0 || k[0] > input.dims()[axis])
    return invalidArgument("k must be one number from 0 to " +
                           std::to_string(input.dims()[axis]) + ", got " + formatDims(k));
  bool isDescending = call.attributes.getInt("descending") != 0;
  Dims sizes(input.dims().begin(), input.dims().end());
  sizes[axis] = k[0];
  HEXIN_ASSIGN_OR_RETURN(Tensor values, call.allocate(0, sizes));
  HEXIN_ASSIGN_OR_RETURN(Tensor positions, call.allocate(1, sizes));
  Lines lines(input.dims(), axis);
  Dims order(size_t(lines.length));
  int64_t width = byteWidth(input.dtype());
  Status status = visitWide(input.dtype(), [&](auto zero) -> Status {
    using W = decltype(zero);
    Wide<W> x(input);
    // NaN is the greatest value and equal to itself.
    auto isLess = [](W a, W b) { return a < b || (b != b && a == a); };
    lines.forEach([&](int64_t line, int64_t first) {
      auto valueOf = [&](int64_t position) { return x[first + position * lines.inner]; };
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k[0], order.end(),
                        [&](int64_t a, int64_t b) {
                          W low = valueOf(isDescending ? b : a);
                          W high = valueOf(isDescending ? a : b);
                          return isLess(low, high) || (a < b && !isLess(high, low));
                        });
      int64_t target = line / lines.inner * k[0] * lines.inner + line % lines.inner;
      for (int64_t i = 0; i < k[0]; ++i) {
        int64_t at = target + i * lines.inner;
        std::memcpy(static_cast<char *>(values.data()) + at * width,
                    static_cast<const char *>(input.data()) +
                        (first + order[size_t(i)] * lines.inner) * width,
                    size_t(width));
        storeElements(positions.dtype(), positions.data(), at, 1, &order[size_t(i)]);
      }
    });
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  std::vector<Tensor> results{std::move(values)};
  results.push_back(std::move(positions));
  return results;
}

Results runSortedSearch(const Call &call) {
  const Tensor &input = call.operand(0), &keys = call.operand(1);
  if (keys.dims().size() != 1 || keys.dtype() != input.dtype())
    return invalidArgument("the keys must be 1-D " +
                           std::string(toString(input.dtype())) + " as the input is");
  HEXIN_ASSIGN_OR_RETURN(size_t size, workSize(input.dims(), call));
  Dims positions(size);
  Status status = visitWide(input.dtype(), [&](auto zero) -> Status {
    using W = decltype(zero);
    Wide<W> x(input), key(keys);
    auto isLess = [](W a, W b) { return a < b || (b != b && a == a); };
    const W *end = key.data() + keys.numElements();
    for (size_t i = 0; i < size; ++i) {
      const W *found = std::lower_bound(key.data(), end, x[int64_t(i)], isLess);
      bool isThere = found != end && !isLess(x[int64_t(i)], *found);
      positions[i] = isThere ? found - key.data() : -1;
    }
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, input.dims(), positions.data()));
  return single(std::move(result));
}

Results runCompact(const Call &call) {
  const Tensor &mask = call.operand(0);
  if (mask.dtype() != DType::boolean || mask.dims().size() != 1)
    return invalidArgument("the mask must be 1-D bool, got " +
                           std::string(toString(mask.dtype())) + " " +
                           formatDims(mask.dims()));
  Dims positions;
  for (int64_t i = 0; i < mask.numElements(); ++i)
    if (mask.as<uint8_t>()[i])
      positions.push_back(i);
  int64_t count = int64_t(positions.size());
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, std::span(&count, 1), positions.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
