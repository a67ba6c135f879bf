#include "compiler/transforms/Build.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace hexin::hx {
using mlir::Value;

Value shapeConstant(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  auto type =
      RankedTensorType::get({static_cast<int64_t>(values.size())}, builder.getI64Type());
  return ConstantOp::create(builder, loc, DenseElementsAttr::get(type, values));
}

SmallVector<int64_t> permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> perm) {
  SmallVector<int64_t> result;
  for (int64_t axis : perm)
    result.push_back(values[axis]);
  return result;
}

SmallVector<int64_t> inversePermutation(ArrayRef<int64_t> perm) {
  SmallVector<int64_t> result(perm.size());
  for (auto [i, axis] : llvm::enumerate(perm))
    result[axis] = i;
  return result;
}

Value transposed(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> perm) {
  bool isIdentity = true;
  for (auto [i, axis] : llvm::enumerate(perm))
    isIdentity &= static_cast<int64_t>(i) == axis;
  if (isIdentity)
    return value;
  auto type = tensorTypeOf(value);
  return TransposeOp::create(builder, loc, type.clone(permuted(type.getShape(), perm)),
                             value, perm);
}

Value permutedShapeOperand(OpBuilder &builder, Location loc, Value operand,
                           ArrayRef<int64_t> perm) {
  if (auto constant = operand.getDefiningOp<ConstantOp>()) {
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    SmallVector<Attribute> values;
    for (int64_t axis : perm)
      values.push_back(elements.getValues<Attribute>()[axis]);
    return ConstantOp::create(builder, loc,
                              DenseElementsAttr::get(elements.getType(), values));
  }
  return GatherOp::create(builder, loc, operand.getType(), operand,
                          shapeConstant(builder, loc, perm), 0, 0);
}

Value reshaped(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> shape;
  for (int64_t size : sizes)
    shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return ReshapeOp::create(builder, loc, tensorTypeOf(value).clone(sizes), value,
                           shapeConstant(builder, loc, shape));
}

void eraseDead(Operation *root) {
  // In reverse order, so that what feeds a dead op is dead when it is reached.
  SmallVector<Operation *> ops;
  root->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != root)
      ops.push_back(op);
  });
  for (Operation *op : llvm::reverse(ops))
    if (op->getNumRegions() == 0 && isOpTriviallyDead(op))
      op->erase();
}

} // namespace hexin::hx
