#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// reduce
//===----------------------------------------------------------------------===//

static LogicalResult checkAxes(Operation *op, ArrayRef<int64_t> axes, size_t rank) {
  int64_t last = -1;
  for (int64_t axis : axes) {
    if (failed(checkAxis(op, axis, rank, "an entry of axes")))
      return failure();
    if (axis <= last)
      return emitNodeError(op) << "axes must ascend without repeats, got " << axis
                               << " after " << last;
    last = axis;
  }
  return success();
}

static Dim combine(SymbolTable &symbols, ReduceFn fn, Dim a, Dim b) {
  switch (fn) {
  case ReduceFn::sum:
    return symbols.add(a, b);
  case ReduceFn::prod:
    return symbols.mul(a, b);
  case ReduceFn::max:
    return symbols.max(a, b);
  case ReduceFn::min:
    return symbols.min(a, b);
  }
  return a;
}

/// Contents of the result when those of the input are known.
static std::optional<Dims> reduceContents(ReduceOp op, ShapeContext &context) {
  auto known = context.contents(op.getInput());
  auto sizes = staticSizes(context.dims(op.getInput()));
  if (!known || !sizes)
    return std::nullopt;
  SmallVector<int64_t> keptSizes(*sizes);
  Dims keptDims;
  for (int64_t axis : op.getAxes())
    keptSizes[axis] = 1;
  for (int64_t size : keptSizes)
    keptDims.push_back(context.constant(size));
  auto count = smallCount(keptDims);
  if (!count)
    return std::nullopt;
  Dims elements(*count);
  for (size_t i = 0; i < known->size(); ++i) {
    Dim &element = elements[broadcastIndex(coordinatesOf(i, *sizes), keptSizes)];
    element = element ? combine(context.symbols(), op.getFn(), element, (*known)[i])
                      : (*known)[i];
  }
  bool isSum = op.getFn() == ReduceFn::sum, isProd = op.getFn() == ReduceFn::prod;
  for (Dim &element : elements) {
    if (!element && !isSum && !isProd)
      return std::nullopt;
    if (!element)
      element = context.constant(isProd ? 1 : 0);
  }
  return elements;
}

LogicalResult ReduceOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), dims;
  if (failed(checkAxes(*this, getAxes(), input.size())))
    return failure();
  for (auto [axis, size] : llvm::enumerate(input)) {
    if (!llvm::is_contained(getAxes(), static_cast<int64_t>(axis)))
      dims.push_back(size);
    else if (getKeepDims())
      dims.push_back(context.constant(1));
  }
  context.setDims(0, dims);
  if (auto elements = reduceContents(*this, context))
    context.setContents(0, *elements);
  return success();
}

LogicalResult ReduceOp::verify() {
  Type type = elementType(getInput());
  bool isOrdered = getFn() == ReduceFn::max || getFn() == ReduceFn::min;
  bool isRight = isArithmeticFloat(type) || isArithmeticInteger(type) ||
                 (isOrdered && type.isInteger(1));
  if (failed(checkElementType(*this, getInput(), isRight, "the operand",
                              isOrdered ? "a number or i1" : "a number")))
    return failure();
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

//===----------------------------------------------------------------------===//
// arg_reduce, cumulative
//===----------------------------------------------------------------------===//

LogicalResult ArgReduceOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (failed(checkAxis(*this, getAxis(), dims.size())) ||
      failed(context.requireAtLeast(*this, dims[getAxis()], 1, "the size to search")))
    return failure();
  if (getKeepDims())
    dims[getAxis()] = context.constant(1);
  else
    dims.erase(dims.begin() + getAxis());
  context.setDims(0, dims);
  return success();
}

LogicalResult ArgReduceOp::verify() {
  if (getFn() != ReduceFn::max && getFn() != ReduceFn::min)
    return emitNodeError(*this)
           << "expected max or min, got " << stringifyReduceFn(getFn());
  Type type = elementType(getInput());
  return checkElementType(*this, getInput(),
                          isArithmeticFloat(type) || isArithmeticInteger(type),
                          "the operand", "a number");
}

LogicalResult CumulativeOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (failed(checkAxis(*this, getAxis(), dims.size())))
    return failure();
  context.setDims(0, dims);
  return success();
}

LogicalResult CumulativeOp::verify() {
  if (getFn() != ReduceFn::sum && getFn() != ReduceFn::prod)
    return emitNodeError(*this)
           << "expected sum or prod, got " << stringifyReduceFn(getFn());
  Type type = elementType(getInput());
  if (failed(checkElementType(*this, getInput(),
                              isArithmeticFloat(type) || isArithmeticInteger(type),
                              "the operand", "a number")))
    return failure();
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

} // namespace hexin::hx
