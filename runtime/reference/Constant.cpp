// shape_of, iota: sizes and positions.

#include "runtime/reference/Kernel.h"

namespace hexin::reference {

Results runShapeOf(const Call &call) {
  auto dims = call.operand(0).dims();
  int64_t rank = int64_t(dims.size());
  HEXIN_ASSIGN_OR_RETURN(Tensor result,
                         storeResult(call, 0, std::span(&rank, 1), dims.data()));
  return single(std::move(result));
}

Results runIota(const Call &call) {
  HEXIN_ASSIGN_OR_RETURN(Dims dims, readIntegers(call.operand(0), "sizes"));
  HEXIN_ASSIGN_OR_RETURN(size_t axis, readAxis(call, dims.size()));
  HEXIN_ASSIGN_OR_RETURN(Tensor result, call.allocate(0, dims));
  if (result.numElements() == 0)
    return single(std::move(result));
  int64_t inner = product(dims, axis + 1, dims.size());
  Dims row(static_cast<size_t>(inner));
  for (int64_t start = 0; start < result.numElements(); start += inner) {
    row.assign(row.size(), start / inner % dims[axis]);
    storeElements(result.dtype(), result.data(), start, inner, row.data());
  }
  return single(std::move(result));
}

} // namespace hexin::reference
