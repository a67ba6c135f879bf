#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

/// A kernel holds this many numbers twice.
constexpr int64_t maxClasses = 1024;

LogicalResult CouplePairsOp::inferShapes(ShapeContext &context) {
  Dims input = context.dims(getInput());
  if (failed(checkRank(*this, input, 3, "the input")) ||
      failed(context.requireEqual(*this, input[1], input[2],
                                  "sizes of the input along axes 1 and 2")))
    return failure();
  context.setDims(0, {input[0], input[1]});
  return success();
}

LogicalResult CouplePairsOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  if (failed(checkElementType(*this, getInput(), type.getElementType().isF32(),
                              "the input", "f32")) ||
      failed(checkSameElementType(*this, getInput(), "the input", getResult(),
                                  "the result")))
    return failure();
  int64_t classes = type.getRank() == 3 ? type.getDimSize(1) : 1;
  if (classes < 1 || classes > maxClasses)
    return emitNodeError(*this)
           << "the number of classes must be static, from 1 to " << maxClasses;
  if (auto rounds = static_cast<int64_t>(getMaxRounds()); rounds < 0 || rounds > 1000)
    return emitNodeError(*this) << "maxRounds=" << rounds << " must be from 0 to 1000";
  return success();
}

} // namespace hexin::hx
