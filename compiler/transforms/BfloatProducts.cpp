//===- BfloatProducts.cpp - products of bf16, summed in f32 -------------------------===//
//
//   x times w, w constant   becomes   cast<bf16>(x) times cast<bf16>(w), in f32
//
// Both operands are rounded once, by 2^-9 of each number at most; products of bf16 are
// exact in f32, and sums have the error that sums of f32 have. A result is off by less
// than (2^-8 + 2^-18) of the sum of its products' magnitudes, besides.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace hexin::hx {
#define GEN_PASS_DEF_BFLOATPRODUCTSPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

/// Fewer products to a sum, or fewer sums to a row, gain less than rounding costs.
constexpr int64_t minDepth = 16, minColumns = 16;

bool isF32(Value value) { return tensorTypeOf(value).getElementType().isF32(); }

bool isTaken(Operation *op, Value lhs, Value rhs) {
  return !op->hasAttr("hx.fallback") && !op->hasAttr("hx.attention") && isF32(lhs) &&
         isF32(rhs) && isF32(op->getResult(0)) && isConstantLike(rhs) &&
         tensorTypeOf(rhs).hasStaticShape();
}

/// In the place of the operand; casts of one value are one after CSE.
void round(OpOperand &operand) {
  OpBuilder b(operand.getOwner());
  auto type = tensorTypeOf(operand.get()).clone(b.getBF16Type());
  operand.set(CastOp::create(b, operand.getOwner()->getLoc(), type, operand.get()));
}

void rewrite(MatMulOp op) {
  if (!isTaken(op, op.getLhs(), op.getRhs()) || op.getTransposeLhs())
    return;
  auto type = tensorTypeOf(op.getRhs());
  int64_t rank = type.getRank(), columnAxis = rank - (op.getTransposeRhs() ? 2 : 1);
  int64_t depthAxis = rank - (op.getTransposeRhs() ? 1 : 2);
  if (type.getDimSize(depthAxis) < minDepth || type.getDimSize(columnAxis) < minColumns)
    return;
  op.setAccumulate(Float32Type::get(op.getContext()));
  round(op.getLhsMutable());
  round(op.getRhsMutable());
}

void rewrite(ConvOp op) {
  if (!isTaken(op, op.getInput(), op.getWeights()) || op.getLayout() != Layout::nhwc)
    return;
  auto type = tensorTypeOf(op.getWeights());
  // A tap must be whole pairs.
  constexpr int64_t perWord = 2;
  int64_t outputs = type.getDimSize(0), channels = type.getDimSize(1);
  if (outputs == 0 || channels % perWord != 0 ||
      type.getNumElements() / outputs < minDepth ||
      outputs / static_cast<int64_t>(op.getGroups()) < minColumns)
    return;
  round(op.getInputMutable());
  round(op.getWeightsMutable());
}

struct BfloatProductsPass : impl::BfloatProductsPassBase<BfloatProductsPass> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      if (auto matmul = dyn_cast<MatMulOp>(op))
        rewrite(matmul);
      else if (auto conv = dyn_cast<ConvOp>(op))
        rewrite(conv);
    });
  }
};

} // namespace
} // namespace hexin::hx
