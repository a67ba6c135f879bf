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
#include "compiler/transforms/LayoutPatterns.h"
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

struct ChannelsLastPass : impl::ChannelsLastPassBase<ChannelsLastPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet flip(context);
    populateWidenWindowPatterns(flip);
    flip.add<FlipLayout<ConvOp>, FlipLayout<ConvIntegerOp>, FlipLayout<PoolOp>,
             FlipLayout<ConvTransposeOp>>(context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(flip))))
      return signalPassFailure();
    do
      if (failed(sinkTransposes(getOperation())))
        return signalPassFailure();
    while (unmergeRows(getOperation()));
  }
};

} // namespace
} // namespace hexin::hx
