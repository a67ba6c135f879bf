#include "compiler/ir/CheckOps.h"
#include "compiler/ir/ops/Checks.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;

namespace hexin::hx {

bool CheckOp::isHostRead(unsigned) { return true; }

LogicalResult CheckOp::inferShapes(ShapeContext &context) {
  auto numbers = context.hostElements(*this, getNumbers());
  if (failed(numbers))
    return failure();
  if (numbers->empty())
    return emitNodeError(*this) << "there is no number to check: expected the condition "
                                   "and what the message shows";
  return success();
}

bool CheckLengthsOp::isHostRead(unsigned index) { return index == 1; }

/// What the result holds is left open: who asks for it on the host asks for what has
/// been checked.
LogicalResult CheckLengthsOp::inferShapes(ShapeContext &context) {
  auto limit = context.hostElements(*this, getLimit());
  if (failed(limit) || failed(checkCount(*this, limit->size(), 1, "limit")))
    return failure();
  context.setDims(0, context.dims(getLengths()));
  return success();
}

LogicalResult CheckLengthsOp::verify() {
  return checkSameElementType(*this, getLengths(), "lengths", getResult(), "the result");
}

} // namespace hexin::hx

#define GET_OP_CLASSES
#include "compiler/ir/CheckOps.cpp.inc"
