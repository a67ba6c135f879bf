#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

/// Sizes of [batch..., M, K] x [batch..., K, N] once the transposes are undone.
static FailureOr<Dims> matMulDims(Operation *op, ShapeContext &context, Dims lhs,
                                  Dims rhs, bool transposeLhs, bool transposeRhs) {
  for (auto [dims, name] : {std::pair(&lhs, "lhs"), std::pair(&rhs, "rhs")})
    if (dims->size() < 2)
      return emitNodeError(op) << name << " must have at least rank 2, got rank "
                               << dims->size();
  if (transposeLhs)
    std::swap(lhs.back(), lhs[lhs.size() - 2]);
  if (transposeRhs)
    std::swap(rhs.back(), rhs[rhs.size() - 2]);
  if (failed(context.requireEqual(op, lhs.back(), rhs[rhs.size() - 2],
                                  "K of lhs and of rhs")))
    return failure();
  auto dims =
      context.broadcast(op, ArrayRef(lhs).drop_back(2), ArrayRef(rhs).drop_back(2));
  if (failed(dims))
    return failure();
  dims->push_back(lhs[lhs.size() - 2]);
  dims->push_back(rhs.back());
  return dims;
}

LogicalResult MatMulOp::inferShapes(ShapeContext &context) {
  auto dims = matMulDims(*this, context, context.dims(getLhs()), context.dims(getRhs()),
                         getTransposeLhs(), getTransposeRhs());
  if (failed(dims))
    return failure();
  context.setDims(0, *dims);
  return success();
}

LogicalResult MatMulOp::verify() {
  Type type = elementType(getLhs());
  if (!isArithmeticFloat(type) && !isArithmeticInteger(type))
    return emitNodeError(*this) << "the operands must be numbers, got " << type;
  if (failed(checkSameElementType(*this, getLhs(), "lhs", getRhs(), "rhs")))
    return failure();
  Type result = elementType(getResult());
  if (result != type && result != getAccumulate())
    return emitNodeError(*this)
           << "the result must hold " << type
           << " as the operands do, or the type of `accumulate`, got " << result;
  return success();
}

static bool isByte(Type type) { return type.isInteger(8); }

/// A zero point is one number, one per row or column ([n]), or has the operand's
/// rank with size 1 along the summed axis.
static LogicalResult checkZeroPoint(Operation *op, ShapeContext &context, Value zeroPoint,
                                    ArrayRef<Dim> operand, size_t keptAxis,
                                    StringRef what) {
  if (!zeroPoint)
    return success();
  Dims dims = context.dims(zeroPoint);
  Dim one = context.constant(1);
  if (dims.empty() || (dims.size() == 1 && dims[0] == one))
    return success();
  if (dims.size() == 1)
    return context.requireEqual(op, dims[0], operand[keptAxis], "entries of the " + what);
  if (failed(checkRank(op, dims, operand.size(), "the " + what)))
    return failure();
  size_t summedAxis =
      keptAxis == operand.size() - 1 ? operand.size() - 2 : operand.size() - 1;
  for (auto [axis, dim] : llvm::enumerate(dims))
    if (failed(context.requireEqual(op, dim, axis == summedAxis ? one : operand[axis],
                                    "sizes of the " + what + ", axis " + Twine(axis))))
      return failure();
  return success();
}

LogicalResult MatMulIntegerOp::inferShapes(ShapeContext &context) {
  Dims lhs = context.dims(getLhs()), rhs = context.dims(getRhs());
  auto dims = matMulDims(*this, context, lhs, rhs, false, false);
  if (failed(dims) ||
      failed(checkZeroPoint(*this, context, getLhsZeroPoint(), lhs, lhs.size() - 2,
                            "zero point of lhs")) ||
      failed(checkZeroPoint(*this, context, getRhsZeroPoint(), rhs, rhs.size() - 1,
                            "zero point of rhs")))
    return failure();
  context.setDims(0, *dims);
  return success();
}

LogicalResult MatMulIntegerOp::verify() {
  for (auto [operand, zeroPoint, name] : {std::tuple(getLhs(), getLhsZeroPoint(), "lhs"),
                                          {getRhs(), getRhsZeroPoint(), "rhs"}}) {
    if (failed(checkElementType(*this, operand, isByte(elementType(operand)), name,
                                "an 8-bit integer")))
      return failure();
    if (zeroPoint &&
        failed(checkSameElementType(*this, operand, name, zeroPoint, "its zero point")))
      return failure();
  }
  return checkElementType(*this, getResult(),
                          elementType(getResult()).isSignlessInteger(32), "the result",
                          "i32");
}

} // namespace hexin::hx
