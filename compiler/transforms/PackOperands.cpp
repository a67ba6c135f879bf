//===- PackOperands.cpp - right-hand sides in panels ------------------------===//
//
// Convolution weights and the right-hand sides of matmuls get an hx.pack where
// the packed schedule will take the op. A packed constant costs nothing at run
// time (the artifact holds the panels); a computed one is packed by a kernel.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/ConstantContents.h"
#include "compiler/ir/Ops.h"
#include "compiler/transforms/BfloatPairs.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>

namespace hexin::hx {
#define GEN_PASS_DEF_PACKOPERANDSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// 32 columns serve every ISA; fewer where the matrix is narrow, so that padding
/// stays small.
int64_t panelWidth(int64_t columns) {
  if (ShapedType::isDynamic(columns) || columns > 16)
    return 32;
  return columns > 8 ? 16 : 8;
}

Value packed(OpBuilder &b, Location loc, Value value, int64_t columns, int64_t groups,
             bool isTransposed, bool isConv, int64_t steps = 1) {
  constexpr int64_t narrowestOfPairs = 16; // columns of what AMX multiplies
  int64_t width = std::max(panelWidth(columns), steps > 1 ? narrowestOfPairs : 1);
  auto panels =
      PanelsAttr::get(b.getContext(), width, groups, isTransposed, isConv, steps);
  auto type = tensorTypeOf(value);
  auto packedType = RankedTensorType::get(type.getShape(), type.getElementType(), panels);
  return PackOp::create(b, loc, packedType, value, panels);
}

bool isFloatType(Value value) {
  return isa<FloatType>(tensorTypeOf(value).getElementType());
}

/// As instructions read constants that multiply pairs of bf16.
int64_t stepsOf(Value lhs, Value rhs) {
  bool arePairs = tensorTypeOf(lhs).getElementType().isBF16() &&
                  tensorTypeOf(rhs).getElementType().isBF16() && isConstantLike(rhs);
  return arePairs ? numbersPerPair : 1;
}

void packConv(ConvOp op, bool pairBfloats) {
  auto weights = tensorTypeOf(op.getWeights());
  if (op.getLayout() != Layout::nhwc || weights.getEncoding() ||
      !weights.hasStaticShape() || !isFloatType(op.getInput()))
    return;
  int64_t groups = op.getGroups();
  bool isDepthwise =
      groups > 1 && weights.getDimSize(1) == 1 && weights.getDimSize(0) == groups;
  int64_t panelGroups = isDepthwise ? 1 : groups;
  int64_t steps = pairBfloats && !isDepthwise && hasWholePairs(op)
                      ? stepsOf(op.getInput(), op.getWeights())
                      : 1;
  OpBuilder b(op);
  op.getWeightsMutable().assign(packed(b, op.getLoc(), op.getWeights(),
                                       weights.getDimSize(0) / panelGroups, panelGroups,
                                       false, true, steps));
}

void packMatMul(MatMulOp op, bool pairBfloats) {
  auto rhs = tensorTypeOf(op.getRhs());
  if (rhs.getEncoding() || !isFloatType(op.getLhs()))
    return;
  OpBuilder b(op);
  if (op.getTransposeLhs()) {
    auto type = tensorTypeOf(op.getLhs());
    SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    op.getLhsMutable().assign(transposed(b, op.getLoc(), op.getLhs(), perm));
    op.setTransposeLhs(false);
  }
  int64_t columns = rhs.getDimSize(rhs.getRank() - (op.getTransposeRhs() ? 2 : 1));
  int64_t steps = pairBfloats ? stepsOf(op.getLhs(), op.getRhs()) : 1;
  op.getRhsMutable().assign(packed(b, op.getLoc(), op.getRhs(), columns, 1,
                                   op.getTransposeRhs(), false, steps));
}

/// One number for the whole tensor, as the packed schedule takes it.
bool isOneNumber(Value zeroPoint) {
  return !zeroPoint || (tensorTypeOf(zeroPoint).hasStaticShape() &&
                        tensorTypeOf(zeroPoint).getNumElements() == 1);
}

/// A zero point of zeros says nothing.
void dropZeros(MutableOperandRange zeroPoint) {
  if (zeroPoint.empty())
    return;
  auto zeros = constantContents(zeroPoint[0].get(), INT64_MAX);
  if (zeros && llvm::all_of(*zeros, [](int64_t value) { return value == 0; }))
    zeroPoint.clear();
}

void packConvInteger(ConvIntegerOp op) {
  dropZeros(op.getInputZeroPointMutable());
  dropZeros(op.getWeightsZeroPointMutable());
  auto weights = tensorTypeOf(op.getWeights());
  int64_t groups = op.getGroups();
  bool isDepthwise = groups > 1 && weights.getDimSize(1) == 1;
  if (op.getLayout() != Layout::nhwc || weights.getEncoding() ||
      !weights.hasStaticShape() || isDepthwise || !isOneNumber(op.getInputZeroPoint()) ||
      !isOneNumber(op.getWeightsZeroPoint()))
    return;
  OpBuilder b(op);
  op.getWeightsMutable().assign(packed(b, op.getLoc(), op.getWeights(),
                                       weights.getDimSize(0) / groups, groups, false,
                                       true));
}

void packMatMulInteger(MatMulIntegerOp op) {
  dropZeros(op.getLhsZeroPointMutable());
  dropZeros(op.getRhsZeroPointMutable());
  auto rhs = tensorTypeOf(op.getRhs());
  if (rhs.getEncoding() || !isOneNumber(op.getLhsZeroPoint()) ||
      !isOneNumber(op.getRhsZeroPoint()))
    return;
  OpBuilder b(op);
  int64_t columns = rhs.getDimSize(rhs.getRank() - 1);
  op.getRhsMutable().assign(
      packed(b, op.getLoc(), op.getRhs(), columns, 1, false, false));
}

/// A matrix for each gate, transposed: the columns of a panel are cells.
template <typename OpT> void packRecurrence(OpT op) {
  if (tensorTypeOf(op.getRecurrence()).getEncoding())
    return;
  OpBuilder b(op);
  op.getRecurrenceMutable().assign(packed(b, op.getLoc(), op.getRecurrence(),
                                          op.getHiddenSize(), 1, /*isTransposed=*/true,
                                          /*isConv=*/false));
}

/// Numbers, scales and zero points in panels of the same columns.
void packMatMulFewBits(MatMulFewBitsOp op) {
  auto bytes = tensorTypeOf(op.getBytes());
  if (bytes.getEncoding())
    return;
  OpBuilder b(op);
  int64_t columns = bytes.getDimSize(op.getDepthFirst() ? 1 : 0);
  auto pack = [&](OpOperand &operand, bool isTransposed = true) {
    operand.assign(packed(b, op.getLoc(), operand.get(), columns, 1, isTransposed,
                          /*isConv=*/false));
  };
  pack(op.getBytesMutable(), !op.getDepthFirst());
  pack(op.getScalesMutable());
  for (OpOperand &zeroPoint : op.getZeroPointMutable())
    pack(zeroPoint);
}

struct PackOperandsPass : impl::PackOperandsPassBase<PackOperandsPass> {
  using PackOperandsPassBase::PackOperandsPassBase;

  void runOnOperation() override {
    getOperation().walk([this](Operation *op) {
      // The reference kernels and those of attention take plain operands.
      if (op->hasAttr("hx.fallback") || op->hasAttr("hx.attention"))
        return;
      if (auto conv = dyn_cast<ConvOp>(op))
        packConv(conv, pairBfloats);
      else if (auto matmul = dyn_cast<MatMulOp>(op))
        packMatMul(matmul, pairBfloats);
      else if (auto conv = dyn_cast<ConvIntegerOp>(op))
        packConvInteger(conv);
      else if (auto matmul = dyn_cast<MatMulIntegerOp>(op))
        packMatMulInteger(matmul);
      else if (auto matmul = dyn_cast<MatMulFewBitsOp>(op))
        packMatMulFewBits(matmul);
      else if (auto lstm = dyn_cast<LstmOp>(op); lstm && !lstm.getWeights())
        packRecurrence(lstm);
      else if (auto layer = dyn_cast<RecurrenceOp>(op))
        packRecurrence(layer);
    });
  }
};

} // namespace
} // namespace hexin::hx
