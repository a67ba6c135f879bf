//===- SinkTransposes.cpp - transposes towards the results ------------------===//
//
// Each pattern turns op(transpose(x)) into transpose(op'(x)); two that meet become one
// (canonicalization). Example, the channel shuffle of a model that is stored with
// channels last, x: [N, H, W, gk]:
//
//   transpose to [N, gk, H, W], reshape to [N, g, k, H, W], swap g and k,
//   reshape to [N, kg, H, W], transpose to [N, H, W, kg]
//
// becomes reshape to [N, H, W, g, k], swap g and k, reshape to [N, H, W, kg]: one
// transpose, whose rows of H and W stay together.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/LayoutPatterns.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

TransposeOp transposeOf(Value value) { return value.getDefiningOp<TransposeOp>(); }

/// Whether the axes of `shape` but those of size 1 stay in order: then the data does
/// not move.
bool movesOnesOnly(ArrayRef<int64_t> shape, ArrayRef<int64_t> perm) {
  SmallVector<int64_t> moved;
  for (int64_t axis : perm)
    if (shape[axis] != 1)
      moved.push_back(axis);
  return llvm::is_sorted(moved);
}

/// Whether movedBy(value, perm) costs nothing at run time.
bool isCheapToMove(Value value, ArrayRef<int64_t> perm) {
  SmallVector<int64_t> shape(perm.size() - tensorTypeOf(value).getRank(), 1);
  llvm::append_range(shape, tensorTypeOf(value).getShape());
  return isConstantData(value) ||
         (movesOnesOnly(shape, perm) && tensorTypeOf(value).getNumDynamicDims() <= 1);
}

/// `value`, broadcast against a tensor of rank perm.size(), permuted.
Value movedBy(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> perm) {
  auto type = tensorTypeOf(value);
  if (llvm::all_of(type.getShape(), [](int64_t size) { return size == 1; }))
    return value; // a scalar broadcasts the same way anywhere
  // A reshape, which does not sink: the inverse transpose might go back and forth.
  int64_t missing = static_cast<int64_t>(perm.size()) - type.getRank();
  SmallVector<int64_t> sizes(missing, 1);
  llvm::append_range(sizes, type.getShape());
  if (!isConstantData(value))
    return reshaped(b, loc, value, permuted(sizes, perm));
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
        if (!first && !isConstantData(transpose.getInput()) &&
            tensorTypeOf(operand).getRank() == tensorTypeOf(op->getResult(0)).getRank())
          first = transpose;
    if (!first)
      return failure();
    ArrayRef<int64_t> perm = first.getPerm();
    SmallVector<int64_t> inverse = inversePermutation(perm);
    for (Value operand : op->getOperands()) {
      auto transpose = transposeOf(operand);
      if (transpose && transpose.getPerm() == perm)
        continue;
      if (!isCheapToMove(operand, inverse))
        return failure();
    }
    Location loc = op->getLoc();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      auto transpose = transposeOf(operand);
      operands.push_back(transpose && transpose.getPerm() == perm
                             ? transpose.getInput()
                             : movedBy(rewriter, loc, operand, inverse));
    }
    Operation *moved = rewriter.clone(*op);
    auto type = tensorTypeOf(op->getResult(0));
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperands(operands);
      moved->getResult(0).setType(type.clone(permuted(type.getShape(), inverse)));
    });
    rewriter.replaceOp(op, transposed(rewriter, loc, moved->getResult(0), perm));
    return success();
  }
};

/// To and from integers, by one scale or one per index of an axis.
template <typename OpT> struct SinkThroughQuantize : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    TransposeOp transpose = transposeOf(op.getInput());
    if (!transpose || op.getBlock() > 0 || isConstantData(transpose.getInput()))
      return failure();
    return sinkThrough(op, transpose, rewriter,
                       [&](RankedTensorType type, ArrayRef<int64_t>) -> Value {
                         auto moved = cast<OpT>(rewriter.clone(*op));
                         rewriter.modifyOpInPlace(moved, [&] {
                           moved.getInputMutable().assign(transpose.getInput());
                           moved.getResult().setType(type);
                           if (tensorTypeOf(op.getScale()).getRank() > 0)
                             moved.setAxis(transpose.getPerm()[op.getAxis()]);
                         });
                         return moved.getResult();
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

/// The range of a tensor does not know the order of its elements.
struct SinkThroughDynamicQuantize : OpRewritePattern<DynamicQuantizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DynamicQuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose)
      return failure();
    ArrayRef<int64_t> perm = transpose.getPerm();
    SmallVector<Type> types(op->getResultTypes());
    auto type = tensorTypeOf(op.getResult());
    types[0] = type.clone(permuted(type.getShape(), inversePermutation(perm)));
    auto moved =
        DynamicQuantizeOp::create(rewriter, op.getLoc(), types, transpose.getInput());
    rewriter.replaceOp(op, {transposed(rewriter, op.getLoc(), moved.getResult(), perm),
                            moved.getScale(), moved.getZeroPoint()});
    return success();
  }
};

/// A transpose that only moves axes of size 1 is a reshape.
struct TransposeOfOnes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto type = tensorTypeOf(op.getInput());
    if (!movesOnesOnly(type.getShape(), op.getPerm()) || type.getNumDynamicDims() > 1)
      return failure();
    rewriter.replaceOp(op, reshaped(rewriter, op.getLoc(), op.getInput(),
                                    tensorTypeOf(op.getResult()).getShape()));
    return success();
  }
};

} // namespace

LogicalResult sinkTransposes(func::FuncOp func) {
  MLIRContext *context = func.getContext();
  RewritePatternSet sink(context);
  sink.add<SinkThroughQuantize<QuantizeOp>, SinkThroughQuantize<DequantizeOp>>(context);
  sink.add<SinkThroughConcat, SinkThroughReduce, SinkThroughPad, SinkThroughSlice,
           SinkThroughResize, SinkThroughElementwise, SinkThroughDynamicQuantize>(
      context);
  populateSinkThroughReshapePatterns(sink);
  TransposeOp::getCanonicalizationPatterns(sink, context);
  ReshapeOp::getCanonicalizationPatterns(sink, context);
  // Only at the end: a reshape sinks through less.
  RewritePatternSet finish(context);
  finish.add<TransposeOfOnes>(context);
  populateSinkOnesPatterns(finish);
  ReshapeOp::getCanonicalizationPatterns(finish, context);
  if (failed(applyPatternsGreedily(func, std::move(sink))))
    return failure();
  return applyPatternsGreedily(func, std::move(finish));
}

} // namespace hexin::hx
