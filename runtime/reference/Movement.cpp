// Ops that only move elements: everything is one strided copy, by byte width.

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"
#include "runtime/reference/Kernel.h"

#include <algorithm>
#include <cstring>

namespace hexin::reference {
namespace {

Status checkSameType(const Call &call, const Tensor &operand) {
  if (call.resultTypes[0] == operand.dtype())
    return Status::success();
  return invalidArgument("elements of type " + std::string(toString(operand.dtype())) +
                         " cannot move into a result of type " +
                         std::string(toString(call.resultTypes[0])));
}

/// A result of `dims` with the operand's bytes as they are.
Results copyWhole(const Call &call, std::span<const int64_t> dims) {
  const Tensor &input = call.operand(0);
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  if (result.byteLength() != input.byteLength())
    return invalidArgument("sizes " + formatDims(input.dims()) + " of " +
                           std::string(toString(input.dtype())) + " cannot become " +
                           formatDims(dims) + " of " +
                           std::string(toString(result.dtype())));
  if (input.byteLength() > 0)
    std::memcpy(result.data(), input.data(), input.byteLength());
  return single(std::move(result));
}

/// A shape operand with one entry per axis of `input`.
Result<Dims> readPerAxis(const Call &call, size_t operand, std::string_view name) {
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIntegers(call.operand(operand), name));
  if (values.size() != call.operand(0).dims().size())
    return invalidArgument("'" + std::string(name) + "' needs one entry per axis, " +
                           std::to_string(call.operand(0).dims().size()) + ", got " +
                           std::to_string(values.size()));
  return values;
}

} // namespace

Results runBitcast(const Call &call) {
  const Tensor &input = call.operand(0);
  Dims dims(input.dims().begin(), input.dims().end());
  int64_t from = byteWidth(input.dtype()), to = byteWidth(call.resultTypes[0]);
  if (from == 2 * to) // the parts of complex numbers
    dims.push_back(2);
  else if (to == 2 * from && !dims.empty())
    dims.pop_back(); // copyWhole checks that it was 2
  return copyWhole(call, dims);
}

Results runReshape(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkSameType(call, input));
  HEXIN_ASSIGN_OR_RETURN(Dims dims, readIntegers(call.operand(1), "shape"));
  auto open = std::find(dims.begin(), dims.end(), -1);
  if (open != dims.end()) {
    *open = 1;
    auto rest = checkedNumElements(dims);
    if (!rest || *rest == 0 || input.numElements() % *rest != 0)
      return invalidArgument(
          "cannot infer the -1: " + std::to_string(input.numElements()) +
          " elements, the other sizes are " + formatDims(dims));
    *open = input.numElements() / *rest;
  }
  return copyWhole(call, dims);
}

Results runTranspose(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkSameType(call, input));
  Dims perm = call.attributes.getInts("perm");
  size_t rank = input.dims().size();
  std::vector<bool> isTaken(rank, false);
  Dims own = rowMajorStrides(input.dims());
  Dims dims, strides;
  for (int64_t axis : perm) {
    if (axis < 0 || axis >= int64_t(rank) || isTaken[size_t(axis)])
      break;
    isTaken[size_t(axis)] = true;
    dims.push_back(input.dims()[size_t(axis)]);
    strides.push_back(own[size_t(axis)]);
  }
  if (dims.size() != rank || perm.size() != rank)
    return invalidArgument("perm=" + formatDims(perm) + " is no permutation of " +
                           std::to_string(rank) + " axes");
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  copyStrided(result.data(), input.data(), 0, dims, strides, byteWidth(input.dtype()));
  return single(std::move(result));
}

Results runBroadcastTo(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkSameType(call, input));
  HEXIN_ASSIGN_OR_RETURN(Dims dims, readIntegers(call.operand(1), "shape"));
  HEXIN_ASSIGN_OR_RETURN(Dims strides, broadcastStrides(input.dims(), dims));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  copyStrided(result.data(), input.data(), 0, dims, strides, byteWidth(input.dtype()));
  return single(std::move(result));
}

Results runSlice(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkSameType(call, input));
  HEXIN_ASSIGN_OR_RETURN(Dims starts, readPerAxis(call, 1, "starts"));
  HEXIN_ASSIGN_OR_RETURN(Dims sizes, readPerAxis(call, 2, "sizes"));
  Dims steps = call.attributes.getInts("steps");
  if (steps.size() != sizes.size())
    return invalidArgument("steps needs " + std::to_string(sizes.size()) +
                           " entries, got " + std::to_string(steps.size()));
  Dims strides = rowMajorStrides(input.dims());
  int64_t start = 0;
  bool isEmpty = std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] <= 0 || isEmpty)
      continue; // negative sizes are refused by allocate
    auto span = checkedMul(steps[i], sizes[i] - 1);
    auto last = span ? checkedAdd(starts[i], *span) : std::nullopt;
    int64_t dim = input.dims()[i];
    if (!last || starts[i] < 0 || starts[i] >= dim || *last < 0 || *last >= dim ||
        steps[i] == 0)
      return invalidArgument("slice start " + std::to_string(starts[i]) + ", size " +
                             std::to_string(sizes[i]) + ", step " +
                             std::to_string(steps[i]) + " leaves axis " +
                             std::to_string(i) + " of size " + std::to_string(dim));
    start += starts[i] * strides[i];
    // Unused when there is one element, and then it may not even fit.
    strides[i] = sizes[i] == 1 ? 0 : strides[i] * steps[i];
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, sizes));
  copyStrided(result.data(), input.data(), start, sizes, strides,
              byteWidth(input.dtype()));
  return single(std::move(result));
}

Results runConcat(const Call &call) {
  auto first = call.operand(0).dims();
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, first.size()));
  Dims dims(first.begin(), first.end());
  dims[axis] = 0;
  for (const Tensor *input : call.operands) {
    HEXIN_RETURN_IF_ERROR(checkSameType(call, *input));
    bool fits = input->dims().size() == dims.size();
    for (size_t i = 0; fits && i < dims.size(); ++i)
      fits = i == axis || input->dims()[i] == dims[i];
    auto sum = fits ? checkedAdd(dims[axis], input->dims()[axis]) : std::nullopt;
    if (!sum)
      return invalidArgument("sizes " + formatDims(input->dims()) + " do not join " +
                             formatDims(first) + " along axis " + std::to_string(axis));
    dims[axis] = *sum;
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  Dims resultStrides = rowMajorStrides(dims);
  int64_t offset = 0;
  for (const Tensor *input : call.operands) {
    copyStrided(result.data(), offset * resultStrides[axis], resultStrides, input->data(),
                0, rowMajorStrides(input->dims()), input->dims(),
                byteWidth(input->dtype()));
    offset += input->dims()[axis];
  }
  return single(std::move(result));
}

namespace {

/// Source position of each result position along one axis; -1 is outside.
Result<Dims> padPositions(std::string_view mode, int64_t dim, int64_t low, int64_t size) {
  Dims positions(static_cast<size_t>(size), -1);
  if (dim == 0 && mode != "constant" && size > 0)
    return invalidArgument("an axis of size 0 has nothing to pad with in mode '" +
                           std::string(mode) + "'");
  int64_t period = std::max<int64_t>(2 * (dim - 1), 1);
  for (int64_t i = 0; i < size; ++i) {
    int64_t at = i - low;
    if (mode == "edge") {
      at = std::clamp<int64_t>(at, 0, dim - 1);
    } else if (mode == "wrap") {
      at = (at % dim + dim) % dim;
    } else if (mode == "reflect") {
      at = (at % period + period) % period;
      at = at < dim ? at : period - at;
    } else if (at < 0 || at >= dim) {
      at = -1;
    }
    positions[size_t(i)] = at;
  }
  return positions;
}

} // namespace

Results runPad(const Call &call) {
  const Tensor &input = call.operand(0), &value = call.operand(3);
  std::string_view mode = call.attributes.getString("mode", "constant");
  HEXIN_RETURN_IF_ERROR(checkSameType(call, input));
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    return unknownKeyword("mode", mode);
  if (value.numElements() != 1 || value.dtype() != input.dtype())
    return invalidArgument("the pad value must be one element of type " +
                           std::string(toString(input.dtype())));
  HEXIN_ASSIGN_OR_RETURN(Dims low, readPerAxis(call, 1, "low"));
  HEXIN_ASSIGN_OR_RETURN(Dims high, readPerAxis(call, 2, "high"));
  Dims dims(low.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    auto before = checkedAdd(input.dims()[i], low[i]);
    auto all = before ? checkedAdd(*before, high[i]) : std::nullopt;
    if (!all || low[i] < 0 || high[i] < 0)
      return invalidArgument("pads " + std::to_string(low[i]) + ", " +
                             std::to_string(high[i]) + " of axis " + std::to_string(i) +
                             " are negative or overflow");
    dims[i] = *all;
  }
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  if (result.numElements() == 0)
    return single(std::move(result));

  Dims strides = rowMajorStrides(input.dims());
  std::vector<Dims> positions;
  for (size_t i = 0; i < dims.size(); ++i) {
    HEXIN_ASSIGN_OR_RETURN(Dims axis,
                           padPositions(mode, input.dims()[i], low[i], dims[i]));
    positions.push_back(std::move(axis));
  }
  int64_t width = byteWidth(input.dtype());
  char *dst = static_cast<char *>(result.data());
  const char *src = static_cast<const char *>(input.data());
  Dims index(dims.size(), 0);
  for (int64_t i = 0; i < result.numElements(); ++i, dst += width) {
    int64_t offset = 0;
    bool isInside = true;
    for (size_t axis = 0; axis < dims.size() && isInside; ++axis) {
      int64_t at = positions[axis][size_t(index[axis])];
      isInside = at >= 0;
      offset += at * strides[axis];
    }
    std::memcpy(dst,
                isInside ? src + offset * width : static_cast<const char *>(value.data()),
                size_t(width));
    stepIndex(index, dims);
  }
  return single(std::move(result));
}

} // namespace hexin::reference
