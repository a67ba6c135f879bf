//===- BfloatPairs.h - which convolutions multiply pairs of bf16 ------------===//
#ifndef HEXIN_COMPILER_TRANSFORMS_BFLOATPAIRS_H
#define HEXIN_COMPILER_TRANSFORMS_BFLOATPAIRS_H

#include "compiler/ir/Ops.h"

namespace hexin::hx {

inline constexpr int64_t numbersPerPair = 2;

/// Whether a window of `op` (channels last) is whole pairs of numbers that stand side by
/// side in the input: a tap's channels, or those of a row of taps, where none of them is
/// left out or lies outside.
inline bool hasWholePairs(ConvOp op) {
  auto weights = llvm::cast<mlir::RankedTensorType>(op.getWeights().getType());
  int64_t channels = weights.getDimSize(1), across = weights.getShape().back();
  bool areRows = op.getGroups() == 1 && op.getPadPolicy() == PadPolicy::explicit_pads &&
                 op.getDilations().back() == 1 &&
                 llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
  return channels % numbersPerPair == 0 ||
         (areRows && channels * across % numbersPerPair == 0);
}

} // namespace hexin::hx

#endif // HEXIN_COMPILER_TRANSFORMS_BFLOATPAIRS_H
