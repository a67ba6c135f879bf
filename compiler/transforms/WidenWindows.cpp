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

/// The same op over two axes, of `type`, with `input` widened.
Value widened(OpBuilder &b, ConvOp op, Value input, Type type) {
  Value weights = withHeight(b, op.getLoc(), op.getWeights());
  return ConvOp::create(b, op.getLoc(), type, input, weights, op.getBias(),
                        op.getGroups(), prefixed(1, op.getStrides()),
                        heightPads(op.getPads()), prefixed(1, op.getDilations()),
                        op.getPadPolicy(), op.getLayout());
}

Value widened(OpBuilder &b, ConvIntegerOp op, Value input, Type type) {
  Value weights = withHeight(b, op.getLoc(), op.getWeights());
  return ConvIntegerOp::create(b, op.getLoc(), type, input, weights,
                               op.getInputZeroPoint(), op.getWeightsZeroPoint(),
                               op.getGroups(), prefixed(1, op.getStrides()),
                               heightPads(op.getPads()), prefixed(1, op.getDilations()),
                               op.getPadPolicy(), op.getLayout());
}

Value widened(OpBuilder &b, ConvTransposeOp op, Value input, Type type) {
  Value weights = withHeight(b, op.getLoc(), op.getWeights());
  return ConvTransposeOp::create(
      b, op.getLoc(), type, input, weights, op.getBias(), Value(), op.getGroups(),
      prefixed(0, op.getOutputPadding()), prefixed(1, op.getStrides()),
      heightPads(op.getPads()), prefixed(1, op.getDilations()), op.getPadPolicy(),
      op.getLayout());
}

Value widened(OpBuilder &b, PoolOp op, Value input, Type type) {
  auto wide =
      PoolOp::create(b, op.getLoc(), TypeRange{type}, op.getFn(), input,
                     prefixed(1, op.getWindow()), op.getCeilMode(), op.getStorageOrder(),
                     prefixed(1, op.getStrides()), heightPads(op.getPads()),
                     prefixed(1, op.getDilations()), op.getPadPolicy(), op.getLayout());
  return wide.getResult();
}

/// Whether the op has what only its form over one axis can say.
template <typename OpT> bool isBound(OpT) { return false; }
bool isBound(ConvTransposeOp op) { return op.getOutputSize() != Value(); }
bool isBound(PoolOp op) { return op.getIndices() != Value(); }

template <typename OpT> struct WidenWindow : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    if (op.getStrides().size() != 1 || op.getLayout() != Layout::nchw || isBound(op))
      return failure();
    Value input = withHeight(rewriter, op.getLoc(), op.getInput());
    RankedTensorType type = tensorTypeOf(op->getResult(0));
    SmallVector<int64_t> sizes(type.getShape());
    sizes.insert(sizes.begin() + 2, 1);
    Value wide = widened(rewriter, op, input, type.clone(sizes));
    rewriter.replaceOp(op, withoutHeight(rewriter, op.getLoc(), wide));
    return success();
  }
};

} // namespace

void populateWidenWindowPatterns(RewritePatternSet &patterns) {
  patterns.add<WidenWindow<ConvOp>, WidenWindow<ConvIntegerOp>,
               WidenWindow<ConvTransposeOp>, WidenWindow<PoolOp>>(patterns.getContext());
}

} // namespace hexin::hx
