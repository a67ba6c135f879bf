//===- Positions.h - indices that count from the end -----------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_POSITIONS_H
#define HEXIN_FRONTENDS_ONNX_OPS_POSITIONS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// indices < 0 ? indices + sizes : indices; `sizes` is 1-D along the last axis of
/// the indices, or one size for all. Known indices that are not negative pass.
Value countFromFront(OpBinder &b, Value indices, llvm::ArrayRef<hx::Dim> sizes);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_POSITIONS_H
