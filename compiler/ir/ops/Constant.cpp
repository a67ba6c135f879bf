#include "compiler/ir/ops/Checks.h"

#include "runtime/base/Checked.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// constant
//===----------------------------------------------------------------------===//

/// Sizes of a result whose type says them: static or known only after running.
static Dims declaredDims(ShapeContext &context, Value value) {
  Dims dims;
  for (auto [axis, size] :
       llvm::enumerate(cast<RankedTensorType>(value.getType()).getShape()))
    dims.push_back(ShapedType::isDynamic(size) ? context.symbols().resultDim(value, axis)
                                               : context.constant(size));
  return dims;
}

void ConstantOp::build(OpBuilder &, OperationState &state, ElementsAttr value) {
  state.addTypes(value.getType());
  state.getOrAddProperties<Properties>().value = value;
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ConstantOp::verify() {
  if (getValue().isSplat())
    return success();
  auto type = cast<RankedTensorType>(getType());
  int64_t bits = type.getElementType().isIntOrFloat() ? type.getElementTypeBitWidth() : 8;
  auto count = checkedNumElements(type.getShape());
  int64_t bytes =
      (count ? checkedMul(*count, (bits + 7) / 8) : std::nullopt).value_or(INT64_MAX);
  if (bytes > maxBytes)
    return emitNodeError(*this)
           << "a literal of " << bytes << " bytes is too large: more than " << maxBytes
           << " belong into an hx.weight";
  return success();
}

LogicalResult ConstantOp::inferShapes(ShapeContext &context) {
  // The attribute is the one source of the type.
  Dims dims;
  for (int64_t size : getValue().getShapedType().getShape())
    dims.push_back(context.constant(size));
  context.setDims(0, dims);
  if (auto known = context.contents(getResult()))
    context.setContents(0, *known);
  return success();
}

//===----------------------------------------------------------------------===//
// weight, state_read, state_write
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() {
  if (getEntry().empty())
    return emitNodeError(*this) << "the name of the weight is empty";
  if (!cast<RankedTensorType>(getType()).hasStaticShape())
    return emitNodeError(*this) << "a weight has static sizes, got " << getType();
  return success();
}

LogicalResult WeightOp::inferShapes(ShapeContext &context) {
  context.setDims(0, declaredDims(context, getResult()));
  if (auto known = context.contents(getResult()))
    context.setContents(0, *known);
  return success();
}

LogicalResult StateReadOp::inferShapes(ShapeContext &context) {
  context.setDims(0, declaredDims(context, getResult()));
  return success();
}

LogicalResult StateWriteOp::inferShapes(ShapeContext &) { return success(); }

//===----------------------------------------------------------------------===//
// shape_of, iota
//===----------------------------------------------------------------------===//

OpFoldResult ShapeOfOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getInput().getType());
  if (!type.hasStaticShape() ||
      getType() != RankedTensorType::get({type.getRank()}, getType().getElementType()))
    return {};
  return DenseElementsAttr::get(cast<ShapedType>(getType()), type.getShape());
}

LogicalResult ShapeOfOp::inferShapes(ShapeContext &context) {
  Dims dims = context.dims(getInput());
  context.setDims(0, context.constant(dims.size()));
  context.setContents(0, dims);
  return success();
}

bool IotaOp::isHostRead(unsigned) { return true; }

LogicalResult IotaOp::inferShapes(ShapeContext &context) {
  auto dims = context.hostElements(*this, getSizes());
  if (failed(dims) || failed(checkAxis(*this, getAxis(), dims->size())))
    return failure();
  for (Dim dim : *dims)
    if (failed(context.requireAtLeast(*this, dim, 0, "a size")))
      return failure();
  context.setDims(0, *dims);
  auto count = smallCount(*dims);
  if (!count)
    return success();
  auto sizes = staticSizes(*dims);
  Dims elements;
  for (int64_t i = 0; i < *count; ++i)
    elements.push_back(context.constant(coordinatesOf(i, *sizes)[getAxis()]));
  context.setContents(0, elements);
  return success();
}

} // namespace hexin::hx
