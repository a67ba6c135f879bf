//===- FoldBatchNorm.cpp - batch normalisation as scale and shift -----------===//
//
// y = x * s + t with s = scale / sqrt(variance + epsilon), t = bias - mean * s.
// Behind a convolution that nothing else reads s goes into the weights and t into
// the bias. The new ops work on constants; hx-fold-constants evaluates them.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace hexin::hx {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

RankedTensorType tensorType(Value value) {
  return cast<RankedTensorType>(value.getType());
}

/// Ops on small constant tensors, typed by hand: all sizes are static.
struct ConstantMath {
  OpBuilder &b;
  Location loc;
  Value binary(BinaryFn fn, Value x, Value y, RankedTensorType type) {
    return BinaryOp::create(b, loc, type, fn, x, y);
  }
  Value unary(UnaryFn fn, Value x) { return UnaryOp::create(b, loc, x.getType(), fn, x); }
  Value splat(double value, RankedTensorType like) {
    auto type = RankedTensorType::get({}, like.getElementType());
    return ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(
            type, {Attribute(FloatAttr::get(like.getElementType(), value))}));
  }
  /// [M] as [M, 1, 1, ...] with `trailing` ones.
  Value column(Value x, int64_t trailing) {
    SmallVector<int64_t> sizes{tensorType(x).getDimSize(0)};
    sizes.append(trailing, 1);
    auto shape = ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(
            RankedTensorType::get({static_cast<int64_t>(sizes.size())}, b.getI64Type()),
            ArrayRef<int64_t>(sizes)));
    return ReshapeOp::create(b, loc, tensorType(x).clone(sizes), x, shape);
  }
};

struct FoldBatchNorm : OpRewritePattern<BatchNormOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getLayout() != Layout::nchw)
      return failure();
    for (Value parameter : {op.getScale(), op.getBias(), op.getMean(), op.getVariance()})
      if (!tensorType(parameter).hasStaticShape())
        return failure();
    auto type = tensorType(op.getScale());
    if (type.getElementType() != tensorType(op.getInput()).getElementType())
      return failure();
    ConstantMath math{rewriter, op.getLoc()};
    Value epsilon = math.splat(op.getEpsilon().convertToDouble(), type);
    Value deviation = math.unary(
        UnaryFn::sqrt, math.binary(BinaryFn::add, op.getVariance(), epsilon, type));
    Value scale = math.binary(BinaryFn::div, op.getScale(), deviation, type);

    auto conv = op.getInput().getDefiningOp<ConvOp>();
    bool isAbsorbed = conv && conv->hasOneUse() && conv.getLayout() == Layout::nchw &&
                      isConstantLike(conv.getWeights()) &&
                      isConstantLike({op.getScale(), op.getMean(), op.getVariance()}) &&
                      (!conv.getBias() || isConstantLike(conv.getBias()));
    if (isAbsorbed) {
      auto weightType = tensorType(conv.getWeights());
      Value weights =
          math.binary(BinaryFn::mul, conv.getWeights(),
                      math.column(scale, weightType.getRank() - 1), weightType);
      Value shift = conv.getBias()
                        ? math.binary(BinaryFn::sub, conv.getBias(), op.getMean(), type)
                        : math.unary(UnaryFn::neg, op.getMean());
      Value bias =
          math.binary(BinaryFn::add, math.binary(BinaryFn::mul, shift, scale, type),
                      op.getBias(), type);
      auto folded =
          ConvOp::create(rewriter, op.getLoc(), op.getType(), conv.getInput(), weights,
                         bias, conv.getGroups(), conv.getStrides(), conv.getPads(),
                         conv.getDilations(), conv.getPadPolicy(), conv.getLayout());
      folded->setLoc(FusedLoc::get(getContext(), {conv.getLoc(), op.getLoc()}));
      rewriter.replaceOp(op, folded);
      rewriter.eraseOp(conv);
      return success();
    }

    Value shift =
        math.binary(BinaryFn::sub, op.getBias(),
                    math.binary(BinaryFn::mul, op.getMean(), scale, type), type);
    int64_t trailing = std::max<int64_t>(0, tensorType(op.getInput()).getRank() - 2);
    auto resultType = cast<RankedTensorType>(op.getType());
    Value scaled = math.binary(BinaryFn::mul, op.getInput(), math.column(scale, trailing),
                               resultType);
    rewriter.replaceOpWithNewOp<BinaryOp>(op, resultType, BinaryFn::add, scaled,
                                          math.column(shift, trailing));
    return success();
  }
};

struct FoldBatchNormPass : impl::FoldBatchNormPassBase<FoldBatchNormPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldBatchNorm>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
