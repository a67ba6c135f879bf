// scatter_elements, scatter_nd: updates join a copy of the input, in the order
// of the indices.

#include "runtime/base/DType.h"
#include "runtime/reference/Elementwise.h"
#include "runtime/reference/Gather.h"

#include <algorithm>
#include <cstring>

namespace hexin::reference {
namespace {

/// Joins updates [k * slice, (k + 1) * slice) at element offsets[k] of `result`.
Status scatter(std::string_view fn, Tensor &result, const Tensor &updates,
               std::span<const int64_t> offsets, int64_t slice) {
  DType dtype = result.dtype();
  int64_t width = byteWidth(dtype);
  if (slice == 0)
    return Status::success();
  if (fn == "set") {
    for (size_t k = 0; k < offsets.size(); ++k)
      std::memcpy(static_cast<char *>(result.data()) + offsets[k] * width,
                  static_cast<const char *>(updates.data()) + int64_t(k) * slice * width,
                  size_t(slice * width));
    return Status::success();
  }
  // On truth values ONNX means logical or and and.
  if (dtype == DType::boolean)
    fn = fn == "add" ? "bit_or" : fn == "mul" ? "bit_and" : fn;
  return visitWide(dtype, [&](auto zero) -> Status {
    using W = decltype(zero);
    BinaryLoop<W> loop = findBinary<W>(fn);
    if (!loop)
      return unknownKeyword("fn", fn);
    std::vector<W> old(static_cast<size_t>(slice)), update(static_cast<size_t>(slice));
    for (size_t k = 0; k < offsets.size(); ++k) {
      loadElements(dtype, result.data(), offsets[k], 1, slice, old.data());
      loadElements(dtype, updates.data(), int64_t(k) * slice, 1, slice, update.data());
      loop(old.data(), update.data(), old.data(), slice, {});
      storeElements(dtype, result.data(), offsets[k], slice, old.data());
    }
    return Status::success();
  });
}

Result<Tensor> copyInput(const Call &call) {
  const Tensor &input = call.operand(0);
  HEXIN_RETURN_IF_ERROR(checkMovedType(call));
  if (call.operand(2).dtype() != input.dtype())
    return invalidArgument("updates must have the input's type " +
                           std::string(toString(input.dtype())) + ", not " +
                           std::string(toString(call.operand(2).dtype())));
  std::string_view fn = call.attributes.getString("fn", "set");
  if (fn != "set" && fn != "add" && fn != "mul" && fn != "max" && fn != "min")
    return unknownKeyword("fn", fn);
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, input.dims()));
  if (input.byteLength() > 0)
    std::memcpy(result.data(), input.data(), input.byteLength());
  return result;
}

Status checkUpdates(const Tensor &updates, std::span<const int64_t> dims) {
  if (std::equal(updates.dims().begin(), updates.dims().end(), dims.begin(), dims.end()))
    return Status::success();
  return invalidArgument("updates must have sizes " + formatDims(dims) + ", got " +
                         formatDims(updates.dims()));
}

} // namespace

Results runScatterElements(const Call &call) {
  const Tensor &input = call.operand(0), &indices = call.operand(1);
  const Tensor &updates = call.operand(2);
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, input.dims().size()));
  HEXIN_RETURN_IF_ERROR(checkElementsIndices(input.dims(), indices.dims(), axis));
  HEXIN_RETURN_IF_ERROR(checkUpdates(updates, indices.dims()));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, copyInput(call));
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIndices(indices));
  HEXIN_ASSIGN_OR_RETURN(Dims offsets,
                         locateElements(input.dims(), indices.dims(), values, axis));
  HEXIN_RETURN_IF_ERROR(
      scatter(call.attributes.getString("fn", "set"), result, updates, offsets, 1));
  return single(std::move(result));
}

Results runScatterNd(const Call &call) {
  const Tensor &input = call.operand(0), &indices = call.operand(1);
  const Tensor &updates = call.operand(2);
  HEXIN_ASSIGN_OR_RETURN(Dims values, readIndices(indices));
  HEXIN_ASSIGN_OR_RETURN(NdPlan plan,
                         locateSlices(input.dims(), indices.dims(), values, 0));
  Dims expected = plan.outer;
  expected.insert(expected.end(), plan.inner.begin(), plan.inner.end());
  HEXIN_RETURN_IF_ERROR(checkUpdates(updates, expected));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, copyInput(call));
  HEXIN_RETURN_IF_ERROR(scatter(call.attributes.getString("fn", "set"), result, updates,
                                plan.offsets, plan.sliceElements));
  return single(std::move(result));
}

} // namespace hexin::reference
