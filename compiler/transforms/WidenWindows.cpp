#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/LayoutPatterns.h"

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

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

struct WidenConvInteger : OpRewritePattern<ConvIntegerOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvIntegerOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getStrides().size() != 1 || op.getLayout() != Layout::nchw)
      return failure();
    Location loc = op.getLoc();
    Value input = withHeight(rewriter, loc, op.getInput());
    Value weights = withHeight(rewriter, loc, op.getWeights());
    SmallVector<int64_t> sizes(tensorTypeOf(op.getResult()).getShape());
    sizes.insert(sizes.begin() + 2, 1);
    Value wide = ConvIntegerOp::create(
        rewriter, loc, tensorTypeOf(op.getResult()).clone(sizes), input, weights,
        op.getInputZeroPoint(), op.getWeightsZeroPoint(), op.getGroups(),
        prefixed(1, op.getStrides()), heightPads(op.getPads()),
        prefixed(1, op.getDilations()), op.getPadPolicy(), op.getLayout());
    rewriter.replaceOp(op, withoutHeight(rewriter, loc, wide));
    return success();
  }
};

struct WidenConvTranspose : OpRewritePattern<ConvTransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvTransposeOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getStrides().size() != 1 || op.getLayout() != Layout::nchw ||
        op.getOutputSize())
      return failure();
    Location loc = op.getLoc();
    Value input = withHeight(rewriter, loc, op.getInput());
    Value weights = withHeight(rewriter, loc, op.getWeights());
    SmallVector<int64_t> sizes(tensorTypeOf(op.getResult()).getShape());
    sizes.insert(sizes.begin() + 2, 1);
    Value wide = ConvTransposeOp::create(
        rewriter, loc, tensorTypeOf(op.getResult()).clone(sizes), input, weights,
        op.getBias(), Value(), op.getGroups(), prefixed(0, op.getOutputPadding()),
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

} // namespace

void populateWidenWindowPatterns(RewritePatternSet &patterns) {
  patterns.add<WidenConv, WidenConvInteger, WidenConvTranspose, WidenPool>(
      patterns.getContext());
}

} // namespace hexin::hx
