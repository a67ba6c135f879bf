// cast: the value in another element type.

#include "runtime/reference/Kernel.h"

#include <algorithm>

namespace hexin::reference {
namespace {

constexpr int64_t chunk = 1024;

bool isNarrowFloat(DType dtype) {
  switch (dtype) {
  case DType::f8e4m3fn:
  case DType::f8e4m3fnuz:
  case DType::f8e5m2:
  case DType::f8e5m2fnuz:
  case DType::f8e8m0:
  case DType::f4e2m1:
    return true;
  default:
    return false;
  }
}

/// Calls fn(values, start, count) for the tensor in pieces.
template <typename W, typename Fn> void forEachChunk(const Tensor &tensor, Fn fn) {
  W values[chunk];
  for (int64_t start = 0; start < tensor.numElements(); start += chunk) {
    int64_t count = std::min(chunk, tensor.numElements() - start);
    loadElements(tensor.dtype(), tensor.data(), start, 1, count, values);
    fn(values, start, count);
  }
}

void castToNarrow(const Tensor &input, Tensor &result, bool saturate,
                  ScaleRounding rounding) {
  auto encode = [&](auto *values, int64_t start, int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      result.as<uint8_t>()[start + i] =
          f64ToNarrow(double(values[i]), result.dtype(), saturate, rounding);
  };
  // Every integer that is not a finite value of these types saturates, so the
  // rounding of large ones to f64 cannot show, but for e8m0's exponent.
  if (domainOf(input.dtype()) == Domain::floating)
    forEachChunk<double>(input, encode);
  else if (input.dtype() == DType::u64)
    forEachChunk<uint64_t>(input, encode);
  else
    forEachChunk<int64_t>(input, encode);
}

} // namespace

Results runCast(const Call &call) {
  const Tensor &input = call.operand(0);
  std::string_view round = call.attributes.getString("round", "nearest");
  ScaleRounding rounding;
  if (round == "nearest")
    rounding = ScaleRounding::nearest;
  else if (round == "up")
    rounding = ScaleRounding::up;
  else if (round == "down")
    rounding = ScaleRounding::down;
  else
    return unknownKeyword("round", round);
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
  if (domainOf(result.dtype()) == Domain::opaque)
    return unsupported("a cast to " + std::string(toString(result.dtype())));

  if (isNarrowFloat(result.dtype())) {
    if (domainOf(input.dtype()) == Domain::opaque)
      return unsupported("a cast from " + std::string(toString(input.dtype())));
    castToNarrow(input, result, call.attributes.getInt("saturate", 1) != 0, rounding);
    return single(std::move(result));
  }
  Status status = visitWide(input.dtype(), [&](auto zero) -> Status {
    using W = decltype(zero);
    forEachChunk<W>(input, [&](W *values, int64_t start, int64_t count) {
      if (result.dtype() == DType::boolean)
        for (int64_t i = 0; i < count; ++i)
          values[i] = values[i] != 0;
      storeElements(result.dtype(), result.data(), start, count, values);
    });
    return Status::success();
  });
  HEXIN_RETURN_IF_ERROR(status);
  return single(std::move(result));
}

} // namespace hexin::reference
