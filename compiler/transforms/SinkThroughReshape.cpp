//===- SinkThroughReshape.cpp - transposes through reshapes -----------------===//
//
// A reshape that takes axes apart lets a transpose pass at no cost, and so does one that
// only concerns axes of size 1; one that merges axes asks for them side by side.
//
//===----------------------------------------------------------------------===//

#include "compiler/ir/Ops.h"
#include "compiler/transforms/Build.h"
#include "compiler/transforms/ConstantTensor.h"
#include "compiler/transforms/LayoutPatterns.h"

#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;

namespace hexin::hx {
using mlir::Value;
namespace {

TransposeOp transposeOf(Value value) { return value.getDefiningOp<TransposeOp>(); }

/// `input` with the sizes that `op` gives, in the order `order`.
Value reshapedInOrder(OpBuilder &b, ReshapeOp op, Value input, ArrayRef<int64_t> order) {
  auto type = tensorTypeOf(op.getResult());
  Value shape = permutedShapeOperand(b, op.getLoc(), op.getShape(), order);
  return ReshapeOp::create(b, op.getLoc(), type.clone(permuted(type.getShape(), order)),
                           input, shape);
}

struct SinkThroughSplit : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    auto type = tensorTypeOf(op.getResult());
    if (!transpose || type.getRank() <= tensorTypeOf(op.getInput()).getRank())
      return failure();
    auto wholeOf = partsOf(tensorTypeOf(op.getInput()).getShape(), type.getShape());
    if (!wholeOf)
      return failure();
    // The parts of each axis of the transpose's input, in its order.
    SmallVector<int64_t> order, inverse = inversePermutation(transpose.getPerm());
    for (int64_t axis : inverse)
      for (auto [part, whole] : llvm::enumerate(*wholeOf))
        if (whole == axis)
          order.push_back(part);
    Value apart = reshapedInOrder(rewriter, op, transpose.getInput(), order);
    rewriter.replaceOp(
        op, transposed(rewriter, op.getLoc(), apart, inversePermutation(order)));
    return success();
  }
};

/// Merging axes asks for them side by side. Where the data moves for that, what remains
/// of the transpose is worth sinking only if it is undone by every user.
struct SinkThroughMerge : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    auto type = tensorTypeOf(op.getResult());
    if (!transpose || type.getRank() >= tensorTypeOf(op.getInput()).getRank())
      return failure();
    auto wholeOf = partsOf(type.getShape(), tensorTypeOf(op.getInput()).getShape());
    if (!wholeOf)
      return failure();
    // Where each merged axis starts in the transpose's input; they keep that order.
    SmallVector<int64_t> first(type.getRank(), INT64_MAX);
    for (auto [part, source] : llvm::enumerate(transpose.getPerm()))
      first[(*wholeOf)[part]] = std::min(first[(*wholeOf)[part]], source);
    SmallVector<int64_t> merged = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    llvm::sort(merged, [&](int64_t a, int64_t b) { return first[a] < first[b]; });
    SmallVector<int64_t> gather;
    for (int64_t axis : merged)
      for (auto [part, whole] : llvm::enumerate(*wholeOf))
        if (whole == axis)
          gather.push_back(transpose.getPerm()[part]);
    bool isUndone =
        !op->use_empty() && llvm::all_of(op->getUsers(), [&](Operation *user) {
          auto next = dyn_cast<TransposeOp>(user);
          return next && next.getPerm() == ArrayRef<int64_t>(merged);
        });
    if (!isUndone && !llvm::is_sorted(gather))
      return failure();
    Value together = transposed(rewriter, op.getLoc(), transpose.getInput(), gather);
    together = reshapedInOrder(rewriter, op, together, merged);
    rewriter.replaceOp(
        op, transposed(rewriter, op.getLoc(), together, inversePermutation(merged)));
    return success();
  }
};

bool isOne(int64_t size) { return size == 1; }

/// Whether a reshape from one to the other only adds, drops or moves axes of size 1.
bool differInOnes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  SmallVector<int64_t> large(a), others(b);
  llvm::erase_if(large, isOne);
  llvm::erase_if(others, isOne);
  return large == others;
}

/// Axes of size 1 go with the axis that follows; those in front of all stay there.
struct SinkThroughOnes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto transpose = transposeOf(op.getInput());
    ArrayRef<int64_t> sizes = tensorTypeOf(op.getResult()).getShape();
    if (!transpose || !differInOnes(tensorTypeOf(op.getInput()).getShape(), sizes))
      return failure();
    // Each of the large axes with the ones in front of it, and those behind the last.
    SmallVector<int64_t> order;
    SmallVector<SmallVector<int64_t>> runs(1);
    for (auto [axis, size] : llvm::enumerate(sizes)) {
      if (isOne(size) && order.size() == axis)
        order.push_back(axis);
      else
        runs.back().push_back(axis);
      if (!isOne(size))
        runs.emplace_back();
    }
    SmallVector<int64_t> runOf; // of each axis of the transpose's result
    int64_t seen = 0;
    for (int64_t size : tensorTypeOf(op.getInput()).getShape())
      runOf.push_back(isOne(size) ? -1 : seen++);
    for (int64_t axis : inversePermutation(transpose.getPerm()))
      if (runOf[axis] >= 0)
        llvm::append_range(order, runs[runOf[axis]]);
    llvm::append_range(order, runs.back());
    Value moved = reshapedInOrder(rewriter, op, transpose.getInput(), order);
    rewriter.replaceOp(
        op, transposed(rewriter, op.getLoc(), moved, inversePermutation(order)));
    return success();
  }
};

/// `sizes`, one for each of the last axes of `from`, with the ones of `to` instead.
SmallVector<int64_t> withOnesOf(ArrayRef<int64_t> to, ArrayRef<int64_t> from,
                                ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> whole(from.size() - sizes.size(), 1), result;
  llvm::append_range(whole, sizes);
  size_t axis = 0;
  for (int64_t size : to) {
    if (isOne(size)) {
      result.push_back(1);
      continue;
    }
    while (isOne(from[axis]))
      ++axis;
    result.push_back(whole[axis++]);
  }
  return result;
}

/// Axes of size 1 are dropped or moved behind elementwise operations, not between them
/// and the convolution whose epilogue they become.
struct SinkOnesThroughElementwise : RewritePattern {
  explicit SinkOnesThroughElementwise(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!op->hasTrait<HxElementwise>() || op->getNumResults() != 1)
      return failure();
    for (Value operand : op->getOperands())
      if (auto reshape = operand.getDefiningOp<ReshapeOp>();
          reshape && canPass(reshape, op)) {
        moveBehind(reshape, op, rewriter);
        return success();
      }
    return failure();
  }

private:
  static bool canPass(ReshapeOp reshape, Operation *op) {
    auto type = tensorTypeOf(op->getResult(0));
    auto source = tensorTypeOf(reshape.getInput());
    if (tensorTypeOf(reshape.getResult()).getShape() != type.getShape() ||
        isConstantData(reshape.getInput()) || source.getShape() == type.getShape() ||
        !differInOnes(source.getShape(), type.getShape()))
      return false;
    // Other operands get the ones by reshapes, which must not come back this way.
    bool dropsSome = source.getRank() > type.getRank();
    return llvm::all_of(op->getOperands(), [&](Value other) {
      auto own = tensorTypeOf(other);
      // Of two unknown sizes one may broadcast.
      bool isKnown = type.getNumDynamicDims() <= 1 || own.getNumDynamicDims() == 0;
      return other == reshape.getResult() || llvm::all_of(own.getShape(), isOne) ||
             (isKnown && (dropsSome || isConstantData(other)));
    });
  }

  static void moveBehind(ReshapeOp reshape, Operation *op, PatternRewriter &rewriter) {
    auto type = tensorTypeOf(op->getResult(0));
    ArrayRef<int64_t> from = type.getShape(),
                      to = tensorTypeOf(reshape.getInput()).getShape();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      ArrayRef<int64_t> own = tensorTypeOf(operand).getShape();
      if (operand == reshape.getResult())
        operands.push_back(reshape.getInput());
      else if (own.size() <= to.size() && llvm::all_of(own, isOne))
        operands.push_back(operand);
      else
        operands.push_back(
            reshaped(rewriter, op->getLoc(), operand, withOnesOf(to, from, own)));
    }
    Operation *moved = rewriter.clone(*op);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperands(operands);
      moved->getResult(0).setType(type.clone(withOnesOf(to, from, from)));
    });
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, type, moved->getResult(0),
                                           reshape.getShape());
  }
};

/// Reductions that keep their axes see none of those of size 1.
struct SinkOnesThroughReduce : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getInput().getDefiningOp<ReshapeOp>();
    auto type = tensorTypeOf(op.getResult());
    if (!reshape || !op.getKeepDims() || type.getNumDynamicDims() > 1 ||
        isConstantData(reshape.getInput()))
      return failure();
    ArrayRef<int64_t> from = tensorTypeOf(op.getInput()).getShape(),
                      to = tensorTypeOf(reshape.getInput()).getShape();
    if (from == to || !differInOnes(from, to))
      return failure();
    SmallVector<int64_t> isReduced(from.size(), 0), sizes(to), axes;
    for (int64_t axis : op.getAxes())
      isReduced[axis] = 1;
    for (auto [axis, reduced] : llvm::enumerate(withOnesOf(to, from, isReduced)))
      if (!isOne(to[axis]) && reduced == 1) {
        axes.push_back(axis);
        sizes[axis] = 1;
      }
    if (axes.empty())
      return failure();
    Value moved = ReduceOp::create(rewriter, op.getLoc(), type.clone(sizes), op.getFn(),
                                   reshape.getInput(), axes, true);
    rewriter.replaceOp(op, reshaped(rewriter, op.getLoc(), moved, type.getShape()));
    return success();
  }
};

} // namespace

bool isConstantData(Value value) {
  while (isa_and_nonnull<ReshapeOp, TransposeOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return isConstantLike(value);
}

std::optional<SmallVector<int64_t>> partsOf(ArrayRef<int64_t> whole,
                                            ArrayRef<int64_t> parts) {
  SmallVector<int64_t> wholeOf;
  size_t part = 0;
  for (size_t axis = 0; axis < whole.size(); ++axis) {
    int64_t size = 1;
    do {
      if (part == parts.size() || size == 0)
        return std::nullopt;
      int64_t next = parts[part++];
      wholeOf.push_back(axis);
      bool isUnknown = ShapedType::isDynamic(size) || ShapedType::isDynamic(next);
      if (size != 1 && isUnknown) // an unknown size only stands for itself
        return std::nullopt;
      std::optional<int64_t> product = isUnknown ? next : llvm::checkedMul(size, next);
      if (!product)
        return std::nullopt;
      size = *product;
    } while (size != whole[axis]);
  }
  for (; part < parts.size(); ++part) {
    if (parts[part] != 1 || whole.empty())
      return std::nullopt;
    wholeOf.push_back(whole.size() - 1);
  }
  return wholeOf;
}

void populateSinkThroughReshapePatterns(RewritePatternSet &patterns) {
  patterns.add<SinkThroughSplit, SinkThroughMerge, SinkThroughOnes>(
      patterns.getContext());
}

void populateSinkOnesPatterns(RewritePatternSet &patterns) {
  patterns.add<SinkOnesThroughElementwise, SinkOnesThroughReduce>(patterns.getContext());
}

} // namespace hexin::hx
