//===- ChannelsLast.cpp - convolutions and pooling with channels last -------===//
//
// Ops with a `layout` on 4-D tensors become nhwc between two transposes; then
// transposes sink towards the results, through everything that does not mind,
// until they meet their inverse. Convolutions over one axis become 2-D ones with
// a height of 1 first.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace hexin::hx {
#define GEN_PASS_DEF_CHANNELSLASTPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

constexpr int64_t toLast[] = {0, 2, 3, 1};
constexpr int64_t toFirst[] = {0, 3, 1, 2};

//===----------------------------------------------------------------------===//
// One spatial axis -> two
//===----------------------------------------------------------------------===//

/// [N, C, L] -> [N, C, 1, L]; at most one dynamic size, else the caller leaves
/// the op alone.
Value withHeight(OpBuilder &b, Location loc, Value value) {
  auto type = tensorTypeOf(value);
  SmallVector<int64_t> sizes(type.getShape());
  sizes.insert(sizes.begin() + 2, 1);
  if (type.getNumDynamicDims() <= 1)
    return reshaped(b, loc, value, sizes);
  // Sizes by name: shape = [d0, d1, 1, d2].
  auto i64 = b.getI64Type();
  Value all = ShapeOfOp::create(b, loc, RankedTensorType::get({3}, i64), value);
  Value head = SliceOp::create(b, loc, RankedTensorType::get({2}, i64), all,
                               shapeConstant(b, loc, {0}), shapeConstant(b, loc, {2}),
                               ArrayRef<int64_t>{1});
  Value tail = SliceOp::create(b, loc, RankedTensorType::get({1}, i64), all,
                               shapeConstant(b, loc, {2}), shapeConstant(b, loc, {1}),
                               ArrayRef<int64_t>{1});
  Value shape = ConcatOp::create(b, loc, RankedTensorType::get({4}, i64),
                                 ValueRange{head, shapeConstant(b, loc, {1}), tail}, 0);
  return ReshapeOp::create(b, loc, type.clone(sizes), value, shape);
}

Value withoutHeight(OpBuilder &b, Location loc, Value value) {
  auto type = tensorTypeOf(value);
  SmallVector<int64_t> sizes(type.getShape());
  sizes.erase(sizes.begin() + 2);
  if (type.getNumDynamicDims() <= 1)
    return reshaped(b, loc, value, sizes);
  auto i64 = b.getI64Type();
  Value all = ShapeOfOp::create(b, loc, RankedTensorType::get({4}, i64), value);
  Value shape = GatherOp::create(b, loc, RankedTensorType::get({3}, i64), all,
                                 shapeConstant(b, loc, {0, 1, 3}), 0, 0);
  return ReshapeOp::create(b, loc, type.clone(sizes), value, shape);
}

SmallVector<int64_t> prefixed(int64_t first, ArrayRef<int64_t> rest) {
  SmallVector<int64_t> result{first};
  llvm::append_range(result, rest);
  return result;
}
SmallVector<int64_t> heightPads(ArrayRef<int64_t> pads) {
  return {0, pads[0], 0, pads[1]};
}

struct WidenConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvOp op, PatternRewriter &rewriter) const override {
    if (op.getStrides().size() != 1 || op.getLayout() != Layout::nchw)
      return failure();
    Location loc = op.getLoc();
    Value input = withHeight(rewriter, loc, op.getInput());
    Value weights = withHeight(rewriter, loc, op.getWeights());
    SmallVector<int64_t> sizes(tensorTypeOf(op.getResult()).getShape());
    sizes.insert(sizes.begin() + 2, 1);
    Value wide =
        ConvOp::create(rewriter, loc, tensorTypeOf(op.getResult()).clone(sizes), input,
                       weights, op.getBias(), op.getGroups(),
                       prefixed(1, op.getStrides()), heightPads(op.getPads()),
                       prefixed(1, op.getDilations()), op.getPadPolicy(), op.getLayout());
    rewriter.replaceOp(op, withoutHeight(rewriter, loc, wide));
    return success();
  }
};

struct WidenPool : OpRewritePattern<PoolOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PoolOp op, PatternRewriter &rewriter) const override {
    if (op.getStrides().size() != 1 || op.getLayout() != Layout::nchw || op.getIndices())
      return failure();
    Location loc = op.getLoc();
    Value input = withHeight(rewriter, loc, op.getInput());
    SmallVector<int64_t> sizes(tensorTypeOf(op.getResult()).getShape());
    sizes.insert(sizes.begin() + 2, 1);
    auto wide = PoolOp::create(
        rewriter, loc, TypeRange{tensorTypeOf(op.getResult()).clone(sizes)}, op.getFn(),
        input, prefixed(1, op.getWindow()), op.getCeilMode(), op.getStorageOrder(),
        prefixed(1, op.getStrides()), heightPads(op.getPads()),
        prefixed(1, op.getDilations()), op.getPadPolicy(), op.getLayout());
    rewriter.replaceOp(op, withoutHeight(rewriter, loc, wide.getResult()));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// nchw -> nhwc between transposes
//===----------------------------------------------------------------------===//

template <typename OpT> bool isNchw4D(OpT op) {
  return op.getLayout() == Layout::nchw && tensorTypeOf(op.getInput()).getRank() == 4;
}

Type lastType(Value result) {
  auto type = tensorTypeOf(result);
  return type.clone(permuted(type.getShape(), toLast));
}

template <typename OpT> struct FlipLayout : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    if (!isNchw4D(op) || op->getNumResults() != 1)
      return failure();
    Location loc = op.getLoc();
    rewriter.setInsertionPoint(op);
    auto flipped = cast<OpT>(rewriter.clone(*op));
    Value input = [&] {
      OpBuilder::InsertionGuard guard(rewriter);
      rewriter.setInsertionPoint(flipped);
      return transposed(rewriter, loc, op.getInput(), toLast);
    }();
    rewriter.modifyOpInPlace(flipped, [&] {
      flipped->setOperand(0, input);
      flipped.setLayout(Layout::nhwc);
      flipped->getResult(0).setType(lastType(op->getResult(0)));
    });
    rewriter.setInsertionPointAfter(flipped);
    rewriter.replaceOp(op, transposed(rewriter, loc, flipped->getResult(0), toFirst));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Sinking transposes
//===----------------------------------------------------------------------===//

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
    ArrayRef<int64_t> perm = first.getPerm();
    for (Value operand : op->getOperands()) {
      auto transpose = transposeOf(operand);
      if (transpose && transpose.getPerm() == perm)
        continue;
      if (!isCheapToMove(operand))
        return failure();
    }
    SmallVector<int64_t> inverse = inversePermutation(perm);
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
    SmallVector<int64_t> inverse = inversePermutation(first.getPerm());
    auto type = tensorTypeOf(op.getResult());
    Value moved = ConcatOp::create(rewriter, op.getLoc(),
                                   type.clone(permuted(type.getShape(), inverse)), inputs,
                                   first.getPerm()[op.getAxis()]);
    rewriter.replaceOp(op, transposed(rewriter, op.getLoc(), moved, first.getPerm()));
    return success();
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
    auto type = tensorTypeOf(op.getResult());
    if (op.getKeepDims()) {
      SmallVector<int64_t> inverse = inversePermutation(perm);
      Value moved = ReduceOp::create(rewriter, op.getLoc(),
                                     type.clone(permuted(type.getShape(), inverse)),
                                     op.getFn(), transpose.getInput(), axes, true);
      rewriter.replaceOp(op, transposed(rewriter, op.getLoc(), moved, perm));
      return success();
    }
    // Without the reduced axes the kept ones must stand in the same order.
    SmallVector<int64_t> kept;
    for (int64_t source : perm)
      if (!llvm::is_contained(axes, source))
        kept.push_back(source);
    if (!llvm::is_sorted(kept))
      return failure();
    rewriter.replaceOpWithNewOp<ReduceOp>(op, type, op.getFn(), transpose.getInput(),
                                          axes, false);
    return success();
  }
};

struct SinkThroughPad : OpRewritePattern<PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PadOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose)
      return failure();
    SmallVector<int64_t> inverse = inversePermutation(transpose.getPerm());
    Location loc = op.getLoc();
    auto type = tensorTypeOf(op.getResult());
    Value moved = PadOp::create(
        rewriter, loc, type.clone(permuted(type.getShape(), inverse)),
        transpose.getInput(), permutedShapeOperand(rewriter, loc, op.getLow(), inverse),
        permutedShapeOperand(rewriter, loc, op.getHigh(), inverse), op.getValue(),
        op.getMode());
    rewriter.replaceOp(op, transposed(rewriter, loc, moved, transpose.getPerm()));
    return success();
  }
};

struct SinkThroughSlice : OpRewritePattern<SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SliceOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    if (!transpose)
      return failure();
    SmallVector<int64_t> inverse = inversePermutation(transpose.getPerm());
    Location loc = op.getLoc();
    auto type = tensorTypeOf(op.getResult());
    Value moved =
        SliceOp::create(rewriter, loc, type.clone(permuted(type.getShape(), inverse)),
                        transpose.getInput(),
                        permutedShapeOperand(rewriter, loc, op.getStarts(), inverse),
                        permutedShapeOperand(rewriter, loc, op.getSizes(), inverse),
                        permuted(op.getSteps(), inverse));
    rewriter.replaceOp(op, transposed(rewriter, loc, moved, transpose.getPerm()));
    return success();
  }
};

struct SinkThroughResize : OpRewritePattern<ResizeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ResizeOp op, PatternRewriter &rewriter) const override {
    // An nchw resize of a tensor that is stored nhwc: resample where it lies.
    auto transpose = transposeOf(op.getInput());
    if (!transpose || op.getRoi())
      return failure();
    SmallVector<int64_t> inverse = inversePermutation(transpose.getPerm());
    Location loc = op.getLoc();
    auto type = tensorTypeOf(op.getResult());
    Operation *moved = rewriter.clone(*op);
    Value sizes = permutedShapeOperand(rewriter, loc, op.getSizes(), inverse);
    Value scales = permutedShapeOperand(rewriter, loc, op.getScales(), inverse);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperands(0, 3, {transpose.getInput(), sizes, scales});
      moved->getResult(0).setType(type.clone(permuted(type.getShape(), inverse)));
    });
    moved->moveAfter(scales.getDefiningOp());
    rewriter.setInsertionPointAfter(moved);
    rewriter.replaceOp(
        op, transposed(rewriter, loc, moved->getResult(0), transpose.getPerm()));
    return success();
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

struct ChannelsLastPass : impl::ChannelsLastPassBase<ChannelsLastPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet flip(context);
    flip.add<WidenConv, WidenPool, FlipLayout<ConvOp>, FlipLayout<PoolOp>,
             FlipLayout<ConvTransposeOp>>(context);
    RewritePatternSet sink(context);
    sink.add<SinkThroughConcat, SinkThroughReduce, SinkThroughPad, SinkThroughSlice,
             SinkThroughResize, TransposeOfOnes>(context);
    sink.add<SinkThroughElementwise>(context);
    TransposeOp::getCanonicalizationPatterns(sink, context);
    ReshapeOp::getCanonicalizationPatterns(sink, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(flip))) ||
        failed(applyPatternsGreedily(getOperation(), std::move(sink))))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
