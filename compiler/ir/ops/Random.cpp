#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

bool RandomBitsOp::isHostRead(unsigned index) { return index == 1; }

LogicalResult RandomBitsOp::inferShapes(ShapeContext &context) {
  auto sizes = context.hostElements(*this, getSizes());
  if (failed(sizes))
    return failure();
  for (auto [axis, size] : llvm::enumerate(*sizes))
    if (failed(context.requireAtLeast(*this, size, 0, "sizes[" + Twine(axis) + "]")))
      return failure();
  context.setDims(0, *sizes);
  return success();
}

LogicalResult RandomBitsOp::verify() {
  if (getStream().getType().getShape() != ArrayRef<int64_t>{2})
    return emitNodeError(*this)
           << "stream must be [key, count], got " << getStream().getType();
  auto node = static_cast<int64_t>(getNode()), word = static_cast<int64_t>(getWord());
  if (node < 0 || node > UINT32_MAX)
    return emitNodeError(*this) << "node=" << node << " must have 32 bits";
  if (word < 0 || word > 3)
    return emitNodeError(*this) << "word=" << word << " must be 0 to 3";
  return success();
}

} // namespace hexin::hx
