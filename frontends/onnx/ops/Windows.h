//===- Windows.h - convolutions and pools, for several families -------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_WINDOWS_H
#define HEXIN_FRONTENDS_ONNX_OPS_WINDOWS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

struct WindowAttributes {
  llvm::SmallVector<int64_t> kernel; ///< empty when the node does not say
  llvm::SmallVector<int64_t> strides, dilations;
  llvm::SmallVector<int64_t> pads; ///< [begin of each axis..., end of each...]
  hx::PadPolicy padPolicy = hx::PadPolicy::explicit_pads;
};

/// kernel_shape, strides, dilations, pads and auto_pad for `spatialRank` axes;
/// reports lists of another length.
WindowAttributes readWindow(OpBinder &b, int64_t spatialRank);

/// Spatial axes of `x` [N, C, spatial...]; reports when there is none.
int64_t spatialRankOf(OpBinder &b, Value x);

/// Reports a kernel_shape that is not that of `weights` [., ., taps...].
void checkKernel(OpBinder &b, const WindowAttributes &window, Value weights);

// The node's convolution or pool of `x` [N, C, spatial...], which may be another than
// its input #0: the windows and groups that its attributes say, the operands as given.

Value convolution(OpBinder &b, Value x, Value weights, Value bias);

Value transposedConvolution(OpBinder &b, Value x, Value weights, Value bias,
                            const WindowAttributes &window);

/// x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias as inputs #0 to #8: exact in
/// i32, requantised in f32. `x` stands for input #0.
Value quantizedConvolution(OpBinder &b, Value x);

/// `wantsIndices` of max only.
hx::PoolOp pool(OpBinder &b, hx::PoolFn fn, Value x, bool wantsIndices = false);

/// average by count_include_pad.
Value averagePool(OpBinder &b, Value x);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_WINDOWS_H
