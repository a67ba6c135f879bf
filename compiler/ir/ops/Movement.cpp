#include "compiler/ir/ops/Checks.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;

namespace hexin::hx {

static bool isSameStaticType(Value a, Value b) {
  return a.getType() == b.getType() && cast<ShapedType>(a.getType()).hasStaticShape();
}

//===----------------------------------------------------------------------===//
// bitcast
//===----------------------------------------------------------------------===//

/// Whether a `whole` is a complex number of two `part`s.
static bool isPairOf(Type whole, Type part) {
  auto complex = dyn_cast<ComplexType>(whole);
  return complex && complex.getElementType() == part;
}

LogicalResult BitcastOp::inferShapes(ShapeContext &context) {
  Type from = elementType(getInput()), to = elementType(getResult());
  Dims dims = context.dims(getInput());
  if (isPairOf(from, to)) {
    dims.push_back(context.constant(2));
  } else if (isPairOf(to, from)) {
    if (dims.empty())
      return emitNodeError(*this) << "a scalar of " << from << " is no " << to
                                  << ": expected a last axis of 2 parts";
    if (failed(context.requireEqual(*this, dims.back(), context.constant(2),
                                    "parts of a complex number")))
      return failure();
    dims.pop_back();
  }
  context.setDims(0, dims);
  return success();
}

/// 0: no number.
static unsigned bitWidth(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * bitWidth(complex.getElementType());
  return type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0;
}

LogicalResult BitcastOp::verify() {
  Type from = elementType(getInput()), to = elementType(getResult());
  if ((bitWidth(from) == bitWidth(to) && bitWidth(from) != 0) || isPairOf(from, to) ||
      isPairOf(to, from))
    return success();
  return emitNodeError(*this) << "cannot see " << from << " as " << to
                              << ": the element types must be numbers of equal width";
}

//===----------------------------------------------------------------------===//
// reshape
//===----------------------------------------------------------------------===//

bool ReshapeOp::isHostRead(unsigned index) { return index == 1; }

/// Replaces the entry that is -1, or may turn out to be, by what the others leave.
static LogicalResult resolveShape(Operation *op, ShapeContext &context,
                                  ArrayRef<Dim> input, Dims &shape) {
  SymbolTable &symbols = context.symbols();
  Dim minusOne = symbols.constant(-1);
  Dims given = shape;
  std::optional<size_t> inferred;
  for (auto [i, entry] : llvm::enumerate(given)) {
    auto value = SymbolTable::constantValue(entry);
    if (value && *value < -1)
      return emitNodeError(op) << "shape[" << i << "]=" << *value
                               << ": expected a size, or -1 for what is left";
    if (value != -1)
      continue;
    if (inferred)
      return emitNodeError(op) << "shape has -1 at " << *inferred << " and at " << i
                               << ": at most one size can be left open";
    inferred = i;
  }
  for (auto [i, entry] : llvm::enumerate(given)) {
    bool isOpen = inferred == i;
    bool maybeOpen = !inferred && symbols.lowerBound(entry) < 0;
    if (!isOpen && !maybeOpen) {
      if (failed(context.requireAtLeast(op, entry, 0, "shape[" + Twine(i) + "]")))
        return failure();
      continue;
    }
    Dims others;
    for (auto [j, other] : llvm::enumerate(given))
      if (j != i)
        others.push_back(other);
    if (isOpen) {
      if (llvm::any_of(others, [](Dim d) { return SymbolTable::constantValue(d) == 0; }))
        return emitNodeError(op)
               << "shape[" << i << "]=-1 has no one value: another size is 0";
      shape[i] = symbols.quotient(input, others);
      continue;
    }
    // Evaluated even where it is not chosen, so the divisor must not be 0.
    Dim divisor = symbols.max(symbols.product(others), symbols.constant(1));
    shape[i] = symbols.select(symbols.eq(entry, minusOne),
                              symbols.quotient(input, {divisor}), entry);
  }
  return success();
}

LogicalResult ReshapeOp::inferShapes(ShapeContext &context) {
  auto shape = context.hostElements(*this, getShape());
  if (failed(shape))
    return failure();
  Dims input = context.dims(getInput());
  if (failed(resolveShape(*this, context, input, *shape)))
    return failure();
  SymbolTable &symbols = context.symbols();
  if (failed(context.requireEqual(*this, symbols.product(input), symbols.product(*shape),
                                  "numbers of elements before and after")))
    return failure();
  context.setDims(0, *shape);
  if (auto known = context.contents(getInput()))
    context.setContents(0, *known);
  return success();
}

LogicalResult ReshapeOp::verify() {
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  auto type = cast<RankedTensorType>(getType());
  if (isSameStaticType(getInput(), getResult()))
    return getInput();
  if (getInput().getType() != type)
    return {};
  // From one axis to one axis nothing can change, and nothing where all sizes but the
  // one that follows from the others stay.
  auto shape = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getShape());
  bool followsOne = type.getNumDynamicDims() == 1 && shape &&
                    llvm::is_contained(shape.getValues<int64_t>(), -1);
  return type.getRank() == 1 || followsOne ? getInput() : OpFoldResult();
}

/// reshape(reshape(x)) only depends on the last shape.
static LogicalResult foldReshapeOfReshape(ReshapeOp op, PatternRewriter &rewriter) {
  auto inner = op.getInput().getDefiningOp<ReshapeOp>();
  if (!inner)
    return failure();
  rewriter.modifyOpInPlace(op, [&] { op.getInputMutable().assign(inner.getInput()); });
  return success();
}

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *) {
  patterns.add(foldReshapeOfReshape);
}

//===----------------------------------------------------------------------===//
// transpose
//===----------------------------------------------------------------------===//

static LogicalResult checkPermutation(Operation *op, ArrayRef<int64_t> perm,
                                      size_t rank) {
  if (failed(checkCount(op, perm.size(), rank, "perm")))
    return failure();
  SmallVector<bool> isUsed(rank, false);
  for (int64_t axis : perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(rank) || isUsed[axis])
      return emitNodeError(op) << "perm is not a permutation of the axes: axis " << axis
                               << (axis < 0 || axis >= static_cast<int64_t>(rank)
                                       ? " does not exist"
                                       : " comes twice");
    isUsed[axis] = true;
  }
  return success();
}

LogicalResult TransposeOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  if (failed(checkPermutation(*this, getPerm(), input.size())))
    return failure();
  Dims dims;
  for (int64_t axis : getPerm())
    dims.push_back(input[axis]);
  context.setDims(0, dims);

  auto known = context.contents(getInput());
  auto inputSizes = staticSizes(input), sizes = staticSizes(dims);
  if (!known || !inputSizes || !sizes)
    return success();
  Dims elements;
  for (size_t i = 0; i < known->size(); ++i) {
    auto coordinates = coordinatesOf(i, *sizes);
    SmallVector<int64_t> source(coordinates.size());
    for (auto [to, from] : llvm::enumerate(getPerm()))
      source[from] = coordinates[to];
    elements.push_back((*known)[broadcastIndex(source, *inputSizes)]);
  }
  context.setContents(0, elements);
  return success();
}

LogicalResult TransposeOp::verify() {
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  for (auto [i, axis] : llvm::enumerate(getPerm()))
    if (static_cast<int64_t>(i) != axis)
      return {};
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

static LogicalResult foldTransposeOfTranspose(TransposeOp op, PatternRewriter &rewriter) {
  auto inner = op.getInput().getDefiningOp<TransposeOp>();
  if (!inner)
    return failure();
  SmallVector<int64_t> perm;
  for (int64_t axis : op.getPerm())
    perm.push_back(inner.getPerm()[axis]);
  rewriter.modifyOpInPlace(op, [&] {
    op.getInputMutable().assign(inner.getInput());
    op.setPerm(perm);
  });
  return success();
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                              MLIRContext *) {
  patterns.add(foldTransposeOfTranspose);
}

//===----------------------------------------------------------------------===//
// broadcast_to
//===----------------------------------------------------------------------===//

bool BroadcastToOp::isHostRead(unsigned index) { return index == 1; }

LogicalResult BroadcastToOp::inferShapes(ShapeContext &context) {
  auto shape = context.hostElements(*this, getShape());
  if (failed(shape))
    return failure();
  Dims input = context.dims(getInput());
  if (input.size() > shape->size())
    return emitNodeError(*this) << "an operand of rank " << input.size()
                                << " does not broadcast to " << shape->size() << " sizes";
  for (auto [i, size] : llvm::enumerate(*shape))
    if (failed(context.requireAtLeast(*this, size, 0, "shape[" + Twine(i) + "]")))
      return failure();
  SymbolTable &symbols = context.symbols();
  for (auto [from, to] : llvm::zip(input, ArrayRef(*shape).take_back(input.size()))) {
    Dim whole = symbols.select(symbols.eq(from, symbols.constant(1)), to, from);
    if (failed(context.requireEqual(*this, whole, to,
                                    "a size to repeat must be 1 or unchanged")))
      return failure();
  }
  context.setDims(0, *shape);

  auto known = context.contents(getInput());
  auto inputSizes = staticSizes(input), sizes = staticSizes(*shape);
  auto count = smallCount(*shape);
  if (!known || !inputSizes || !count)
    return success();
  Dims elements;
  for (int64_t i = 0; i < *count; ++i)
    elements.push_back((*known)[broadcastIndex(coordinatesOf(i, *sizes), *inputSizes)]);
  context.setContents(0, elements);
  return success();
}

LogicalResult BroadcastToOp::verify() {
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

OpFoldResult BroadcastToOp::fold(FoldAdaptor) {
  return isSameStaticType(getInput(), getResult()) ? getInput() : OpFoldResult();
}

} // namespace hexin::hx
