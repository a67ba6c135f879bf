#include "compiler/ir/SizeText.h"
#include "compiler/ir/ops/Checks.h"
#include "compiler/ir/ops/Window.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// What the three convolutions share
//===----------------------------------------------------------------------===//

/// The ranks and the window attributes; gives the spatial rank.
static FailureOr<size_t> checkConv(Operation *op, const WindowAttributes &window,
                                   int64_t groups, ArrayRef<Dim> input,
                                   ArrayRef<Dim> weights) {
  if (input.size() < 3)
    return emitNodeError(op)
           << "the input must have at least rank 3 (batch, channels, space), "
              "got rank "
           << input.size();
  if (failed(checkRank(op, weights, input.size(), "the weights")))
    return failure();
  size_t spatialRank = input.size() - 2;
  if (failed(checkWindowAttributes(op, window, spatialRank)))
    return failure();
  if (groups < 1)
    return emitNodeError(op) << "group=" << groups << " must be at least 1";
  return spatialRank;
}

static LogicalResult checkGroups(Operation *op, ShapeContext &context, int64_t groups,
                                 Dim channels, StringRef name) {
  Dim rest = context.symbols().mod(channels, context.constant(groups));
  auto known = SymbolTable::constantValue(rest);
  if (known && *known != 0)
    return emitNodeError(op) << "group=" << groups << " does not divide " << name << "="
                             << describeSize(context.symbols(), channels);
  return context.requireEqual(op, rest, context.constant(0),
                              name + " mod group=" + Twine(groups));
}

static LogicalResult checkBias(Operation *op, ShapeContext &context, Value bias,
                               Dim channels) {
  if (!bias)
    return success();
  Dims dims = context.dims(bias);
  if (failed(checkRank(op, dims, 1, "the bias")))
    return failure();
  return context.requireEqual(op, dims[0], channels,
                              "entries of the bias and output channels");
}

/// conv and conv_integer: sizes of the result.
static FailureOr<Dims> convDims(Operation *op, ShapeContext &context,
                                const WindowAttributes &window, int64_t groups,
                                ArrayRef<Dim> input, ArrayRef<Dim> weights) {
  auto spatialRank = checkConv(op, window, groups, input, weights);
  if (failed(spatialRank))
    return failure();
  SymbolTable &symbols = context.symbols();
  size_t channel = channelAxis(window.layout, input.size());
  if (failed(checkGroups(op, context, groups, input[channel], "C")) ||
      failed(checkGroups(op, context, groups, weights[0], "M")) ||
      failed(context.requireEqual(op, input[channel],
                                  symbols.mul(weights[1], symbols.constant(groups)),
                                  "input channels and channels of the weights")))
    return failure();
  Dims dims(input);
  dims[channel] = weights[0];
  for (size_t i = 0; i < *spatialRank; ++i) {
    size_t axis = spatialAxis(window.layout, i);
    auto count = windowCount(op, context, window, i, input[axis], weights[2 + i], false);
    if (failed(count))
      return failure();
    dims[axis] = *count;
  }
  return dims;
}

static LogicalResult verifyFloatConv(Operation *op, Value input, Value weights,
                                     Value bias, Value result) {
  Type type = elementType(input);
  if (failed(checkElementType(op, input,
                              isArithmeticFloat(type) || type.isSignlessInteger(32),
                              "the input", "f16, bf16, f32, f64 or i32")) ||
      failed(checkSameElementType(op, input, "the input", weights, "the weights")))
    return failure();
  bool isWide = isa<ConvOp>(op) && type.isBF16() && elementType(result).isF32();
  if (!isWide &&
      failed(checkSameElementType(op, input, "the input", result, "the result")))
    return failure();
  return bias ? checkSameElementType(op, result, "the result", bias, "the bias")
              : success();
}

//===----------------------------------------------------------------------===//
// conv
//===----------------------------------------------------------------------===//

LogicalResult ConvOp::inferShapes(ShapeContext &context) {
  Dims weights = context.dims(getWeights());
  auto dims = convDims(*this, context, WindowAttributes::of(*this), getGroups(),
                       context.dims(getInput()), weights);
  if (failed(dims) || failed(checkBias(*this, context, getBias(), weights[0])))
    return failure();
  context.setDims(0, *dims);
  return success();
}

LogicalResult ConvOp::verify() {
  return verifyFloatConv(*this, getInput(), getWeights(), getBias(), getResult());
}

//===----------------------------------------------------------------------===//
// conv_transpose
//===----------------------------------------------------------------------===//

bool ConvTransposeOp::isHostRead(unsigned index) {
  return getOutputSize() && index == getOutputSizeMutable().begin()->getOperandNumber();
}

/// stride*(in-1) + outputPadding + extent - pads
static FailureOr<Dim> transposedSize(ConvTransposeOp op, ShapeContext &context, size_t i,
                                     Dim size, Dim taps) {
  SymbolTable &symbols = context.symbols();
  auto window = WindowAttributes::of(op);
  Dim stride = symbols.constant(window.strides[i]);
  if (window.padPolicy != PadPolicy::explicit_pads)
    return symbols.mul(size, stride);
  Dim spread = symbols.mul(symbols.sub(size, symbols.constant(1)), stride);
  Dim extent = symbols.add(windowExtent(context, taps, window.dilations[i]),
                           symbols.constant(op.getOutputPadding()[i]));
  Dim pads = symbols.add(symbols.constant(window.pads[i]),
                         symbols.constant(window.pads[window.strides.size() + i]));
  Dim result = symbols.sub(symbols.add(spread, extent), pads);
  if (failed(context.requireAtLeast(
          op, result, 0, "the size of the result along spatial axis " + Twine(i))))
    return failure();
  return result;
}

LogicalResult ConvTransposeOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), weights = context.dims(getWeights());
  auto window = WindowAttributes::of(*this);
  auto spatialRank = checkConv(*this, window, getGroups(), input, weights);
  if (failed(spatialRank) ||
      failed(checkCount(*this, getOutputPadding().size(), *spatialRank, "outputPadding")))
    return failure();
  for (int64_t padding : getOutputPadding())
    if (padding < 0)
      return emitNodeError(*this) << "outputPadding=" << padding << " must be at least 0";
  size_t channel = channelAxis(window.layout, input.size());
  Dim channels = context.symbols().mul(weights[1], context.constant(getGroups()));
  if (failed(checkGroups(*this, context, getGroups(), input[channel], "C")) ||
      failed(context.requireEqual(*this, input[channel], weights[0],
                                  "input channels and channels of the weights")) ||
      failed(checkBias(*this, context, getBias(), channels)))
    return failure();

  Dims sizes;
  if (getOutputSize()) {
    auto given = context.hostElements(*this, getOutputSize());
    if (failed(given) ||
        failed(checkCount(*this, given->size(), *spatialRank, "outputSize")))
      return failure();
    sizes = *given;
  }
  Dims dims = input;
  dims[channel] = channels;
  for (size_t i = 0; i < *spatialRank; ++i) {
    size_t axis = spatialAxis(window.layout, i);
    FailureOr<Dim> size =
        getOutputSize() ? FailureOr<Dim>(sizes[i])
                        : transposedSize(*this, context, i, input[axis], weights[2 + i]);
    if (failed(size) ||
        failed(context.requireAtLeast(
            *this, *size, 0, "the size of the result along spatial axis " + Twine(i))))
      return failure();
    dims[axis] = *size;
  }
  context.setDims(0, dims);
  return success();
}

LogicalResult ConvTransposeOp::verify() {
  return verifyFloatConv(*this, getInput(), getWeights(), getBias(), getResult());
}

//===----------------------------------------------------------------------===//
// conv_integer
//===----------------------------------------------------------------------===//

LogicalResult ConvIntegerOp::inferShapes(ShapeContext &context) {
  Dims weights = context.dims(getWeights());
  auto dims = convDims(*this, context, WindowAttributes::of(*this), getGroups(),
                       context.dims(getInput()), weights);
  if (failed(dims))
    return failure();
  Dim one = context.constant(1);
  if (Value zeroPoint = getInputZeroPoint()) {
    Dims sizes = context.dims(zeroPoint);
    if (!sizes.empty() && (sizes.size() != 1 || sizes[0] != one))
      return emitNodeError(*this)
             << "the zero point of the input must be one number, got "
             << zeroPoint.getType();
  }
  if (Value zeroPoint = getWeightsZeroPoint()) {
    Dims sizes = context.dims(zeroPoint);
    bool isOne = sizes.empty() || (sizes.size() == 1 && sizes[0] == one);
    if (!isOne &&
        (failed(checkRank(*this, sizes, 1, "the zero point of the weights")) ||
         failed(context.requireEqual(*this, sizes[0], weights[0],
                                     "zero points of the weights and output channels"))))
      return failure();
  }
  context.setDims(0, *dims);
  return success();
}

LogicalResult ConvIntegerOp::verify() {
  for (auto [operand, zeroPoint, name] :
       {std::tuple(getInput(), getInputZeroPoint(), "the input"),
        {getWeights(), getWeightsZeroPoint(), "the weights"}}) {
    if (failed(checkElementType(*this, operand, elementType(operand).isInteger(8), name,
                                "an 8-bit integer")))
      return failure();
    if (zeroPoint &&
        failed(checkSameElementType(*this, operand, name, zeroPoint, "their zero point")))
      return failure();
  }
  return checkElementType(*this, getResult(),
                          elementType(getResult()).isSignlessInteger(32), "the result",
                          "i32");
}

} // namespace hexin::hx
