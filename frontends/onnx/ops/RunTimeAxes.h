//===- RunTimeAxes.h - axes that only a run knows ------------------------------===//
//
// How many there are is known when importing, which they are is read on the host
// before a plan is made. Sizes then are selections over axes, and an op along the
// chosen axis is one hx.if per axis, of which a plan takes one side.
//
// Worked example: axes = [a] on a tensor of rank 2. has(0) is a == 0 or a == -2; a sum
// over a is if has(0) { reduce over 0 }, then if has(1) { reduce over 1 }.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_OPS_RUNTIMEAXES_H
#define HEXIN_FRONTENDS_ONNX_OPS_RUNTIMEAXES_H

#include "frontends/onnx/OpBinder.h"

namespace hexin::onnx {

class RunTimeAxes {
public:
  /// `axes` may be negative; they index into `rank` axes. A run whose axes are not as
  /// many different ones fails here, at the node.
  RunTimeAxes(OpBinder &b, llvm::ArrayRef<hx::Dim> axes, int64_t rank);

  int64_t count() const { return static_cast<int64_t>(axes.size()); }
  /// 1 where `axis` is one of them, else 0.
  hx::Dim has(int64_t axis) const { return isAmong[axis]; }
  /// values[i] where `axis` is the i-th of them, `otherwise` where it is none.
  hx::Dim valueOf(int64_t axis, llvm::ArrayRef<hx::Dim> values, hx::Dim otherwise) const;

  /// `dims` without those at the axes, and with 1 inserted at them.
  hx::Dims removedFrom(llvm::ArrayRef<hx::Dim> dims) const;
  hx::Dims insertedInto(llvm::ArrayRef<hx::Dim> dims) const;

  /// apply(x, axis) for each of the axes, ascending; it keeps rank and type.
  Value alongEach(Value x, llvm::function_ref<Value(HxBuilder &, Value, int64_t)> apply);

private:
  OpBinder &b;
  hx::Dims axes; ///< counted from the front
  hx::Dims isAmong;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_OPS_RUNTIMEAXES_H
