//===- Problem.h - what a packed kernel computes ----------------------------===//
#ifndef HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_PROBLEM_H
#define HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_PROBLEM_H

#include "compiler/codegen/ElementEmitter.h"

#include <optional>

namespace hexin::codegen::packed {

/// The panels that `value` is packed in, or null.
hx::PanelsAttr panelsOf(mlir::Value value);

/// What conv and conv_integer say alike.
struct Window {
  llvm::ArrayRef<int64_t> strides, dilations;
  int64_t groups;
  mlir::Value bias; ///< or null
};

/// How the right-hand side of matmul_few_bits lies (FewBits.h).
struct FewBits {
  int64_t bits, block;
  std::optional<int64_t> numSteps; ///< K, where known
  mlir::Value scales, zeroPoint;   ///< zeroPoint: or null

  int64_t perByte() const { return 8 / bits; }
  bool hasPackedZeros() const { return elementType(zeroPoint).isUnsignedInteger(8); }
};

/// A matmul or convolution as one or more products of a [rows, depth] and a
/// [depth, columns] matrix, the right one in panels of `width` columns.
struct Problem {
  /// `heavy`: an op that the packed schedule takes.
  Problem(ElementEmitter &emitter, mlir::Operation *heavy);

  std::optional<Window> conv; ///< none: a matmul
  std::optional<FewBits> fewBits;
  mlir::Value lhs, rhs;
  mlir::Type accType; ///< of the sums
  /// In which elements are multiplied and added up: f32 for 8-bit integers, which is
  /// exact for a while (Sums.h). A schedule that sums integers sets it to accType.
  mlir::Type sumType;
  bool isInteger = false;
  bool isBfloat = false; ///< both sides are bf16, and multiplied as words
  mlir::Value lhsZeroPoint, rhsZeroPoint; ///< one number each, or null
  int64_t width = 0;
  int64_t panelSteps = 1;      ///< of a column, side by side (runtime/base/Packing.h)
  KExpr rows;                  ///< of a matrix; conv: output pixels, N * H * W
  KExpr depth;                 ///< conv: input channels of a group, for each tap
  KExpr columns;               ///< conv: output channels of a group
  bool columnsAreFull = false; ///< `width` divides them for sure
  std::optional<int64_t> numRows, numColumns; ///< rows and columns, where known
  int64_t runMultiple = 1; ///< divides depth and a conv's channels for sure
  /// How many products: the batch, or the groups of a conv.
  KExpr outer;
  llvm::SmallVector<KExpr> batchSizes; ///< matmul: the result's; empty: rhs has no batch

  // conv only, channels last
  bool isDepthwise = false; ///< one input channel per output channel, all one group
  bool isPointwise = false; ///< 1 x 1, no pads, stride 1: a matmul over pixels
  bool hasPads = false;     ///< may have some
  bool isOneImage = false;  ///< N is 1 for sure
  llvm::SmallVector<int64_t> taps;   ///< [kernelHeight, kernelWidth]
  KExpr channels;                    ///< of the input, all groups
  int64_t channelsPerTap = 0;        ///< what depth is
  llvm::SmallVector<KExpr> inSizes;  ///< [N, H, W, C]
  llvm::SmallVector<KExpr> outSizes; ///< [N, H, W, M]
  llvm::SmallVector<KExpr> beginPad; ///< [top, left]
  std::optional<int64_t> outWidth;   ///< where known

private:
  template <typename OpT> void describeMatMul(ElementEmitter &emitter, OpT op);
  void describeFewBits(ElementEmitter &emitter, hx::MatMulFewBitsOp op);
  template <typename OpT> void describeConv(ElementEmitter &emitter, OpT op);
  void setZeroPoints(ElementEmitter &emitter, mlir::Value ofLhs, mlir::Value ofRhs);
  void setColumns(KernelBuilder &k, hx::Dim dim);
  bool hasBfloatWords() const;
};

} // namespace hexin::codegen::packed

#endif // HEXIN_COMPILER_CODEGEN_SCHEDULES_PACKED_PROBLEM_H
