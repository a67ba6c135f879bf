#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

LogicalResult SortOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (failed(checkAxis(*this, getAxis(), dims.size())))
    return failure();
  context.setDims(0, dims);
  context.setDims(1, dims);
  return success();
}

/// Numbers in, the same numbers out.
template <typename Op> static LogicalResult verifyOrdered(Op op) {
  Type type = elementType(op.getInput());
  if (failed(checkElementType(op, op.getInput(),
                              isArithmeticFloat(type) || isArithmeticInteger(type),
                              "the operand", "a number")))
    return failure();
  return checkSameElementType(op, op.getInput(), "the operand", op.getValues(),
                              "the values");
}

LogicalResult SortOp::verify() { return verifyOrdered(*this); }

bool TopKOp::isHostRead(unsigned index) { return index == 1; }

LogicalResult TopKOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  auto k = context.hostElements(*this, getK());
  if (failed(checkAxis(*this, getAxis(), dims.size())) || failed(k) ||
      failed(checkCount(*this, k->size(), 1, "k")))
    return failure();
  Dim rest = context.symbols().sub(dims[getAxis()], k->front());
  if (failed(context.requireAtLeast(*this, k->front(), 0, "k")) ||
      failed(context.requireAtLeast(*this, rest, 0, "the size of the axis less k")))
    return failure();
  dims[getAxis()] = k->front();
  context.setDims(0, dims);
  context.setDims(1, dims);
  return success();
}

LogicalResult TopKOp::verify() { return verifyOrdered(*this); }

LogicalResult CompactOp::inferShapes(ShapeContext &context) {
  Dims mask = context.dims(getMask());
  if (failed(checkRank(*this, mask, 1, "the mask")))
    return failure();
  SymbolTable &symbols = context.symbols();
  if (symbols.upperBound(mask[0]) == 0) {
    context.setDims(0, symbols.constant(0));
    return success();
  }
  Dim count = symbols.resultDim(getResult(), 0);
  symbols.setBounds(count, 0, symbols.upperBound(mask[0]));
  context.setDims(0, count);
  return success();
}

bool CompactFillOp::isHostRead(unsigned index) { return index == 2; }

LogicalResult CompactFillOp::inferShapes(ShapeContext &context) {
  auto count = context.hostElements(*this, getCount());
  if (failed(count) || failed(checkCount(*this, count->size(), 1, "count")))
    return failure();
  SymbolTable &symbols = context.symbols();
  // Nobody but the counting before it makes this number.
  symbols.setBounds(count->front(), 0, symbols.upperBound(context.dims(getMask())[0]));
  context.setDims(0, count->front());
  return success();
}

LogicalResult CompactFillOp::verify() {
  if (getBlock() < 1)
    return emitNodeError(*this) << "block must be at least 1, got " << getBlock();
  return success();
}

} // namespace hexin::hx
