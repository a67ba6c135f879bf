#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

/// scale: one number, one per index of the axis, or one per block along it.
static LogicalResult checkScale(Operation *op, ShapeContext &context, ArrayRef<Dim> input,
                                ArrayRef<Dim> scale, int64_t axis, int64_t block) {
  if (block < 0)
    return emitNodeError(op) << "block=" << block << " must be at least 0";
  Dim one = context.constant(1);
  bool isOne = scale.empty() || (scale.size() == 1 && scale[0] == one);
  if (isOne && block == 0)
    return success();
  if (failed(checkAxis(op, axis, input.size())))
    return failure();
  if (block == 0) {
    if (failed(checkRank(op, scale, 1, "the scale")))
      return failure();
    return context.requireEqual(op, scale[0], input[axis],
                                "entries of the scale and size of axis " + Twine(axis));
  }
  if (failed(checkRank(op, scale, input.size(), "the scale of blocks")))
    return failure();
  for (auto [i, size] : llvm::enumerate(scale)) {
    Dim expected = static_cast<int64_t>(i) == axis
                       ? context.symbols().ceilDiv(input[i], context.constant(block))
                       : input[i];
    if (failed(context.requireEqual(op, size, expected,
                                    "sizes of the scale, axis " + Twine(i))))
      return failure();
  }
  return success();
}

static LogicalResult checkZeroPoint(Operation *op, ShapeContext &context,
                                    ArrayRef<Dim> scale, Value zeroPoint) {
  if (!zeroPoint)
    return success();
  Dims sizes = context.dims(zeroPoint);
  if (failed(checkRank(op, sizes, scale.size(), "the zero point, as the scale,")))
    return failure();
  for (auto [a, b] : llvm::zip(sizes, scale))
    if (failed(
            context.requireEqual(op, a, b, "sizes of the zero point and of the scale")))
      return failure();
  return success();
}

/// Shapes of quantize and dequantize: the result has the input's.
template <typename OpT> static LogicalResult inferScaled(OpT op, ShapeContext &context) {
  Dims input = context.dims(op.getInput()), scale = context.dims(op.getScale());
  if (failed(checkScale(op, context, input, scale, op.getAxis(), op.getBlock())) ||
      failed(checkZeroPoint(op, context, scale, op.getZeroPoint())))
    return failure();
  context.setDims(0, input);
  return success();
}

static bool isQuantizedType(Type type) {
  auto floating = dyn_cast<FloatType>(type);
  auto integer = dyn_cast<IntegerType>(type);
  return (floating && floating.getWidth() <= 8) || (integer && integer.getWidth() > 1);
}

LogicalResult QuantizeOp::inferShapes(ShapeContext &context) {
  return inferScaled(*this, context);
}

LogicalResult QuantizeOp::verify() {
  Type type = elementType(getInput());
  if (failed(checkElementType(*this, getInput(),
                              isArithmeticFloat(type) || type.isSignlessInteger(32),
                              "the input", "a float or i32")) ||
      failed(checkElementType(*this, getResult(),
                              isQuantizedType(elementType(getResult())), "the result",
                              "an integer or a narrow float")))
    return failure();
  return getZeroPoint() ? checkSameElementType(*this, getZeroPoint(), "the zero point",
                                               getResult(), "the result")
                        : success();
}

LogicalResult DequantizeOp::inferShapes(ShapeContext &context) {
  return inferScaled(*this, context);
}

LogicalResult DequantizeOp::verify() {
  if (failed(checkElementType(*this, getInput(), isQuantizedType(elementType(getInput())),
                              "the input", "an integer or a narrow float")) ||
      failed(checkElementType(*this, getResult(),
                              isArithmeticFloat(elementType(getResult())), "the result",
                              "a float")))
    return failure();
  return getZeroPoint() ? checkSameElementType(*this, getZeroPoint(), "the zero point",
                                               getInput(), "the input")
                        : success();
}

LogicalResult DynamicQuantizeOp::inferShapes(ShapeContext &context) {
  context.setDims(0, context.dims(getInput()));
  context.setDims(1, {});
  context.setDims(2, {});
  return success();
}

LogicalResult DynamicQuantizeOp::verify() {
  return checkElementType(*this, getInput(), isArithmeticFloat(elementType(getInput())),
                          "the input", "a float");
}

} // namespace hexin::hx
