//===- ResizeFormula.h - Resize as gathers and weights --------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_RESIZEFORMULA_H
#define HEXIN_FRONTENDS_ONNX_OPS_RESIZEFORMULA_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

struct ResizeFormula {
  hx::ResizeMode mode;
  llvm::StringRef coordinates, nearest;
  unsigned scalesInput = 2;
};

/// Resize of `axes` for what hx.resize does not say: scales, a region or a common scale
/// that only a run knows, and tf_crop_and_resize. Along each axis an output position
/// becomes a coordinate (1-D, in f64), and that a few positions with weights.
void importResizeByFormula(OpBinder &b, llvm::ArrayRef<int64_t> axes,
                           const ResizeFormula &formula);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_RESIZEFORMULA_H
