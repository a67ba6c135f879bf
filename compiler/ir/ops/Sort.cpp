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

LogicalResult SortOp::verify() {
  Type type = elementType(getInput());
  if (failed(checkElementType(*this, getInput(),
                              isArithmeticFloat(type) || isArithmeticInteger(type),
                              "the operand", "a number")))
    return failure();
  return checkSameElementType(*this, getInput(), "the operand", getValues(),
                              "the values");
}

LogicalResult CompactOp::inferShapes(ShapeContext &context) {
  Dims mask = context.dims(getMask());
  if (failed(checkRank(*this, mask, 1, "the mask")))
    return failure();
  SymbolTable &symbols = context.symbols();
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
