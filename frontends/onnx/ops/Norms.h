//===- Norms.h - normalisations, for several families -------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_NORMS_H
#define HEXIN_FRONTENDS_ONNX_OPS_NORMS_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

/// first, first + 1, ... up to the last axis of `rank`.
llvm::SmallVector<int64_t> axesFrom(int64_t first, int64_t rank);

/// hx.layer_norm from `axis` on; `bias` may be null.
Value layerNorm(OpBinder &b, Value x, Value scale, Value bias, int64_t axis,
                double epsilon);

/// x * rsqrt(mean(x*x) + epsilon) * scale over the axes from `axis` on, in f32 for
/// f16 and bf16; the result has the type of `scale`.
Value rmsNorm(OpBinder &b, Value x, Value scale, int64_t axis, double epsilon);

/// (x - mean) / sqrt(variance + epsilon) over `axes`.
Value standardize(OpBinder &b, Value x, llvm::ArrayRef<int64_t> axes, double epsilon);

/// The same over the axes behind the first of each of `groups` groups of channels, in
/// f32 for f16 and bf16; the channel axis becomes two, [groups, channels of a group].
Value standardizeGroups(OpBinder &b, Value x, int64_t channelAxis, int64_t groups,
                        double epsilon);

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_NORMS_H
