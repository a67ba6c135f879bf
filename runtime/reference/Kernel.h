//===- Kernel.h - what every reference kernel gets and shares ---------------===//
//
// A kernel is a function of a Call. Reference.cpp has one table row per kernel
// and has checked, before it calls one, that the required operands are there
// and that none is a string tensor; the kernel checks the rest.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_RUNTIME_REFERENCE_KERNEL_H
#define HEXIN_RUNTIME_REFERENCE_KERNEL_H

#include "runtime/reference/Elements.h"
#include "runtime/reference/Reference.h"
#include "runtime/reference/Strided.h"

namespace hexin::reference {

using Results = Result<std::vector<Tensor>>;

struct Call {
  const Attributes &attributes;
  std::span<const Tensor *const> operands;
  std::span<const DType> resultTypes;
  const RunOptions &options;

  /// An operand that is there.
  const Tensor &operand(size_t i) const { return *operands[i]; }
  /// An optional operand, or nullptr.
  const Tensor *optional(size_t i) const {
    return i < operands.size() ? operands[i] : nullptr;
  }

  /// Memory for result `i`, under the caller's byte limit.
  Result<Tensor> allocate(size_t i, std::span<const int64_t> dims) const;
};

inline Results single(Tensor tensor) {
  std::vector<Tensor> results;
  results.push_back(std::move(tensor));
  return results;
}

/// The values of a 1-D (or scalar) integer tensor, such as a shape operand.
Result<Dims> readIntegers(const Tensor &tensor, std::string_view name);

/// Attribute `axis` against `rank`; a negative one counts from the end.
Result<size_t> readAxis(const Call &call, size_t rank, std::string_view name = "axis");

/// Index `i` into an axis of size `dim`, a negative one from the end; outOfRange
/// otherwise.
Result<int64_t> checkIndex(int64_t i, int64_t dim);

/// The error for an enum keyword that a kernel does not know.
Status unknownKeyword(std::string_view attribute, std::string_view keyword);

/// Elements of result `i` rounded from `values`, in row-major order of `dims`.
template <typename W>
Result<Tensor> storeResult(const Call &call, size_t i, std::span<const int64_t> dims,
                           const W *values) {
  HEXIN_ASSIGN_OR_RETURN(Tensor tensor, call.allocate(i, dims));
  storeElements(tensor.dtype(), tensor.data(), 0, tensor.numElements(), values);
  return tensor;
}

/// Whether `operand` and result `i` compute in the same domain, as an error.
Status checkSameDomain(const Call &call, const Tensor &operand, size_t i = 0);

/// Number of elements of a work buffer of `dims`, under the caller's byte limit.
Result<size_t> workSize(std::span<const int64_t> dims, const Call &call);

/// Whether `box` lies inside a result of `dims`, as an error.
Status checkBox(const OutputBox &box, std::span<const int64_t> dims);

// Constant.cpp
Results runShapeOf(const Call &call);
Results runIota(const Call &call);
// Elementwise.cpp, Activation.cpp, Cast.cpp
Results runUnary(const Call &call);
Results runBinary(const Call &call);
Results runCompare(const Call &call);
Results runSelect(const Call &call);
Results runActivation(const Call &call);
Results runCast(const Call &call);
// Movement.cpp
Results runBitcast(const Call &call);
Results runReshape(const Call &call);
Results runTranspose(const Call &call);
Results runBroadcastTo(const Call &call);
Results runSlice(const Call &call);
Results runConcat(const Call &call);
Results runPad(const Call &call);
// Gather.cpp, Scatter.cpp
Results runGather(const Call &call);
Results runGatherElements(const Call &call);
Results runGatherNd(const Call &call);
Results runScatterElements(const Call &call);
Results runScatterNd(const Call &call);
// Check.cpp
Results runCheckLengths(const Call &call);
// MatMul.cpp
Results runMatMul(const Call &call);
Results runMatMulInteger(const Call &call);
// FewBits.cpp
Results runMatMulFewBits(const Call &call);
// Conv.cpp, ConvTranspose.cpp
Results runConv(const Call &call);
Results runConvInteger(const Call &call);
Results runConvTranspose(const Call &call);
// Pool.cpp
Results runPool(const Call &call);
// Reduce.cpp
Results runReduce(const Call &call);
Results runArgReduce(const Call &call);
Results runCumulative(const Call &call);
// Sort.cpp
Results runSort(const Call &call);
Results runTopK(const Call &call);
Results runSortedSearch(const Call &call);
Results runCompact(const Call &call);
// Tree.cpp, Coupling.cpp
Results runTreeEnsemble(const Call &call);
Results runCouplePairs(const Call &call);
// Norm.cpp
Results runSoftmax(const Call &call);
Results runLogSoftmax(const Call &call);
Results runBatchNorm(const Call &call);
Results runLayerNorm(const Call &call);
// Quantize.cpp
Results runQuantize(const Call &call);
Results runDequantize(const Call &call);
Results runDynamicQuantize(const Call &call);
// Recurrent.cpp
Results runLstm(const Call &call);
Results runRecurrence(const Call &call);
// Resize.cpp
Results runResize(const Call &call);
// Roi.cpp
Results runGatherSum(const Call &call);
Results runRoiPool(const Call &call);
// Random.cpp
Results runRandomBits(const Call &call);
// Packing.cpp
Results runPackPanels(const Call &call);
Results runUnpackPanels(const Call &call);

} // namespace hexin::reference

#endif // HEXIN_RUNTIME_REFERENCE_KERNEL_H
