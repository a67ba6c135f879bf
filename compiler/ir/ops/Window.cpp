#include "compiler/ir/ops/Window.h"

#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

static LogicalResult checkAtLeast(Operation *op, ArrayRef<int64_t> values, int64_t least,
                                  StringRef name) {
  for (auto [i, value] : llvm::enumerate(values))
    if (value < least)
      return emitNodeError(op) << name << "[" << i << "]=" << value
                               << " must be at least " << least;
  return success();
}

LogicalResult checkWindowAttributes(Operation *op, const WindowAttributes &window,
                                    size_t spatialRank) {
  return failure(
      failed(checkCount(op, window.strides.size(), spatialRank, "strides")) ||
      failed(checkCount(op, window.dilations.size(), spatialRank, "dilations")) ||
      failed(checkCount(op, window.pads.size(), 2 * spatialRank, "pads")) ||
      failed(checkAtLeast(op, window.strides, 1, "strides")) ||
      failed(checkAtLeast(op, window.dilations, 1, "dilations")) ||
      failed(checkAtLeast(op, window.pads, 0, "pads")));
}

Dim windowExtent(ShapeContext &context, Dim taps, int64_t dilation) {
  SymbolTable &symbols = context.symbols();
  Dim one = symbols.constant(1);
  return symbols.add(symbols.mul(symbols.sub(taps, one), symbols.constant(dilation)),
                     one);
}

FailureOr<Dim> windowCount(Operation *op, ShapeContext &context,
                           const WindowAttributes &window, size_t i, Dim size, Dim taps,
                           bool ceilMode) {
  SymbolTable &symbols = context.symbols();
  Dim stride = symbols.constant(window.strides[i]), one = symbols.constant(1);
  if (window.padPolicy != PadPolicy::explicit_pads)
    return symbols.ceilDiv(size, stride);

  Dim begin = symbols.constant(window.pads[i]);
  Dim end = symbols.constant(window.pads[window.strides.size() + i]);
  Dim padded = symbols.add(symbols.add(size, begin), end);
  Dim extent = windowExtent(context, taps, window.dilations[i]);
  if (failed(
          context.requireAtLeast(op, symbols.sub(padded, extent), 0,
                                 "the padded size minus the extent of the window along "
                                 "spatial axis " +
                                     Twine(i))))
    return failure();
  Dim room = symbols.sub(padded, extent);
  if (!ceilMode)
    return symbols.add(symbols.floorDiv(room, stride), one);
  // The last window must start before the end padding.
  return symbols.min(symbols.add(symbols.ceilDiv(room, stride), one),
                     symbols.ceilDiv(symbols.add(size, begin), stride));
}

} // namespace hexin::hx
