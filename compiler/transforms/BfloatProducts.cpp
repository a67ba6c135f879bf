//===- BfloatProducts.cpp - products of bf16, summed in f32 -------------------------===//
//
//   x times w, w constant   becomes   cast<bf16>(x) times cast<bf16>(w), in f32
//
// A convolution of an odd number of channels gets one more, of zeros, where windows would
// not be whole pairs (BfloatPairs.h). What is rounded behind a maximum or a concatenation
// is rounded before it.
//
// Both operands are rounded once, by 2^-9 of each number at most; products of bf16 are
// exact in f32, and sums have the error that sums of f32 have. A result is off by less
// than (2^-8 + 2^-18) of the sum of its products' magnitudes, besides.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/BfloatPairs.h"
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

Value withChannel(OpBuilder &b, Location loc, Value value, int64_t axis) {
  // Ahead of what moves or rounds it: what then comes is one pass over a whole image.
  if (auto cast = value.getDefiningOp<CastOp>()) {
    Value wider = withChannel(b, loc, cast.getInput(), axis);
    auto type = tensorTypeOf(wider).clone(tensorTypeOf(value).getElementType());
    return CastOp::create(b, loc, type, wider);
  }
  if (auto transpose = value.getDefiningOp<TransposeOp>())
    return transposed(
        b, loc, withChannel(b, loc, transpose.getInput(), transpose.getPerm()[axis]),
        transpose.getPerm());
  auto type = tensorTypeOf(value);
  SmallVector<int64_t> sizes(type.getShape()), low(sizes.size(), 0), high(low);
  ++sizes[axis];
  high[axis] = 1;
  Type element = type.getElementType();
  auto zero = DenseElementsAttr::get(RankedTensorType::get({}, element),
                                     mlir::Attribute(b.getZeroAttr(element)));
  return PadOp::create(b, loc, type.clone(sizes), value, shapeConstant(b, loc, low),
                       shapeConstant(b, loc, high), ConstantOp::create(b, loc, zero),
                       PadMode::constant);
}

/// One channel of zeros more, on the given axis.
void addChannel(OpOperand &operand, int64_t axis) {
  OpBuilder b(operand.getOwner());
  operand.set(withChannel(b, operand.getOwner()->getLoc(), operand.get(), axis));
}

void rewrite(ConvOp op, bool withSignals) {
  if (!isTaken(op, op.getInput(), op.getWeights()) || op.getLayout() != Layout::nhwc)
    return;
  auto type = tensorTypeOf(op.getWeights());
  int64_t outputs = type.getDimSize(0), channels = type.getDimSize(1);
  auto groups = static_cast<int64_t>(op.getGroups());
  // What a window costs is shared by few columns, too; those of groups have less of it.
  if (outputs == 0 || type.getNumElements() / outputs < minDepth ||
      (groups > 1 && outputs / groups < minColumns) || (channels == 1 && !withSignals))
    return;
  // Of fewer products in a window than these, channels that are odd cost more to pad.
  constexpr int64_t minPadded = 4096;
  bool isPadded = !hasWholePairs(op);
  if (isPadded && (groups > 1 || tensorTypeOf(op.getInput()).isDynamicDim(3) ||
                   type.getNumElements() < minPadded))
    return;
  round(op.getInputMutable());
  round(op.getWeightsMutable());
  if (isPadded) {
    addChannel(op.getInputMutable(), /*axis=*/3);
    addChannel(op.getWeightsMutable(), /*axis=*/1);
  }
}

/// Whether it gives of rounded numbers what it gives of others, rounded.
bool keepsOrder(Operation *op) {
  auto pool = dyn_cast<PoolOp>(op);
  return isa<ConcatOp>(op) || (pool && pool.getFn() == PoolFn::max && !pool.getIndices());
}

/// Ahead of `op` where all that reads it rounds: it then moves half of the bytes, and so
/// does what comes before.
void roundBefore(Operation *op) {
  Value result = op->getResult(0);
  auto rounds = [](Operation *user) {
    return isa<CastOp>(user) &&
           tensorTypeOf(user->getResult(0)).getElementType().isBF16();
  };
  if (!isF32(result) || result.use_empty() || !llvm::all_of(result.getUsers(), rounds))
    return;
  for (OpOperand &operand : op->getOpOperands())
    round(operand);
  result.setType(tensorTypeOf(result).clone(BFloat16Type::get(op->getContext())));
  for (Operation *cast : llvm::make_early_inc_range(result.getUsers())) {
    cast->getResult(0).replaceAllUsesWith(result);
    cast->erase();
  }
}

struct BfloatProductsPass : impl::BfloatProductsPassBase<BfloatProductsPass> {
  using BfloatProductsPassBase::BfloatProductsPassBase;

  void runOnOperation() override {
    getOperation().walk([this](Operation *op) {
      if (auto matmul = dyn_cast<MatMulOp>(op))
        rewrite(matmul);
      else if (auto conv = dyn_cast<ConvOp>(op))
        rewrite(conv, withSignals);
    });
    SmallVector<Operation *> movers;
    getOperation().walk([&](Operation *op) {
      if (keepsOrder(op))
        movers.push_back(op);
    });
    for (Operation *op : llvm::reverse(movers))
      roundBefore(op);
  }
};

} // namespace
} // namespace hexin::hx
