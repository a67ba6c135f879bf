//===- Reductions.h - means, for several families ---------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_REDUCTIONS_H
#define HEXIN_FRONTENDS_ONNX_OPS_REDUCTIONS_H

#include "frontends/onnx/ShapeMath.h"

namespace hexin::onnx {

/// Sum over `axes` (ascending) divided by their number of elements.
Value meanOver(HxBuilder &b, ShapeMath &shape, Value x, llvm::ArrayRef<int64_t> axes,
               bool keepDims);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_REDUCTIONS_H
