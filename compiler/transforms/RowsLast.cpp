//===- RowsLast.cpp - softmax and normalisation over the last axis ----------===//
//
// Row kernels own the last axis. Softmax over another axis goes between two
// transposes; layer_norm over several axes sees them as one.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace hexin::hx {
#define GEN_PASS_DEF_ROWSLASTPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

template <typename OpT> struct AxisToLast : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    auto type = tensorTypeOf(op.getInput());
    int64_t rank = type.getRank(), axis = op.getAxis();
    if (axis == rank - 1)
      return failure();
    SmallVector<int64_t> perm;
    for (int64_t i = 0; i < rank; ++i)
      if (i != axis)
        perm.push_back(i);
    perm.push_back(axis);
    Value input = transposed(rewriter, op.getLoc(), op.getInput(), perm);
    Value moved = OpT::create(rewriter, op.getLoc(), input.getType(), input, rank - 1);
    rewriter.replaceOp(
        op, transposed(rewriter, op.getLoc(), moved, inversePermutation(perm)));
    return success();
  }
};

/// Sizes of axes [begin, end) multiplied; dynamic when one is.
int64_t mergedSize(ArrayRef<int64_t> sizes) {
  int64_t product = 1;
  for (int64_t size : sizes) {
    if (ShapedType::isDynamic(size))
      return ShapedType::kDynamic;
    product *= size;
  }
  return product;
}

struct MergeNormAxes : OpRewritePattern<LayerNormOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(LayerNormOp op,
                                PatternRewriter &rewriter) const override {
    auto type = tensorTypeOf(op.getInput());
    int64_t rank = type.getRank(), axis = op.getAxis();
    ArrayRef<int64_t> inner = type.getShape().drop_front(axis);
    // Parameters must be as large as the normalised axes to merge with them.
    for (Value parameter : {op.getScale(), op.getBias()})
      if (parameter && tensorTypeOf(parameter).getShape() != inner)
        return failure();
    int64_t merged = mergedSize(inner);
    if (axis == rank - 1 || ShapedType::isDynamic(merged) || type.getNumDynamicDims() > 1)
      return failure();
    SmallVector<int64_t> sizes(type.getShape().take_front(axis));
    sizes.push_back(merged);
    Location loc = op.getLoc();
    Value input = reshaped(rewriter, loc, op.getInput(), sizes);
    Value scale = reshaped(rewriter, loc, op.getScale(), {merged});
    Value bias = op.getBias() ? reshaped(rewriter, loc, op.getBias(), {merged}) : Value();
    Value moved =
        LayerNormOp::create(rewriter, loc, input.getType(), input, scale, bias,
                            op.getAxisAttr(), op.getEpsilonAttr(), op.getCentredAttr());
    rewriter.replaceOp(op, reshaped(rewriter, loc, moved, type.getShape()));
    return success();
  }
};

struct RowsLastPass : impl::RowsLastPassBase<RowsLastPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AxisToLast<SoftmaxOp>, AxisToLast<LogSoftmaxOp>, MergeNormAxes>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
