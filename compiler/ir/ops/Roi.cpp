#include "compiler/ir/ops/Checks.h"

#include <cmath>

using namespace mlir;

namespace hexin::hx {

LogicalResult RoiPoolOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput()), rois = context.dims(getRois()),
       batch = context.dims(getBatch());
  if (failed(checkRank(*this, input, 4, "the input")) ||
      failed(checkRank(*this, rois, 2, "rois")) ||
      failed(checkRank(*this, batch, 1, "batch")) ||
      failed(context.requireEqual(*this, rois[1], context.constant(4),
                                  "the numbers of a box and 4")) ||
      failed(context.requireEqual(*this, rois[0], batch[0],
                                  "the number of rois and of batch indices")) ||
      failed(checkCount(*this, getSize().size(), 2, "size")))
    return failure();
  for (int64_t size : getSize())
    if (size < 1)
      return emitNodeError(*this) << "size=" << size << " must be at least 1";
  bool isLast = getLayout() == Layout::nhwc;
  Dims result{rois[0], context.constant(getSize()[0]), context.constant(getSize()[1])};
  result.insert(result.begin() + (isLast ? 3 : 1), input[isLast ? 3 : 1]);
  context.setDims(0, result);
  return success();
}

LogicalResult RoiPoolOp::verify() {
  if (failed(checkElementType(*this, getInput(),
                              isArithmeticFloat(elementType(getInput())), "the input",
                              "a float")) ||
      failed(checkSameElementType(*this, getInput(), "the input", getRois(), "rois")) ||
      failed(checkSameElementType(*this, getInput(), "the input", getResult(),
                                  "the result")))
    return failure();
  double scale = getScale().convertToDouble();
  if (!(scale > 0) || std::isinf(scale))
    return emitNodeError(*this) << "scale=" << scale << " must be above 0";
  auto ratio = static_cast<int64_t>(getRatio());
  if (ratio < 0 || ratio > maxRatio)
    return emitNodeError(*this) << "ratio=" << ratio << " must be 0 to " << maxRatio;
  return success();
}

} // namespace hexin::hx
