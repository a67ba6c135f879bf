//===- Gather.h - where gathers read and scatters write ---------------------===//
//
// Index arithmetic that the gather and scatter kernels share. An index outside
// of its axis is outOfRange; a negative one counts from the end.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_GATHER_H
#define HEXIN_RUNTIME_REFERENCE_GATHER_H

#include "runtime/reference/Kernel.h"

namespace hexin::reference {

/// All values of an index tensor of any rank.
Result<Dims> readIndices(const Tensor &indices);

/// Result 0 has the type of operand 0.
Status checkMovedType(const Call &call);

/// *_elements: the indices have the input's rank and, beside `axis`, do not
/// exceed it.
Status checkElementsIndices(std::span<const int64_t> input,
                            std::span<const int64_t> indices, size_t axis);

/// *_elements: for each index, the element of the input it stands for.
Result<Dims> locateElements(std::span<const int64_t> input,
                            std::span<const int64_t> indexDims,
                            std::span<const int64_t> indices, size_t axis);

/// *_nd: for each tuple of coordinates, where its slice of the input starts.
struct NdPlan {
  Dims outer; ///< axes of the indices but the last
  Dims inner; ///< axes of a slice
  int64_t sliceElements = 0;
  Dims offsets;
};
Result<NdPlan> locateSlices(std::span<const int64_t> input,
                            std::span<const int64_t> indexDims,
                            std::span<const int64_t> indices, int64_t batchDims);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_GATHER_H
