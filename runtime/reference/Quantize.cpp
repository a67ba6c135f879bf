// quantize, dequantize, dynamic_quantize.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"
#include "runtime/reference/Lines.h"

#include <algorithm>
#include <cmath>

namespace hexin::reference {
namespace {

/// Which scale an element has: one for all, one per position of an axis, or one
/// per block of positions.
class ScaleMap {
public:
  static Result<ScaleMap> make(const Call &call) {
    const Tensor &input = call.operand(0), &scale = call.operand(1);
    if (domainOf(scale.dtype()) != Domain::floating)
      return invalidArgument("the scale must be a float, got " +
                             std::string(toString(scale.dtype())));
    if (const Tensor *zero = call.optional(2))
      if (!std::ranges::equal(zero->dims(), scale.dims()) &&
          !(zero->numElements() == 1 && scale.numElements() == 1))
        return invalidArgument(
            "scale and zero point differ in sizes: " + formatDims(scale.dims()) + ", " +
            formatDims(zero->dims()));
    ScaleMap map;
    int64_t block = call.attributes.getInt("block");
    if (scale.numElements() == 1 && block == 0)
      return map;
    int64_t fallback = call.attributes.has("axis") ? call.attributes.getInt("axis") : 1;
    size_t rank = input.dims().size();
    int64_t axis = fallback < 0 ? fallback + int64_t(rank) : fallback;
    bool fits = axis >= 0 && axis < int64_t(rank) && block >= 0;
    if (fits) {
      Dims expected{input.dims()[size_t(axis)]};
      if (block > 0) {
        expected.assign(input.dims().begin(), input.dims().end());
        int64_t &along = expected[size_t(axis)];
        along = along / block + (along % block != 0);
      }
      fits = std::ranges::equal(expected, scale.dims());
    }
    if (!fits)
      return invalidArgument(
          "a scale of sizes " + formatDims(scale.dims()) +
          " does not fit an input of sizes " + formatDims(input.dims()) + " with axis " +
          std::to_string(fallback) + " and block " + std::to_string(block));
    map.block_ = block;
    map.length_ = input.dims()[size_t(axis)];
    map.inner_ = product(input.dims(), size_t(axis) + 1, rank);
    map.kind_ = block > 0 ? Kind::block : Kind::axis;
    return map;
  }

  /// Index into the scale for element `i` of the input.
  int64_t operator()(int64_t i) const {
    if (kind_ == Kind::tensor)
      return 0;
    int64_t position = i / inner_ % length_;
    if (kind_ == Kind::axis)
      return position;
    int64_t numBlocks = length_ / block_ + (length_ % block_ != 0);
    int64_t outer = i / (inner_ * length_);
    return (outer * numBlocks + position / block_) * inner_ + i % inner_;
  }

private:
  enum class Kind { tensor, axis, block };
  Kind kind_ = Kind::tensor;
  int64_t block_ = 0, length_ = 1, inner_ = 1;
};

/// `value` rounded to `dtype`, as the arithmetic of that type would.
double roundTo(DType dtype, double value) {
  switch (dtype) {
  case DType::f64:
    return value;
  case DType::f16:
    return f16ToF32(f64ToF16(value));
  case DType::bf16:
    return bf16ToF32(f64ToBf16(value));
  default: // f32, and e8m0, which divides in f32
    return double(float(value));
  }
}

struct Range {
  double low, high;
};

Range integerRange(DType dtype) {
  switch (dtype) {
  case DType::i2:
    return {-2, 1};
  case DType::u2:
    return {0, 3};
  case DType::i4:
    return {-8, 7};
  case DType::u4:
    return {0, 15};
  default:
    break;
  }
  double span = std::ldexp(1.0, int(byteWidth(dtype)) * 8 - isSigned(dtype));
  return {isSigned(dtype) ? -span : 0, span - 1};
}

/// saturate(round_even(quotient) + zero) into element i; NaN gives the minimum.
void storeQuantized(Tensor &result, int64_t i, double quotient, double zero) {
  Range range = integerRange(result.dtype());
  double value = std::nearbyint(quotient) + zero;
  int64_t whole = int64_t(value > range.low ? std::min(value, range.high) : range.low);
  storeElements(result.dtype(), result.data(), i, 1, &whole);
}

} // namespace

Results runQuantize(const Call &call) {
  const Tensor &input = call.operand(0), &scale = call.operand(1);
  const Tensor *zeroPoint = call.optional(2);
  HEXIN_ASSIGN_OR_RETURN(ScaleMap map, ScaleMap::make(call));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
  bool isInteger = domainOf(result.dtype()) == Domain::integer;
  if (result.dtype() == DType::boolean || byteWidth(result.dtype()) > 4 ||
      domainOf(result.dtype()) == Domain::opaque ||
      domainOf(input.dtype()) == Domain::opaque)
    return unsupported("quantising " + std::string(toString(input.dtype())) + " to " +
                       std::string(toString(result.dtype())));
  bool saturate = call.attributes.getInt("saturate", 1) != 0;
  Wide<double> x(input), scales(scale);
  std::vector<double> zeros(static_cast<size_t>(scale.numElements()), 0);
  if (zeroPoint)
    loadElements(zeroPoint->dtype(), zeroPoint->data(), 0, 1, zeroPoint->numElements(),
                 zeros.data());
  for (int64_t i = 0; i < input.numElements(); ++i) {
    int64_t s = map(i);
    double quotient = roundTo(scale.dtype(), roundTo(scale.dtype(), x[i]) / scales[s]);
    if (isInteger)
      storeQuantized(result, i, quotient, zeros[size_t(s)]);
    else if (byteWidth(result.dtype()) == 1)
      result.as<uint8_t>()[i] =
          f64ToNarrow(quotient + zeros[size_t(s)], result.dtype(), saturate);
    else
      return unsupported("quantising to " + std::string(toString(result.dtype())));
  }
  return single(std::move(result));
}

Results runDequantize(const Call &call) {
  const Tensor &input = call.operand(0), &scale = call.operand(1);
  const Tensor *zeroPoint = call.optional(2);
  if (domainOf(call.resultTypes[0]) != Domain::floating)
    return invalidArgument("the result is a float, not " +
                           std::string(toString(call.resultTypes[0])));
  if (domainOf(input.dtype()) == Domain::opaque)
    return unsupported("dequantising " + std::string(toString(input.dtype())));
  HEXIN_ASSIGN_OR_RETURN(ScaleMap map, ScaleMap::make(call));
  Wide<double> x(input), scales(scale);
  std::vector<double> zeros(static_cast<size_t>(scale.numElements()), 0);
  if (zeroPoint)
    loadElements(zeroPoint->dtype(), zeroPoint->data(), 0, 1, zeroPoint->numElements(),
                 zeros.data());
  std::vector<double> values(static_cast<size_t>(input.numElements()));
  for (int64_t i = 0; i < input.numElements(); ++i) {
    int64_t s = map(i);
    values[size_t(i)] = (x[i] - zeros[size_t(s)]) * scales[s];
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, input.dims(), values.data()));
  return single(std::move(result));
}

Results runDynamicQuantize(const Call &call) {
  const Tensor &input = call.operand(0);
  if (call.resultTypes.size() != 3 || call.resultTypes[0] != DType::u8 ||
      domainOf(call.resultTypes[1]) != Domain::floating ||
      call.resultTypes[2] != DType::u8 || domainOf(input.dtype()) != Domain::floating)
    return invalidArgument("expected a float input and results u8, float, u8");
  DType scaleType = call.resultTypes[1];
  Wide<double> x(input);
  double low = 0, high = 0; // the range includes 0
  for (int64_t i = 0; i < input.numElements(); ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
  }
  // Each step rounds to the scale's type, as the function body does.
  double scale = roundTo(scaleType, roundTo(scaleType, high - low) / 255);
  if (scale == 0)
    scale = 1;
  double zero = std::nearbyint(
      std::clamp(roundTo(scaleType, 0 - roundTo(scaleType, low / scale)), 0.0, 255.0));
  if (std::isnan(zero))
    zero = 0;
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
  for (int64_t i = 0; i < input.numElements(); ++i)
    storeQuantized(result, i, roundTo(scaleType, x[i] / scale), zero);
  std::vector<Tensor> results{std::move(result)};
  HEXIN_ASSIGN_OR_RETURN(Tensor scaleResult, storeResult(call, 1, {}, &scale));
  HEXIN_ASSIGN_OR_RETURN(Tensor zeroResult, storeResult(call, 2, {}, &zero));
  results.push_back(std::move(scaleResult));
  results.push_back(std::move(zeroResult));
  return results;
}

} // namespace hexin::reference
