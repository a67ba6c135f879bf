#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

LogicalResult LstmOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  if (failed(checkRank(*this, input, 3, "the input")))
    return failure();
  if (getHiddenSize() < 1 || getHiddenSize() > INT32_MAX)
    return emitNodeError(*this)
           << "hiddenSize=" << getHiddenSize() << " is not a layer's size";
  SymbolTable &symbols = context.symbols();
  auto sized = [&](int64_t factor) { return symbols.constant(factor * getHiddenSize()); };
  Dim steps = input[0], batch = input[1], features = input[2];
  int64_t numDirections = getDirection() == RecurrentDirection::bidirectional ? 2 : 1;
  Dim directions = symbols.constant(numDirections);
  Dims recurrence = {directions, sized(4), sized(1)};
  if (!getWeights()) {
    recurrence = {symbols.constant(4 * numDirections), sized(1), sized(1)};
    if (failed(context.requireEqual(*this, features, sized(4 * numDirections),
                                    "size of the projected input along axis 2 and what "
                                    "it must be")))
      return failure();
  }

  const struct {
    const char *name;
    Value value;
    Dims expected;
  } operands[] = {{"weights", getWeights(), {directions, sized(4), features}},
                  {"recurrence", getRecurrence(), recurrence},
                  {"bias", getBias(), {directions, sized(8)}},
                  {"lengths", getLengths(), {batch}},
                  {"initialH", getInitialH(), {directions, batch, sized(1)}},
                  {"initialC", getInitialC(), {directions, batch, sized(1)}},
                  {"peepholes", getPeepholes(), {directions, sized(3)}}};
  for (auto &operand : operands) {
    if (!operand.value)
      continue;
    Dims sizes = context.dims(operand.value);
    if (failed(checkRank(*this, sizes, operand.expected.size(), operand.name)))
      return failure();
    for (auto [axis, size, expected] : llvm::enumerate(sizes, operand.expected))
      if (failed(context.requireEqual(*this, size, expected,
                                      "size of " + Twine(operand.name) + " along axis " +
                                          Twine(axis) + " and what it must be")))
        return failure();
  }
  context.setDims(0, {steps, directions, batch, sized(1)});
  context.setDims(1, {directions, batch, sized(1)});
  context.setDims(2, {directions, batch, sized(1)});
  return success();
}

LogicalResult LstmOp::verify() {
  for (auto [i, operand] : llvm::enumerate(getOperands())) {
    bool isLengths = getLengths() && operand == getLengths();
    bool isRight = isLengths ? elementType(operand).isSignlessInteger(32)
                             : isArithmeticFloat(elementType(operand)) &&
                                   elementType(operand) == elementType(getInput());
    if (failed(checkElementType(*this, operand, isRight, "operand #" + Twine(i),
                                isLengths ? "i32" : "a float as the input is")))
      return failure();
  }
  for (Value result : getResults())
    if (failed(checkSameElementType(*this, getInput(), "the input", result, "a result")))
      return failure();
  size_t directions = getDirection() == RecurrentDirection::bidirectional ? 2 : 1;
  return checkCount(*this, getActivations().size(), 3 * directions, "activations");
}

} // namespace hexin::hx
