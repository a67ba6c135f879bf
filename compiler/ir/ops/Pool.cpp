#include "compiler/ir/ops/Checks.h"
#include "compiler/ir/ops/Window.h"

using namespace mlir;

namespace hexin::hx {

/// Every window must see at least one element of the input.
static LogicalResult checkPadsInsideWindow(PoolOp op) {
  if (op.getPadPolicy() != PadPolicy::explicit_pads)
    return success();
  size_t spatialRank = op.getWindow().size();
  for (auto [i, pad] : llvm::enumerate(op.getPads())) {
    int64_t taps = op.getWindow()[i % spatialRank];
    __int128 extent =
        static_cast<__int128>(op.getDilations()[i % spatialRank]) * (taps - 1) + 1;
    if (pad >= extent)
      return emitNodeError(op) << "pads[" << i << "]=" << pad
                               << " is not smaller than the window along that axis";
  }
  return success();
}

LogicalResult PoolOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  if (dims.size() < 3)
    return emitNodeError(*this)
           << "the input must have at least rank 3 (batch, channels, "
              "space), got rank "
           << dims.size();
  auto window = WindowAttributes::of(*this);
  size_t spatialRank = dims.size() - 2;
  if (failed(checkCount(*this, getWindow().size(), spatialRank, "window")) ||
      failed(checkWindowAttributes(*this, window, spatialRank)))
    return failure();
  for (int64_t taps : getWindow())
    if (taps < 1)
      return emitNodeError(*this) << "window=" << taps << " must be at least 1";
  if (failed(checkPadsInsideWindow(*this)))
    return failure();
  for (size_t i = 0; i < spatialRank; ++i) {
    size_t axis = spatialAxis(window.layout, i);
    auto count = windowCount(*this, context, window, i, dims[axis],
                             context.constant(getWindow()[i]), getCeilMode());
    if (failed(count))
      return failure();
    dims[axis] = *count;
  }
  for (unsigned i = 0; i < getNumResults(); ++i)
    context.setDims(i, dims);
  return success();
}

LogicalResult PoolOp::verify() {
  Type type = elementType(getInput());
  bool isAverage = getFn() == PoolFn::avg || getFn() == PoolFn::avg_include_pad;
  bool isRight = isArithmeticFloat(type) || (!isAverage && isArithmeticInteger(type));
  if (failed(checkElementType(*this, getInput(), isRight, "the input",
                              isAverage ? "a float" : "a number")) ||
      failed(checkSameElementType(*this, getInput(), "the input", getResult(),
                                  "the result")))
    return failure();
  if (getStorageOrder() != 0 && getStorageOrder() != 1)
    return emitNodeError(*this)
           << "storageOrder=" << getStorageOrder() << " must be 0 or 1";
  if (!getIndices())
    return success();
  if (getFn() != PoolFn::max)
    return emitNodeError(*this)
           << "only max has indices, not " << stringifyPoolFn(getFn());
  return checkElementType(*this, getIndices(),
                          elementType(getIndices()).isSignlessInteger(64), "the indices",
                          "i64");
}

} // namespace hexin::hx
