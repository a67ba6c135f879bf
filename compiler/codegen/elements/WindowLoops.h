//===- WindowLoops.h - the loops of convolution, pooling and products -------===//
//
// What the element rules of windowed ops share: where the axes stand, which taps of
// a window lie inside of the input, and a nest of loops that carries a sum.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_ELEMENTS_WINDOWLOOPS_H
#define HEXIN_COMPILER_CODEGEN_ELEMENTS_WINDOWLOOPS_H

#include "compiler/codegen/KernelBuilder.h"
#include "compiler/ir/Ops.h"

namespace hexin::codegen {

/// Where an op's channel and spatial axes stand.
struct WindowAxes {
  size_t rank;
  size_t channel;
  size_t firstSpatial;

  WindowAxes(size_t rank, hx::Layout layout)
      : rank(rank), channel(layout == hx::Layout::nchw ? 1 : rank - 1),
        firstSpatial(layout == hx::Layout::nchw ? 2 : 1) {}
  size_t numSpatial() const { return rank - 2; }
  size_t spatial(size_t s) const { return firstSpatial + s; }
  hx::Dims spatialOf(const hx::Dims &all) const {
    return hx::Dims(llvm::ArrayRef(all).slice(firstSpatial, numSpatial()));
  }
};

/// Begin pads of a window op as symbolic sizes (auto_pad resolved), one per
/// spatial axis. `taps` are the window's sizes.
hx::Dims beginPads(hx::SymbolicShapes &shapes, llvm::ArrayRef<int64_t> pads,
                   hx::PadPolicy policy, llvm::ArrayRef<hx::Dim> taps,
                   llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> dilations,
                   llvm::ArrayRef<hx::Dim> inSizes, llvm::ArrayRef<hx::Dim> outSizes);

/// Sizes that are attributes, as Dims.
hx::Dims constantDims(hx::SymbolicShapes &shapes, llvm::ArrayRef<int64_t> sizes);

/// The size of a window along an axis: a number where it is known, else a param.
mlir::Value tapCount(KernelBuilder &k, hx::Dim taps);

struct IndexRange {
  mlir::Value lower, upper;
};

/// Taps of a window that starts at `start` which fall inside [0, size).
IndexRange clippedTaps(KernelBuilder &k, mlir::Value start, mlir::Value size,
                       mlir::Value taps, int64_t dilation);

/// Nested loops over `ranges`, the first outermost: carried = body(indices, carried).
llvm::SmallVector<mlir::Value> loopNest(
    KernelBuilder &k, llvm::ArrayRef<IndexRange> ranges, mlir::ValueRange init,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(llvm::ArrayRef<mlir::Value> indices,
                                                      mlir::ValueRange carried)>
        body);

/// `lanes` zeros of a compute type.
mlir::Value zeroOf(KernelBuilder &k, mlir::Type computeType, unsigned lanes);

/// x * w + acc, in floats or integers.
mlir::Value multiplyAdd(KernelBuilder &k, mlir::Value x, mlir::Value w, mlir::Value acc);

} // namespace hexin::codegen

#endif // HEXIN_COMPILER_CODEGEN_ELEMENTS_WINDOWLOOPS_H
