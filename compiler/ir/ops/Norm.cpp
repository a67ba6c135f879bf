#include "compiler/ir/ops/Checks.h"
#include "compiler/ir/ops/Window.h"

using namespace mlir;

namespace hexin::hx {

static LogicalResult checkFloats(Operation *op, ValueRange operands) {
  for (auto [i, operand] : llvm::enumerate(operands))
    if (failed(checkElementType(op, operand, isArithmeticFloat(elementType(operand)),
                                "operand #" + Twine(i), "a float")))
      return failure();
  return checkSameElementType(op, op->getOperand(0), "the input", op->getResult(0),
                              "the result");
}

//===----------------------------------------------------------------------===//
// softmax, log_softmax
//===----------------------------------------------------------------------===//

static LogicalResult inferAlongAxis(Operation *op, ShapeContext &context, int64_t axis) {
  Dims dims = context.dims(op->getOperand(0));
  if (failed(checkAxis(op, axis, dims.size())))
    return failure();
  context.setDims(0, dims);
  return success();
}

LogicalResult SoftmaxOp::inferShapes(ShapeContext &context) {
  return inferAlongAxis(*this, context, getAxis());
}
LogicalResult SoftmaxOp::verify() { return checkFloats(*this, getInput()); }

LogicalResult LogSoftmaxOp::inferShapes(ShapeContext &context) {
  return inferAlongAxis(*this, context, getAxis());
}
LogicalResult LogSoftmaxOp::verify() { return checkFloats(*this, getInput()); }

//===----------------------------------------------------------------------===//
// batch_norm
//===----------------------------------------------------------------------===//

LogicalResult BatchNormOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (dims.size() < 2)
    return emitNodeError(*this)
           << "the input must have at least rank 2 (batch, channels), got "
              "rank "
           << dims.size();
  Dim channels = dims[channelAxis(getLayout(), dims.size())];
  for (auto [name, value] : {std::pair("scale", getScale()),
                             {"bias", getBias()},
                             {"mean", getMean()},
                             {"variance", getVariance()}}) {
    Dims sizes = context.dims(value);
    if (failed(checkRank(*this, sizes, 1, name)) ||
        failed(context.requireEqual(*this, sizes[0], channels,
                                    "entries of " + Twine(name) + " and channels")))
      return failure();
  }
  context.setDims(0, dims);
  return success();
}

LogicalResult BatchNormOp::verify() { return checkFloats(*this, getOperands()); }

//===----------------------------------------------------------------------===//
// layer_norm
//===----------------------------------------------------------------------===//

LogicalResult LayerNormOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (failed(checkAxis(*this, getAxis(), dims.size())))
    return failure();
  ArrayRef<Dim> normalised = ArrayRef(dims).drop_front(getAxis());
  for (auto [name, value] :
       {std::pair("scale", Value(getScale())), {"bias", Value(getBias())}}) {
    if (!value)
      continue;
    Dims sizes = context.dims(value);
    if (sizes.size() > normalised.size())
      return emitNodeError(*this)
             << name << " of rank " << sizes.size() << " does not broadcast to the "
             << normalised.size() << " normalised axes";
    for (auto [size, whole] : llvm::zip(sizes, normalised.take_back(sizes.size())))
      if (size != context.constant(1) &&
          failed(context.requireEqual(*this, size, whole,
                                      "sizes of " + Twine(name) +
                                          " and of the normalised axes")))
        return failure();
  }
  context.setDims(0, dims);
  return success();
}

LogicalResult LayerNormOp::verify() { return checkFloats(*this, getOperands()); }

} // namespace hexin::hx
