#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

LogicalResult PackOp::inferShapes(ShapeContext &context) {
  PanelsAttr panels = getPanels();
  Dims dims = context.dims(getInput());
  if (panels.getWidth() < 1 || panels.getGroups() < 1)
    return emitNodeError(*this) << "panels need a width and groups of at least 1, got "
                                << panels.getWidth() << " and " << panels.getGroups();
  if (int64_t steps = getPanels().getSteps(); steps != 1 && steps != 2 && steps != 4)
    return emitNodeError(*this)
           << "panels have 1, 2 or 4 steps side by side, got " << steps;
  if (dims.size() < 2)
    return emitNodeError(*this)
           << "only a matrix can be packed, got rank " << dims.size();
  context.setDims(0, dims);
  return success();
}

LogicalResult PackOp::verify() {
  if (cast<RankedTensorType>(getType()).getEncoding() != getPanels())
    return emitNodeError(*this)
           << "the result must be encoded as " << getPanels() << ", got " << getType();
  if (cast<RankedTensorType>(getInput().getType()).getEncoding())
    return emitNodeError(*this)
           << "the operand is packed already: " << getInput().getType();
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

} // namespace hexin::hx
