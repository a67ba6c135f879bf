//===- ShapeMath.h - sizes computed while importing -----------------------------===//
//
// Import works out canonical shape operands (clamped starts, resolved -1 and 0,
// full rank) as Dims, the expressions of SymbolicShapes, and turns them back into
// IR at the end. Sizes that are known come out as constants; others as host ops
// on shape_of the node's own operands where possible.
//
// Worked example: x[1:] of tensor<?xf32> with size s0. read(starts) gives [1];
// the start is min(1, s0), the size max(s0 - 1, 0); build makes of the latter
//   %s = hx.shape_of %x, %d = hx.binary sub %s, 1, hx.binary max %d, 0.
//
//===----------------------------------------------------------------------===//
#ifndef HEXIN_FRONTENDS_ONNX_SHAPEMATH_H
#define HEXIN_FRONTENDS_ONNX_SHAPEMATH_H

#include "frontends/onnx/HxBuilder.h"

namespace hexin::onnx {

class ShapeMath {
public:
  explicit ShapeMath(HxBuilder &b) : b(b) {}

  /// Prefers the sizes of `x` as leaves of what build() makes.
  void addAnchor(Value x);

  /// The elements of a small integer tensor: what is known of them, else symbols
  /// for them. Fails with a diagnostic when their number is not static.
  mlir::FailureOr<hx::Dims> read(Value integers);

  /// The elements as numbers, if all are known.
  static std::optional<llvm::SmallVector<int64_t>>
  constants(llvm::ArrayRef<hx::Dim> dims);

  /// A 1-D i64 tensor of these elements.
  Value build(llvm::ArrayRef<hx::Dim> dims);
  /// One element, of rank 0 and the given type.
  Value buildScalar(hx::Dim dim, mlir::Type elementType);

  hx::Dim constant(int64_t value) { return b.symbols().constant(value); }
  /// [first, last) of the sizes multiplied.
  hx::Dim product(llvm::ArrayRef<hx::Dim> dims) { return b.symbols().product(dims); }

  // Movement ops with sizes as Dims. All give null when failed.
  Value reshape(Value x, llvm::ArrayRef<hx::Dim> dims);
  Value broadcastTo(Value x, llvm::ArrayRef<hx::Dim> dims);
  Value slice(Value x, llvm::ArrayRef<hx::Dim> starts, llvm::ArrayRef<hx::Dim> sizes,
              llvm::ArrayRef<int64_t> steps);
  /// [start, start + size) of one axis.
  Value sliceAxis(Value x, int64_t axis, hx::Dim start, hx::Dim size);
  Value iota(llvm::ArrayRef<hx::Dim> sizes, int64_t axis, mlir::Type elementType);
  /// `axes` of the result; ascending, not negative.
  Value unsqueeze(Value x, llvm::ArrayRef<int64_t> axes);
  Value squeeze(Value x, llvm::ArrayRef<int64_t> axes);
  /// Rank 0 from one element of any rank.
  Value toScalar(Value x);
  /// The same if it is known to hold one element, else `x` (which may be null).
  Value toScalarIfOne(Value x);

private:
  struct Anchor {
    hx::Dims elements;
    Value source; ///< the i64 1-D value, or for isShape the tensor
    bool isShape;
  };
  Value valueOf(Anchor &anchor);
  Value piece(Anchor &anchor, size_t first, size_t count);
  std::pair<Anchor *, size_t> find(hx::Dim dim);
  Value compute(hx::Dim dim);
  Value computeNew(hx::Dim dim);
  Value computeCondition(hx::Dim dim);
  Value computeSymbol(hx::Dim dim, unsigned position);
  Value computeFloorDiv(Value a, Value b, bool isCounted);
  Value flatten(Value integers);
  bool isInScope(Value value) const;

  HxBuilder &b;
  llvm::SmallVector<Anchor, 4> anchors;
  /// What was computed before: expressions share parts. One ShapeMath builds into
  /// one block.
  llvm::DenseMap<hx::Dim, Value> computed;
};

} // namespace hexin::onnx

#endif // HEXIN_FRONTENDS_ONNX_SHAPEMATH_H
