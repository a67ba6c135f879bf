#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

namespace {
struct SizedOperand {
  const char *name;
  Value value;
  Dims expected;
};

/// Operands that are there have these sizes.
LogicalResult requireSizes(Operation *op, ShapeContext &context,
                           ArrayRef<SizedOperand> operands) {
  for (const SizedOperand &operand : operands) {
    if (!operand.value)
      continue;
    Dims sizes = context.dims(operand.value);
    if (failed(checkRank(op, sizes, operand.expected.size(), operand.name)))
      return failure();
    for (auto [axis, size, expected] : llvm::enumerate(sizes, operand.expected))
      if (failed(context.requireEqual(op, size, expected,
                                      "size of " + Twine(operand.name) + " along axis " +
                                          Twine(axis) + " and what it must be")))
        return failure();
  }
  return success();
}

LogicalResult checkHiddenSize(Operation *op, int64_t size) {
  if (size < 1 || size > INT32_MAX)
    return emitNodeError(op) << "hiddenSize=" << size << " is not a layer's size";
  return success();
}

/// All floats as the input is, but for the lengths.
LogicalResult checkTypes(Operation *op, Value input, Value lengths) {
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    bool isLengths = lengths && operand == lengths;
    bool isRight = isLengths ? elementType(operand).isSignlessInteger(32)
                             : isArithmeticFloat(elementType(operand)) &&
                                   elementType(operand) == elementType(input);
    if (failed(checkElementType(op, operand, isRight, "operand #" + Twine(i),
                                isLengths ? "i32" : "a float as the input is")))
      return failure();
  }
  for (Value result : op->getResults())
    if (failed(checkSameElementType(op, input, "the input", result, "a result")))
      return failure();
  return success();
}
} // namespace

LogicalResult LstmOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  if (failed(checkRank(*this, input, 3, "the input")))
    return failure();
  if (failed(checkHiddenSize(*this, getHiddenSize())))
    return failure();
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

  SizedOperand operands[] = {{"weights", getWeights(), {directions, sized(4), features}},
                             {"recurrence", getRecurrence(), recurrence},
                             {"bias", getBias(), {directions, sized(8)}},
                             {"lengths", getLengths(), {batch}},
                             {"initialH", getInitialH(), {directions, batch, sized(1)}},
                             {"initialC", getInitialC(), {directions, batch, sized(1)}},
                             {"peepholes", getPeepholes(), {directions, sized(3)}}};
  if (failed(requireSizes(*this, context, operands)))
    return failure();
  context.setDims(0, {steps, directions, batch, sized(1)});
  context.setDims(1, {directions, batch, sized(1)});
  context.setDims(2, {directions, batch, sized(1)});
  return success();
}

LogicalResult LstmOp::verify() {
  if (failed(checkTypes(*this, getInput(), getLengths())))
    return failure();
  size_t directions = getDirection() == RecurrentDirection::bidirectional ? 2 : 1;
  return checkCount(*this, getActivations().size(), 3 * directions, "activations");
}

LogicalResult RecurrenceOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  if (failed(checkRank(*this, input, 3, "the input")) ||
      failed(checkHiddenSize(*this, getHiddenSize())))
    return failure();
  auto sized = [&](int64_t factor) {
    return context.symbols().constant(factor * getHiddenSize());
  };
  Dim directions = context.symbols().constant(numDirections());
  Dim steps = input[0], batch = input[1];
  int64_t gates = numDirections() * numGates();
  SizedOperand operands[] = {
      {"the projected input", getInput(), {steps, batch, sized(gates)}},
      {"recurrence",
       getRecurrence(),
       {context.symbols().constant(gates), sized(1), sized(1)}},
      {"resetBias", getResetBias(), {directions, sized(1)}},
      {"lengths", getLengths(), {batch}},
      {"initialH", getInitialH(), {directions, batch, sized(1)}}};
  if (failed(requireSizes(*this, context, operands)))
    return failure();
  context.setDims(0, {steps, directions, batch, sized(1)});
  context.setDims(1, {directions, batch, sized(1)});
  return success();
}

LogicalResult RecurrenceOp::verify() {
  if (failed(checkTypes(*this, getInput(), getLengths())))
    return failure();
  if (getResetBias() && getCell() != RecurrentCell::gru)
    return emitOpError("has a resetBias, which only a gru takes");
  return checkCount(*this, getActivations().size(),
                    (numGates() == 1 ? 1 : 2) * numDirections(), "activations");
}

} // namespace hexin::hx
