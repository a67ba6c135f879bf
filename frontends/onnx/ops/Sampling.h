//===- Sampling.h - reading a tensor between its elements --------------------------===//
//
// A coordinate along an axis becomes taps: elements around it, and their weights. A
// sample is the sum over all combinations of the taps of its axes.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_SAMPLING_H
#define HEXIN_FRONTENDS_ONNX_OPS_SAMPLING_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

enum class Padding { zeros, border, reflection };

/// What an axis adds to a sample: where it reads and how much that counts.
struct Tap {
  Value position;         ///< i64, inside the axis
  Value isInside;         ///< null: always
  Value weight = Value(); ///< null: 1
};

/// One spatial axis of the input. Coordinates count elements from the first one's
/// middle; they are floats of `type` and of any shape, the same for all axes.
class SampledAxis {
public:
  SampledAxis(OpBinder &b, mlir::Type type, hx::Dim size, Padding padding,
              bool alignCorners);

  /// -1 and 1 are the middles of the first and last element, or their outer edges.
  Value fromNormalized(Value x);

  llvm::SmallVector<Tap> nearest(Value x);
  llvm::SmallVector<Tap> linear(Value x);
  llvm::SmallVector<Tap> cubic(Value x); ///< convolution with coefficient -0.75

private:
  Value c(double value) { return b.scalar(type, value); }
  Value clamped(Value x);
  Value reflected(Value x);
  Value bounded(Value x);
  Tap at(Value x);

  OpBinder &b;
  mlir::Type type;
  Padding padding;
  bool alignCorners;
  Value length, last, low, high;
};

/// Samples of `image`, [N, spatial..., C], at coordinates of sizes [1, N, Q], with a list
/// of taps per spatial axis: [N, Q, C]. With `row`, i64 [1, 1, Q], coordinates are of
/// those sizes, too, and a sample is of that row of the image: [1, Q, C]. `scale`, of the
/// coordinates' sizes, multiplies samples between elements.
Value sampled(OpBinder &b, Value image, llvm::ArrayRef<llvm::SmallVector<Tap>> axes,
              Value row = Value(), Value scale = Value());

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_SAMPLING_H
