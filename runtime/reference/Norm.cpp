// softmax, log_softmax, batch_norm, layer_norm: in f64, each in two passes.

#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"
#include "runtime/reference/Lines.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hexin::reference {
namespace {

Status checkAllFloat(const Call &call) {
  for (const Tensor *operand : call.operands)
    if (operand && domainOf(operand->dtype()) != Domain::floating)
      return invalidArgument("expected floats, got " +
                             std::string(toString(operand->dtype())));
  if (domainOf(call.resultTypes[0]) != Domain::floating)
    return invalidArgument("the result is a float, not " +
                           std::string(toString(call.resultTypes[0])));
  return Status::success();
}

/// The maximum of a line; a NaN stays.
double maxOfLine(const double *x, const Lines &lines) {
  double max = -std::numeric_limits<double>::infinity();
  for (int64_t k = 0; k < lines.length; ++k) {
    double value = x[k * lines.inner];
    max = max >= value || std::isnan(max) ? max : value;
  }
  return max;
}

Results normaliseExponentials(const Call &call, bool isLog) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkAllFloat(call));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  Lines lines(input.dims(), axis);
  Wide<double> source(input);
  std::vector<double> values(static_cast<size_t>(input.numElements()));
  lines.forEach([&](int64_t, int64_t first) {
    const double *x = source.data() + first;
    double *y = values.data() + first;
    double max = maxOfLine(x, lines), sum = 0;
    for (int64_t k = 0; k < lines.length; ++k)
      sum += std::exp(x[k * lines.inner] - max);
    double logSum = std::log(sum);
    for (int64_t k = 0; k < lines.length; ++k) {
      double shifted = x[k * lines.inner] - max;
      y[k * lines.inner] = isLog ? shifted - logSum : std::exp(shifted) / sum;
    }
  });
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, input.dims(), values.data()));
  return single(std::move(result));
}

/// `tensor` repeated to `dims`, as f64.
Result<std::vector<double>>
broadcastTo(const Tensor &tensor, std::span<const int64_t> dims, size_t numElements) {
  HEXIN_ASSIGN_OR_RETURN(Dims strides, broadcastStrides(tensor.dims(), dims));
  std::vector<double> values(numElements);
  int64_t done = 0;
  StridedLoop<1>(dims, {strides})
      .run([&](const auto &at, int64_t count, const auto &steps) {
        loadElements(tensor.dtype(), tensor.data(), at[0], steps[0], count,
                     values.data() + done);
        done += count;
      });
  return values;
}

} // namespace

Results runSoftmax(const Call &call) { return normaliseExponentials(call, false); }

Results runLogSoftmax(const Call &call) { return normaliseExponentials(call, true); }

Results runBatchNorm(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkAllFloat(call));
  std::string_view layout = call.attributes.getString("layout", "nchw");
  if (layout != "nchw" && layout != "nhwc")
    return unknownKeyword("layout", layout);
  size_t rank = input.dims().size();
  // A 1-D input is [N] with one channel.
  size_t axis = layout == "nhwc" ? rank - 1 : 1;
  int64_t channels = rank < 2 ? 1 : input.dims()[axis];
  for (size_t i = 1; i < 5; ++i)
    if (call.operand(i).numElements() != channels)
      return invalidArgument(
          "operand " + std::to_string(i) + " needs " + std::to_string(channels) +
          " elements, one per channel, got " + formatDims(call.operand(i).dims()));
  int64_t inner = rank < 2 ? 1 : product(input.dims(), axis + 1, rank);
  double epsilon = call.attributes.getFloat("epsilon");
  Wide<double> x(input), scale(call.operand(1)), bias(call.operand(2));
  Wide<double> mean(call.operand(3)), variance(call.operand(4));
  std::vector<double> values(static_cast<size_t>(input.numElements()));
  for (int64_t i = 0; i < input.numElements(); ++i) {
    int64_t c = i / inner % channels;
    values[size_t(i)] =
        (x[i] - mean[c]) / std::sqrt(variance[c] + epsilon) * scale[c] + bias[c];
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, input.dims(), values.data()));
  return single(std::move(result));
}

Results runLayerNorm(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkAllFloat(call));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  double epsilon = call.attributes.getFloat("epsilon");
  bool isCentred = call.attributes.getInt("centred", 1) != 0;
  size_t numElements = size_t(input.numElements());
  int64_t rows = product(input.dims(), 0, axis);
  int64_t length = product(input.dims(), axis, input.dims().size());
  Wide<double> x(input);
  HEXIN_ASSIGN_OR_RETURN(auto scale,
                         broadcastTo(call.operand(1), input.dims(), numElements));
  std::vector<double> bias(numElements, 0);
  if (call.optional(2)) {
    HEXIN_ASSIGN_OR_RETURN(bias, broadcastTo(call.operand(2), input.dims(), numElements));
  }
  std::vector<double> values(numElements);
  for (int64_t row = 0; row < rows && numElements > 0; ++row) {
    const double *src = x.data() + row * length;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < length; ++i)
      sum += src[i];
    double mean = isCentred ? sum / double(length) : 0;
    for (int64_t i = 0; i < length; ++i)
      squares += (src[i] - mean) * (src[i] - mean);
    double deviation = std::sqrt(squares / double(length) + epsilon);
    for (int64_t i = 0; i < length; ++i) {
      size_t at = size_t(row * length + i);
      values[at] = (src[i] - mean) / deviation * scale[at] + bias[at];
    }
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, input.dims(), values.data()));
  return single(std::move(result));
}

} // namespace hexin::reference
