//===- Windows.h - attributes of convolutions and pools ---------------------------===//
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

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_WINDOWS_H
