//===- Norms.h - normalisations, for several families -------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_NORMS_H
#define HEXIN_FRONTENDS_ONNX_OPS_NORMS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// hx.layer_norm from `axis` on; `bias` may be null.
Value layerNorm(OpBinder &b, Value x, Value scale, Value bias, int64_t axis,
                double epsilon);

/// x * rsqrt(mean(x*x) + epsilon) * scale over the axes from `axis` on, in f32 for
/// f16 and bf16; the result has the type of `scale`.
Value rmsNorm(OpBinder &b, Value x, Value scale, int64_t axis, double epsilon);

/// (x - mean) / sqrt(variance + epsilon) over `axes`.
Value standardize(OpBinder &b, Value x, llvm::ArrayRef<int64_t> axes, double epsilon);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_NORMS_H
