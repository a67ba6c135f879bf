#include "compiler/ir/HostOps.h"
#include "compiler/ir/ValueTypes.h"
#include "compiler/ir/ops/Checks.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static LogicalResult checkHolds(Operation *op, Type container, Type value,
                                const Twine &what) {
  if (areCompatible(heldType(container), value))
    return success();
  return emitNodeError(op) << what << " is " << value << ", but the value is "
                           << container;
}

/// Sizes of a tensor that comes out of a container: those that its type fixes, the
/// others are known once it is there.
static void setHeldDims(ShapeContext &context, Value result, Type held) {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type)
    return;
  auto known = dyn_cast_or_null<RankedTensorType>(held);
  Dims dims;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    int64_t size = known && known.getRank() == type.getRank() ? known.getDimSize(axis)
                                                              : type.getDimSize(axis);
    dims.push_back(ShapedType::isDynamic(size) ? context.symbols().resultDim(result, axis)
                                               : context.constant(size));
  }
  context.setDims(0, dims);
}

static LogicalResult checkPosition(Operation *op, Value position) {
  auto type = position ? cast<RankedTensorType>(position.getType()) : RankedTensorType();
  if (!type || type.getRank() == 0 || (type.getRank() == 1 && type.getDimSize(0) <= 1))
    return success();
  return emitNodeError(op) << "the position must be one element, got " << type;
}

/// Whether `value` may stand for `result`: its sizes may be better known, unless a
/// terminator's types hang on them.
static bool canReplace(Value result, Value value) {
  return result.getType() == value.getType() ||
         (areCompatible(result.getType(), value.getType()) &&
          llvm::none_of(result.getUsers(), [](Operation *user) {
            return user->hasTrait<OpTrait::IsTerminator>();
          }));
}

/// The number in a constant of one element.
static std::optional<int64_t> constantNumber(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : nullptr;
  auto elements =
      constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : nullptr;
  if (!elements || elements.getNumElements() != 1)
    return std::nullopt;
  return (*elements.getValues<APInt>().begin()).getSExtValue();
}

//===----------------------------------------------------------------------===//
// share, seq_make
//===----------------------------------------------------------------------===//

LogicalResult ShareOp::inferShapes(ShapeContext &context) {
  if (isa<RankedTensorType>(getValue().getType()))
    context.setDims(0, context.dims(getValue()));
  return success();
}

LogicalResult ShareOp::verify() {
  if (areCompatible(getValue().getType(), getResult().getType()))
    return success();
  return emitNodeError(*this) << "the operand is " << getValue().getType()
                              << ", the result " << getResult().getType();
}

LogicalResult SeqMakeOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult SeqMakeOp::verify() {
  for (auto [i, element] : llvm::enumerate(getElements()))
    if (failed(checkHolds(*this, getType(), element.getType(), "element #" + Twine(i))))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// seq_at, seq_insert, seq_erase, seq_length
//===----------------------------------------------------------------------===//

LogicalResult SeqAtOp::inferShapes(ShapeContext &context) {
  setHeldDims(context, getResult(), heldType(getSequence().getType()));
  return success();
}

LogicalResult SeqAtOp::verify() {
  if (failed(checkPosition(*this, getPosition())))
    return failure();
  return checkHolds(*this, getSequence().getType(), getResult().getType(), "the result");
}

namespace {

/// An element of a sequence that is made right here.
struct TakeMadeElement : OpRewritePattern<SeqAtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SeqAtOp op, PatternRewriter &rewriter) const override {
    auto make = op.getSequence().getDefiningOp<SeqMakeOp>();
    auto position = constantNumber(op.getPosition());
    if (!make || !position)
      return failure();
    auto count = static_cast<int64_t>(make.getElements().size());
    int64_t index = *position < 0 ? *position + count : *position;
    if (index < 0 || index >= count ||
        !canReplace(op.getResult(), make.getElements()[index]))
      return failure();
    rewriter.replaceOp(op, make.getElements()[index]);
    return success();
  }
};

/// The concatenation of a sequence that is made right here, on the device.
struct ConcatMadeElements : OpRewritePattern<SeqConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SeqConcatOp op,
                                PatternRewriter &rewriter) const override {
    auto make = op.getSequence().getDefiningOp<SeqMakeOp>();
    if (!make || make.getElements().empty() || op.getNewAxis())
      return failure();
    for (Value element : make.getElements())
      if (!areCompatible(element.getType(), op.getType()))
        return failure();
    rewriter.replaceOpWithNewOp<ConcatOp>(op, op.getType(), make.getElements(),
                                          op.getAxis());
    return success();
  }
};

/// What was put into an optional right here.
struct GetMadeOptional : OpRewritePattern<OptGetOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(OptGetOp op, PatternRewriter &rewriter) const override {
    auto make = op.getOptional().getDefiningOp<OptMakeOp>();
    if (!make || !make.getValue() || !canReplace(op.getResult(), make.getValue()))
      return failure();
    rewriter.replaceOp(op, make.getValue());
    return success();
  }
};

} // namespace

void SeqAtOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                          MLIRContext *context) {
  patterns.add<TakeMadeElement>(context);
}

LogicalResult SeqInsertOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult SeqInsertOp::verify() {
  if (failed(checkPosition(*this, getPosition())) ||
      failed(checkHolds(*this, getType(), getValue().getType(), "the value")))
    return failure();
  return checkHolds(*this, getType(), heldType(getSequence().getType()), "an element");
}

LogicalResult SeqEraseOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult SeqEraseOp::verify() {
  if (failed(checkPosition(*this, getPosition())))
    return failure();
  return checkHolds(*this, getType(), heldType(getSequence().getType()), "an element");
}

LogicalResult SeqLengthOp::inferShapes(ShapeContext &context) {
  context.setDims(0, {});
  if (auto make = getSequence().getDefiningOp<SeqMakeOp>())
    context.setContents(
        0, {context.constant(static_cast<int64_t>(make.getElements().size()))});
  return success();
}

//===----------------------------------------------------------------------===//
// seq_split, seq_concat
//===----------------------------------------------------------------------===//

LogicalResult SeqSplitOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult SeqSplitOp::verify() {
  auto input = cast<RankedTensorType>(getInput().getType());
  if (failed(checkAxis(*this, getAxis(), input.getRank())))
    return failure();
  if (getSizes() && !getKeepDim())
    return emitNodeError(*this) << "parts of given sizes keep their axis";
  int64_t rank = input.getRank() - (getKeepDim() ? 0 : 1);
  auto part = dyn_cast<TensorType>(heldType(getType()));
  if (part && part.getElementType() == input.getElementType() &&
      (!part.hasRank() || part.getRank() == rank))
    return success();
  return emitNodeError(*this) << "parts of " << input << " have rank " << rank
                              << ", the result is " << getType();
}

LogicalResult SeqConcatOp::inferShapes(ShapeContext &context) {
  auto held = dyn_cast_or_null<RankedTensorType>(heldType(getSequence().getType()));
  auto type = cast<RankedTensorType>(getType());
  auto axis = static_cast<int64_t>(getAxis());
  Dims dims;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t size = type.getDimSize(i);
    if (held && i != axis && held.getRank() == type.getRank() - (getNewAxis() ? 1 : 0))
      size = held.getDimSize(getNewAxis() && i > axis ? i - 1 : i);
    else if (i == axis)
      size = ShapedType::kDynamic;
    dims.push_back(ShapedType::isDynamic(size)
                       ? context.symbols().resultDim(getResult(), i)
                       : context.constant(size));
  }
  context.setDims(0, dims);
  return success();
}

LogicalResult SeqConcatOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (failed(checkAxis(*this, getAxis(), type.getRank())))
    return failure();
  auto held = dyn_cast<TensorType>(heldType(getSequence().getType()));
  if (held && held.getElementType() == type.getElementType() &&
      (!held.hasRank() || held.getRank() == type.getRank() - (getNewAxis() ? 1 : 0)))
    return success();
  return emitNodeError(*this) << "the elements of " << getSequence().getType()
                              << " do not concatenate to " << type;
}

void SeqConcatOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *context) {
  patterns.add<ConcatMadeElements>(context);
}

//===----------------------------------------------------------------------===//
// opt_make, opt_get, opt_has
//===----------------------------------------------------------------------===//

LogicalResult OptMakeOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult OptMakeOp::verify() {
  return getValue() ? checkHolds(*this, getType(), getValue().getType(), "the operand")
                    : success();
}

LogicalResult OptGetOp::inferShapes(ShapeContext &context) {
  setHeldDims(context, getResult(), heldType(getOptional().getType()));
  return success();
}

LogicalResult OptGetOp::verify() {
  return checkHolds(*this, getOptional().getType(), getResult().getType(), "the result");
}

void OptGetOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<GetMadeOptional>(context);
}

LogicalResult OptHasOp::inferShapes(ShapeContext &context) {
  context.setDims(0, {});
  if (auto make = getOptional().getDefiningOp<OptMakeOp>())
    context.setContents(0, {context.constant(make.getValue() ? 1 : 0)});
  return success();
}

//===----------------------------------------------------------------------===//
// map_make, map_read
//===----------------------------------------------------------------------===//

LogicalResult MapMakeOp::inferShapes(ShapeContext &) { return success(); }

LogicalResult MapMakeOp::verify() {
  if (getIntKeys().has_value() == getStringKeys().has_value())
    return emitNodeError(*this) << "expected either integer or string keys";
  auto input = cast<RankedTensorType>(getInput().getType());
  if (input.getRank() != 1 && input.getRank() != 2)
    return emitNodeError(*this) << "the operand must have rank 1 or 2, got " << input;
  auto map = dyn_cast<MapType>(heldType(getType()));
  if (map && isa<StringType>(map.getKeyType()) == getStringKeys().has_value())
    return success();
  return emitNodeError(*this) << "the result must be a sequence of maps with such keys, "
                              << "got " << getType();
}

LogicalResult MapReadOp::inferShapes(ShapeContext &context) {
  int64_t columns = getIntKeys()      ? static_cast<int64_t>(getIntKeys()->size())
                    : getStringKeys() ? static_cast<int64_t>(getStringKeys()->size())
                    : getDense()      ? ShapedType::kDynamic
                                      : getLength();
  context.setDims(0,
                  {context.constant(1), ShapedType::isDynamic(columns)
                                            ? context.symbols().resultDim(getResult(), 1)
                                            : context.constant(columns)});
  return success();
}

LogicalResult MapReadOp::verify() {
  if (getLength() < 0)
    return emitNodeError(*this) << "length=" << getLength() << " is negative";
  auto type = cast<RankedTensorType>(getType());
  if (type.getRank() != 2)
    return emitNodeError(*this) << "the result must have rank 2, got " << type;
  return success();
}

} // namespace hexin::hx
