//===- ConvTransposeToMatMul.cpp - upsampling convolutions as a product -----===//
//
// A transposed convolution whose windows neither overlap nor leave gaps (stride =
// taps, no padding) gives every input pixel its own block of outputs: one matrix
// product [pixels, C] x [C, kh*kw*M], then the blocks are laid side by side,
//   [N, H, W, kh, kw, M] -> [N, H, kh, W, kw, M] -> [N, H*kh, W*kw, M].
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
#define GEN_PASS_DEF_CONVTRANSPOSETOMATMULPASS
#include "compiler/transforms/Passes.h.inc"
} // namespace hexin::hx

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

constexpr int64_t kDynamic = ShapedType::kDynamic;

/// Sizes as a host tensor: `factors[i]` times axis `axes[i]` of `like`, or just the
/// factor where the axis is -1.
Value scaledShape(OpBuilder &b, Location loc, Value like, ArrayRef<int64_t> axes,
                  ArrayRef<int64_t> factors) {
  auto i64 = b.getI64Type();
  int64_t rank = tensorTypeOf(like).getRank();
  Value sizes = ShapeOfOp::create(b, loc, RankedTensorType::get({rank}, i64), like);
  auto one = RankedTensorType::get({1}, i64);
  SmallVector<Value> parts;
  for (auto [axis, factor] : llvm::zip(axes, factors)) {
    Value part = shapeConstant(b, loc, {factor});
    if (axis >= 0) {
      Value size = SliceOp::create(b, loc, one, sizes, shapeConstant(b, loc, {axis}),
                                   shapeConstant(b, loc, {1}), ArrayRef<int64_t>{1});
      part = BinaryOp::create(b, loc, one, BinaryFn::mul, size, part);
    }
    parts.push_back(part);
  }
  auto type = RankedTensorType::get({static_cast<int64_t>(parts.size())}, i64);
  return ConcatOp::create(b, loc, type, parts, 0);
}

int64_t scaled(int64_t size, int64_t factor) {
  return ShapedType::isDynamic(size) ? kDynamic : size * factor;
}

Value castTo(OpBuilder &b, Location loc, Value x, Type type) {
  auto from = tensorTypeOf(x);
  if (from.getElementType() == type)
    return x;
  return CastOp::create(b, loc, from.clone(type), x, /*saturate=*/true, "nearest");
}

struct ToMatMul : OpRewritePattern<ConvTransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  static bool matches(ConvTransposeOp op) {
    auto weights = tensorTypeOf(op.getWeights());
    auto isAll = [](ArrayRef<int64_t> values, int64_t expected) {
      return llvm::all_of(values, [&](int64_t value) { return value == expected; });
    };
    return op.getLayout() == Layout::nhwc && weights.getRank() == 4 &&
           weights.hasStaticShape() && isConstantLike(op.getWeights()) &&
           op.getGroups() == 1 && !op.getOutputSize() &&
           op.getPadPolicy() == PadPolicy::explicit_pads && isAll(op.getPads(), 0) &&
           isAll(op.getOutputPadding(), 0) && isAll(op.getDilations(), 1) &&
           op.getStrides() == weights.getShape().drop_front(2) &&
           isa<FloatType>(weights.getElementType());
  }

  LogicalResult matchAndRewrite(ConvTransposeOp op,
                                PatternRewriter &rewriter) const override {
    if (!matches(op))
      return failure();
    Location loc = op.getLoc();
    auto input = tensorTypeOf(op.getInput());
    auto weights = tensorTypeOf(op.getWeights());
    int64_t c = weights.getDimSize(0), m = weights.getDimSize(1);
    int64_t kh = weights.getDimSize(2), kw = weights.getDimSize(3);
    ArrayRef<int64_t> in = input.getShape();

    Value matrix = transposed(rewriter, loc, op.getWeights(), {0, 2, 3, 1});
    matrix = reshaped(rewriter, loc, matrix, {c, kh * kw * m});
    // The bias is added before anything is rounded to 16 bits.
    bool isWide = op.getBias() &&
                  (weights.getElementType().isF16() || weights.getElementType().isBF16());
    auto sums = isWide ? input.clone(rewriter.getF32Type()) : input;
    Value product = MatMulOp::create(
        rewriter, loc, sums.clone({in[0], in[1], in[2], kh * kw * m}), op.getInput(),
        matrix, false, false, isWide ? TypeAttr::get(rewriter.getF32Type()) : TypeAttr());
    Value blocks = ReshapeOp::create(
        rewriter, loc, sums.clone({in[0], in[1], in[2], kh, kw, m}), product,
        scaledShape(rewriter, loc, op.getInput(), {0, 1, 2, -1, -1, -1},
                    {1, 1, 1, kh, kw, m}));
    blocks = transposed(rewriter, loc, blocks, {0, 1, 3, 2, 4, 5});
    Value result = ReshapeOp::create(
        rewriter, loc, sums.clone({in[0], scaled(in[1], kh), scaled(in[2], kw), m}),
        blocks, scaledShape(rewriter, loc, op.getInput(), {0, 1, 2, -1}, {1, kh, kw, m}));
    if (op.getBias()) {
      Value bias = castTo(rewriter, loc, op.getBias(), sums.getElementType());
      result =
          BinaryOp::create(rewriter, loc, result.getType(), BinaryFn::add, result, bias);
    }
    rewriter.replaceOp(op, castTo(rewriter, loc, result, input.getElementType()));
    return success();
  }
};

struct ConvTransposeToMatMulPass
    : impl::ConvTransposeToMatMulPassBase<ConvTransposeToMatMulPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ToMatMul>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace hexin::hx
