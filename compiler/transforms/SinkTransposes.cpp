#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/LayoutPatterns.h"

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

TransposeOp transposeOf(Value value) { return value.getDefiningOp<TransposeOp>(); }

/// Moving `value` by the inverse of `perm` costs nothing at run time: a constant,
/// a scalar, or a tensor with at most one size other than 1.
bool isCheapToMove(Value value) {
  auto type = tensorTypeOf(value);
  if (isConstantLike(value))
    return true;
  return llvm::count_if(type.getShape(), [](int64_t size) { return size != 1; }) <= 1;
}

/// `value`, broadcast against a tensor of rank perm.size(), permuted.
Value movedBy(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> perm) {
  auto type = tensorTypeOf(value);
  if (llvm::all_of(type.getShape(), [](int64_t size) { return size == 1; }))
    return value; // a scalar broadcasts the same way anywhere
  int64_t missing = static_cast<int64_t>(perm.size()) - type.getRank();
  SmallVector<int64_t> sizes(missing, 1);
  llvm::append_range(sizes, type.getShape());
  if (missing > 0)
    value = reshaped(b, loc, value, sizes);
  return transposed(b, loc, value, perm);
}

/// Puts `op` in front of `transpose`, whose result it reads: build(type, inverse) makes
/// it again on the transpose's input, `inverse` being the permutation that was undone.
LogicalResult
sinkThrough(Operation *op, TransposeOp transpose, PatternRewriter &rewriter,
            function_ref<Value(RankedTensorType type, ArrayRef<int64_t> inverse)> build) {
  SmallVector<int64_t> inverse = inversePermutation(transpose.getPerm());
  auto type = tensorTypeOf(op->getResult(0));
  Value moved = build(type.clone(permuted(type.getShape(), inverse)), inverse);
  rewriter.replaceOp(op, transposed(rewriter, op->getLoc(), moved, transpose.getPerm()));
  return success();
}

struct SinkThroughElementwise : RewritePattern {
  explicit SinkThroughElementwise(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!op->hasTrait<HxElementwise>())
      return failure();
    TransposeOp first;
    for (Value operand : op->getOperands())
      if (auto transpose = transposeOf(operand))
        if (!first &&
            tensorTypeOf(operand).getRank() == tensorTypeOf(op->getResult(0)).getRank())
          first = transpose;
    if (!first)
      return failure();
    auto isMovedAlike = [&](Value operand) {
      auto transpose = transposeOf(operand);
      return transpose && transpose.getPerm() == first.getPerm();
    };
    if (!llvm::all_of(op->getOperands(), [&](Value operand) {
          return isMovedAlike(operand) || isCheapToMove(operand);
        }))
      return failure();
    return sinkThrough(
        op, first, rewriter, [&](RankedTensorType type, ArrayRef<int64_t> inverse) {
          SmallVector<Value> operands;
          for (Value operand : op->getOperands())
            operands.push_back(isMovedAlike(operand)
                                   ? transposeOf(operand).getInput()
                                   : movedBy(rewriter, op->getLoc(), operand, inverse));
          Operation *moved = rewriter.clone(*op);
          rewriter.modifyOpInPlace(moved, [&] {
            moved->setOperands(operands);
            moved->getResult(0).setType(type);
          });
          return moved->getResult(0);
        });
  }
};

struct SinkThroughConcat : OpRewritePattern<ConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConcatOp op, PatternRewriter &rewriter) const override {
    TransposeOp first = op.getInputs().empty() ? nullptr : transposeOf(op.getInputs()[0]);
    if (!first)
      return failure();
    SmallVector<Value> inputs;
    for (Value input : op.getInputs()) {
      auto transpose = transposeOf(input);
      if (!transpose || transpose.getPerm() != first.getPerm())
        return failure();
      inputs.push_back(transpose.getInput());
    }
    return sinkThrough(op, first, rewriter,
                       [&](RankedTensorType type, ArrayRef<int64_t>) -> Value {
                         return ConcatOp::create(rewriter, op.getLoc(), type, inputs,
                                                 first.getPerm()[op.getAxis()]);
                       });
  }
};

struct SinkThroughReduce : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose)
      return failure();
    ArrayRef<int64_t> perm = transpose.getPerm();
    SmallVector<int64_t> axes;
    for (int64_t axis : op.getAxes())
      axes.push_back(perm[axis]);
    llvm::sort(axes);
    if (op.getKeepDims())
      return sinkThrough(op, transpose, rewriter,
                         [&](RankedTensorType type, ArrayRef<int64_t>) -> Value {
                           return ReduceOp::create(rewriter, op.getLoc(), type,
                                                   op.getFn(), transpose.getInput(), axes,
                                                   true);
                         });
    // Without the reduced axes the kept ones must stand in the same order.
    SmallVector<int64_t> kept;
    for (int64_t source : perm)
      if (!llvm::is_contained(axes, source))
        kept.push_back(source);
    if (!llvm::is_sorted(kept))
      return failure();
    rewriter.replaceOpWithNewOp<ReduceOp>(op, tensorTypeOf(op.getResult()), op.getFn(),
                                          transpose.getInput(), axes, false);
    return success();
  }
};

struct SinkThroughPad : OpRewritePattern<PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PadOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose)
      return failure();
    return sinkThrough(op, transpose, rewriter,
                       [&](RankedTensorType type, ArrayRef<int64_t> inverse) -> Value {
                         Location loc = op.getLoc();
                         Value low =
                             permutedShapeOperand(rewriter, loc, op.getLow(), inverse);
                         Value high =
                             permutedShapeOperand(rewriter, loc, op.getHigh(), inverse);
                         return PadOp::create(rewriter, loc, type, transpose.getInput(),
                                              low, high, op.getValue(), op.getMode());
                       });
  }
};

struct SinkThroughSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose)
      return failure();
    return sinkThrough(
        op, transpose, rewriter,
        [&](RankedTensorType type, ArrayRef<int64_t> inverse) -> Value {
          Location loc = op.getLoc();
          Value starts = permutedShapeOperand(rewriter, loc, op.getStarts(), inverse);
          Value sizes = permutedShapeOperand(rewriter, loc, op.getSizes(), inverse);
          return SliceOp::create(rewriter, loc, type, transpose.getInput(), starts, sizes,
                                 permuted(op.getSteps(), inverse));
        });
  }
};

/// An nchw resize of a tensor that is stored nhwc: resample where it lies.
struct SinkThroughResize : OpRewritePattern<ResizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ResizeOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose || op.getRoi())
      return failure();
    return sinkThrough(
        op, transpose, rewriter, [&](RankedTensorType type, ArrayRef<int64_t> inverse) {
          Location loc = op.getLoc();
          Operation *moved = rewriter.clone(*op);
          Value sizes = permutedShapeOperand(rewriter, loc, op.getSizes(), inverse);
          Value scales = permutedShapeOperand(rewriter, loc, op.getScales(), inverse);
          rewriter.modifyOpInPlace(moved, [&] {
            moved->setOperands(0, 3, {transpose.getInput(), sizes, scales});
            moved->getResult(0).setType(type);
          });
          moved->moveAfter(scales.getDefiningOp());
          rewriter.setInsertionPointAfter(moved);
          return moved->getResult(0);
        });
  }
};

/// A transpose that only moves axes of size 1 is a reshape.
struct TransposeOfOnes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto type = tensorTypeOf(op.getInput());
    SmallVector<int64_t> moved;
    for (int64_t axis : op.getPerm())
      if (type.getDimSize(axis) != 1)
        moved.push_back(axis);
    if (!llvm::is_sorted(moved) || type.getNumDynamicDims() > 1)
      return failure();
    rewriter.replaceOp(op, reshaped(rewriter, op.getLoc(), op.getInput(),
                                    tensorTypeOf(op.getResult()).getShape()));
    return success();
  }
};

} // namespace

void populateSinkTransposePatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<SinkThroughConcat, SinkThroughReduce, SinkThroughPad, SinkThroughSlice,
               SinkThroughResize, TransposeOfOnes>(context);
  patterns.add<SinkThroughElementwise>(context);
  TransposeOp::getCanonicalizationPatterns(patterns, context);
  ReshapeOp::getCanonicalizationPatterns(patterns, context);
}

} // namespace hexin::hx
