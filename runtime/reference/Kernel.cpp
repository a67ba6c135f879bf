#include "runtime/reference/Kernel.h"

#include "runtime/base/Checked.h"
#include "runtime/base/DType.h"

namespace hexin::reference {

Result<Tensor> Call::allocate(size_t i, std::span<const int64_t> dims) const {
  DType dtype = resultTypes[i];
  auto numElements = checkedNumElements(dims);
  auto bytes = numElements ? checkedMul(*numElements, byteWidth(dtype)) : std::nullopt;
  if (!bytes)
    return invalidArgument("result sizes " + formatDims(dims) +
                           " are negative or overflow 64 bits");
  if (*bytes > options.maxResultBytes)
    return resourceExhausted("a result of sizes " + formatDims(dims) + " takes " +
                             std::to_string(*bytes) + " bytes, the limit is " +
                             std::to_string(options.maxResultBytes));
  return Tensor::allocate(dtype, dims);
}

Result<size_t> workSize(std::span<const int64_t> dims, const Call &call) {
  auto numElements = checkedNumElements(dims);
  if (!numElements)
    return invalidArgument("sizes " + formatDims(dims) +
                           " are negative or overflow 64 bits");
  if (*numElements > call.options.maxResultBytes)
    return resourceExhausted("a result of sizes " + formatDims(dims) +
                             " exceeds the limit of " +
                             std::to_string(call.options.maxResultBytes) + " bytes");
  return size_t(*numElements);
}

Result<Dims> readIntegers(const Tensor &tensor, std::string_view name) {
  if (tensor.dims().size() > 1 ||
      (tensor.dtype() != DType::i64 && tensor.dtype() != DType::i32))
    return invalidArgument("'" + std::string(name) + "' must be 1-D i64 or i32, got " +
                           std::string(toString(tensor.dtype())) + " " +
                           formatDims(tensor.dims()));
  Dims values(size_t(tensor.numElements()));
  loadElements(tensor.dtype(), tensor.data(), 0, 1, tensor.numElements(), values.data());
  return values;
}

Result<size_t> readAxis(const Call &call, size_t rank, std::string_view name) {
  int64_t axis = call.attributes.getInt(name);
  int64_t normal = axis < 0 ? axis + int64_t(rank) : axis;
  if (normal < 0 || normal >= int64_t(rank))
    return invalidArgument(std::string(name) + "=" + std::to_string(axis) +
                           " is not an axis of rank " + std::to_string(rank));
  return size_t(normal);
}

Result<int64_t> checkIndex(int64_t i, int64_t dim) {
  int64_t normal = i < 0 ? i + dim : i;
  if (normal < 0 || normal >= dim)
    return outOfRange("index " + std::to_string(i) + " is outside of an axis of size " +
                      std::to_string(dim));
  return normal;
}

Status unknownKeyword(std::string_view attribute, std::string_view keyword) {
  return invalidArgument(std::string(attribute) + "='" + std::string(keyword) +
                         "' is not known for these element types");
}

Status checkSameDomain(const Call &call, const Tensor &operand, size_t i) {
  if (domainOf(call.resultTypes[i]) == domainOf(operand.dtype()))
    return Status::success();
  return invalidArgument(
      "a result of type " + std::string(toString(call.resultTypes[i])) +
      " cannot come from an operand of type " + std::string(toString(operand.dtype())));
}

Status checkBox(const OutputBox &box, std::span<const int64_t> dims) {
  bool fits = box.begin.size() == dims.size() && box.end.size() == dims.size();
  for (size_t i = 0; fits && i < dims.size(); ++i)
    fits = 0 <= box.begin[i] && box.begin[i] <= box.end[i] && box.end[i] <= dims[i];
  if (fits)
    return Status::success();
  return invalidArgument("the box " + formatDims(box.begin) + " to " +
                         formatDims(box.end) + " does not lie in a result of sizes " +
                         formatDims(dims));
}

} // namespace hexin::reference
