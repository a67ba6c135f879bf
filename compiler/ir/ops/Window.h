//===- Window.h - arithmetic of windows over spatial axes --------------------------===//
//
// A window of `taps` elements, `dilation` apart, moves by `stride` over an axis
// that is padded at both ends. Window i starts at i*stride - padBegin.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_COMPILER_IR_OPS_WINDOW_H
#define HEXIN_COMPILER_IR_OPS_WINDOW_H

#include "compiler/ir/Ops.h"
#include "compiler/ir/ShapeContext.h"

namespace hexin::hx {

/// The attributes that conv, conv_transpose, conv_integer and pool share.
struct WindowAttributes {
  llvm::ArrayRef<int64_t> strides, pads, dilations;
  PadPolicy padPolicy;
  Layout layout;

  template <typename OpT> static WindowAttributes of(OpT op) {
    return {op.getStrides(), op.getPads(), op.getDilations(), op.getPadPolicy(),
            op.getLayout()};
  }
};

/// Axes of an activation tensor of `rank`.
inline size_t channelAxis(Layout layout, size_t rank) {
  return layout == Layout::nchw ? 1 : rank - 1;
}
inline size_t spatialAxis(Layout layout, size_t i) {
  return i + (layout == Layout::nchw ? 2 : 1);
}

/// One entry per spatial axis (pads: two), strides and dilations positive, pads
/// not negative.
mlir::LogicalResult checkWindowAttributes(mlir::Operation *op,
                                          const WindowAttributes &window,
                                          size_t spatialRank);

/// dilation*(taps-1) + 1: the elements a window spans.
Dim windowExtent(ShapeContext &context, Dim taps, int64_t dilation);

/// Number of windows along spatial axis `i` of an axis of `size` elements. With
/// `ceilMode` a last window that overhangs counts, unless it starts in the end
/// padding. A window larger than the padded axis is an error.
mlir::FailureOr<Dim> windowCount(mlir::Operation *op, ShapeContext &context,
                                 const WindowAttributes &window, size_t i, Dim size,
                                 Dim taps, bool ceilMode);

} // namespace hexin::hx

#endif // HEXIN_COMPILER_IR_OPS_WINDOW_H
