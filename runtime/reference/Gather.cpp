// gather, gather_elements, gather_nd, gather_sum: reads at computed positions.

#include "runtime/reference/Gather.h"
#include "runtime/base/DType.h"

#include <algorithm>
#include <cstring>

namespace hexin::reference {

Result<Dims> readIndices(const Tensor &indices) {
  if (indices.dtype() != DType::i32 && indices.dtype() != DType::i64)
    return invalidArgument("indices must be i32 or i64, got " +
                           std::string(toString(indices.dtype())));
  Dims values(size_t(indices.numElements()));
  loadElements(indices.dtype(), indices.data(), 0, 1, indices.numElements(),
               values.data());
  return values;
}

Status checkMovedType(const Call &call) {
  if (call.resultTypes[0] == call.operand(0).dtype())
    return Status::success();
  return invalidArgument("the result must have the input's type " +
                         std::string(toString(call.operand(0).dtype())) + ", not " +
                         std::string(toString(call.resultTypes[0])));
}

Status checkElementsIndices(std::span<const int64_t> input,
                            std::span<const int64_t> indices, size_t axis) {
  bool fits = input.size() == indices.size();
  for (size_t i = 0; fits && i < input.size(); ++i)
    fits = i == axis || indices[i] <= input[i];
  if (fits)
    return Status::success();
  return invalidArgument("indices of sizes " + formatDims(indices) +
                         " are larger than the input " + formatDims(input) +
                         " beside axis " + std::to_string(axis));
}

Result<Dims> locateElements(std::span<const int64_t> input,
                            std::span<const int64_t> indexDims,
                            std::span<const int64_t> indices, size_t axis) {
  Dims strides = rowMajorStrides(input);
  Dims offsets(indices.size()), index(indexDims.size(), 0);
  for (size_t i = 0; i < indices.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(int64_t at, checkIndex(indices[i], input[axis]));
    int64_t offset = at * strides[axis];
    for (size_t k = 0; k < index.size(); ++k)
      offset += k == axis ? 0 : index[k] * strides[k];
    offsets[i] = offset;
    stepIndex(index, indexDims);
  }
  return offsets;
}

Result<NdPlan> locateSlices(std::span<const int64_t> input,
                            std::span<const int64_t> indexDims,
                            std::span<const int64_t> indices, int64_t batchDims) {
  size_t batch = size_t(batchDims);
  bool fits = batchDims >= 0 && batch < indexDims.size() && batch <= input.size() &&
              indexDims.back() <= int64_t(input.size() - batch) &&
              std::equal(input.begin(), input.begin() + batchDims, indexDims.begin());
  if (!fits)
    return invalidArgument("indices of sizes " + formatDims(indexDims) +
                           " do not address the input " + formatDims(input) + " with " +
                           std::to_string(batchDims) + " batch axes");
  size_t coordinates = size_t(indexDims.back());
  Dims strides = rowMajorStrides(input);
  NdPlan plan;
  plan.outer.assign(indexDims.begin(), indexDims.end() - 1);
  plan.inner.assign(input.begin() + batchDims + int64_t(coordinates), input.end());
  plan.sliceElements = product(plan.inner, 0, plan.inner.size());
  int64_t perBatch = product(indexDims, batch, indexDims.size() - 1);
  int64_t batchStride = product(input, batch, input.size());
  int64_t tuples = product(indexDims, 0, indexDims.size() - 1);
  plan.offsets.resize(size_t(tuples));
  for (int64_t tuple = 0; tuple < tuples; ++tuple) {
    int64_t offset = tuple / perBatch * batchStride;
    for (size_t k = 0; k < coordinates; ++k) {
      HEXIN_ASSIGN_OR_RETURN(
          int64_t at,
          checkIndex(indices[size_t(tuple) * coordinates + k], input[batch + k]));
      offset += at * strides[batch + k];
    }
    plan.offsets[size_t(tuple)] = offset;
  }
  return plan;
}

Results runGather(const Call &call) {
  const Tensor &input = call.operand(0), &indices = call.operand(1);
  HEXIN_RETURN_IF_ERROR(checkMovedType(call));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  int64_t batchDims = call.attributes.getInt("batchDims");
  auto in = input.dims(), at = indices.dims();
  size_t batch = size_t(batchDims);
  if (batchDims < 0 || batch > axis || batch > at.size() ||
      !std::equal(in.begin(), in.begin() + batchDims, at.begin()))
    return invalidArgument("indices of sizes " + formatDims(at) + " do not share " +
                           std::to_string(batchDims) + " batch axes with " +
                           formatDims(in));
  // [batch, before, axis, after] by [batch, picks] to [batch, before, picks, after]
  Dims dims(in.begin(), in.begin() + int64_t(axis));
  dims.insert(dims.end(), at.begin() + batchDims, at.end());
  dims.insert(dims.end(), in.begin() + int64_t(axis) + 1, in.end());
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIndices(indices));
  for (int64_t &value : values) {
    HEXIN_ASSIGN_OR_RETURN(value, checkIndex(value, in[axis]));
  }
  if (result.numElements() == 0)
    return single(std::move(result));

  int64_t batches = product(in, 0, batch), before = product(in, batch, axis);
  int64_t picks = product(at, batch, at.size());
  int64_t rowBytes = product(in, axis + 1, in.size()) * byteWidth(input.dtype());
  char *dst = static_cast<char *>(result.data());
  const char *src = static_cast<const char *>(input.data());
  for (int64_t b = 0; b < batches; ++b)
    for (int64_t i = 0; i < before; ++i)
      for (int64_t p = 0; p < picks; ++p, dst += rowBytes) {
        int64_t row = (b * before + i) * in[axis] + values[size_t(b * picks + p)];
        std::memcpy(dst, src + row * rowBytes, size_t(rowBytes));
      }
  return single(std::move(result));
}

Results runGatherElements(const Call &call) {
  const Tensor &input = call.operand(0), &indices = call.operand(1);
  HEXIN_RETURN_IF_ERROR(checkMovedType(call));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  HEXIN_RETURN_IF_ERROR(checkElementsIndices(input.dims(), indices.dims(), axis));
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIndices(indices));
  HEXIN_ASSIGN_OR_RETURN(Dims offsets,
                         locateElements(input.dims(), indices.dims(), values, axis));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, indices.dims()));
  int64_t width = byteWidth(input.dtype());
  for (size_t i = 0; i < offsets.size(); ++i)
    std::memcpy(static_cast<char *>(result.data()) + int64_t(i) * width,
                static_cast<const char *>(input.data()) + offsets[i] * width,
                size_t(width));
  return single(std::move(result));
}

Results runGatherNd(const Call &call) {
  const Tensor &input = call.operand(0), &indices = call.operand(1);
  HEXIN_RETURN_IF_ERROR(checkMovedType(call));
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIndices(indices));
  HEXIN_ASSIGN_OR_RETURN(NdPlan plan, locateSlices(input.dims(), indices.dims(), values,
                                                   call.attributes.getInt("batchDims")));
  Dims dims = plan.outer;
  dims.insert(dims.end(), plan.inner.begin(), plan.inner.end());
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  if (result.numElements() == 0)
    return single(std::move(result));
  int64_t width = byteWidth(input.dtype()), sliceBytes = plan.sliceElements * width;
  char *dst = static_cast<char *>(result.data());
  for (int64_t offset : plan.offsets) {
    std::memcpy(dst, static_cast<const char *>(input.data()) + offset * width,
                size_t(sliceBytes));
    dst += sliceBytes;
  }
  return single(std::move(result));
}

Results runGatherSum(const Call &call) {
  const Tensor &input = call.operand(0), &positions = call.operand(1),
               &weights = call.operand(2);
  auto in = input.dims(), at = positions.dims();
  if (in.size() != 3 || at.size() != 3 || at[1] != in[0] ||
      !std::equal(at.begin(), at.end(), weights.dims().begin(), weights.dims().end()))
    return invalidArgument(
        "expected an input [B, P, C], positions and weights [T, B, Q], "
        "got sizes " +
        formatDims(in) + ", " + formatDims(at) + " and " + formatDims(weights.dims()));
  if (domainOf(input.dtype()) != Domain::floating)
    return unsupported("weighted sums of elements of type " +
                       std::string(toString(input.dtype())));
  HEXIN_RETURN_IF_ERROR(checkMovedType(call));
  HEXIN_ASSIGN_OR_RETURN(Dims rows, readIndices(positions));
  for (int64_t row : rows)
    if (row < -1 || row >= in[1])
      return outOfRange("position " + std::to_string(row) + " is none of " +
                        std::to_string(in[1]) + " rows, and not -1");
  int64_t channels = in[2], perTap = at[1] * at[2];
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, Dims{in[0], at[2], channels}));
  Wide<double> x(input), w(weights);
  std::vector<double> sums(static_cast<size_t>(channels));
  for (int64_t sample = 0; sample < perTap; ++sample) { // of all batches
    std::fill(sums.begin(), sums.end(), 0.0);
    const double *image = x.data() + sample / at[2] * in[1] * channels;
    for (int64_t tap = sample; tap < at[0] * perTap; tap += perTap)
      for (int64_t c = 0; c < channels && rows[size_t(tap)] >= 0; ++c)
        sums[size_t(c)] += image[rows[size_t(tap)] * channels + c] * w.data()[tap];
    storeElements(result.dtype(), result.data(), sample * channels, channels,
                  sums.data());
  }
  return single(std::move(result));
}

} // namespace hexin::reference
