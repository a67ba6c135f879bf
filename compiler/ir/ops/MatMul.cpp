#include "compiler/ir/ops/Checks.h"

#include "llvm/Support/MathExtras.h"

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

/// Whether a zero point is a number of `bits` in bytes, and not a float.
static bool isPacked(Value zeroPoint) {
  return elementType(zeroPoint).isUnsignedInteger(8);
}

/// Before anything is divided by them.
static LogicalResult checkFormat(MatMulFewBitsOp op) {
  if (!llvm::is_contained({2, 4, 8}, static_cast<int64_t>(op.getBits())))
    return emitNodeError(op) << "bits is " << op.getBits() << ", expected 2, 4 or 8";
  auto block = static_cast<int64_t>(op.getBlock());
  if (block < 16 || block > INT32_MAX || !llvm::isPowerOf2_64(block))
    return emitNodeError(op) << "block is " << block
                             << ", expected a power of two from 16 on";
  return success();
}

LogicalResult MatMulFewBitsOp::inferShapes(ShapeContext &context) {
  Dims lhs = context.dims(getLhs()), bytes = context.dims(getBytes()),
       scales = context.dims(getScales());
  if (failed(checkFormat(*this)))
    return failure();
  if (lhs.size() < 2)
    return emitNodeError(*this)
           << "lhs must have at least rank 2, got rank " << lhs.size();
  if (failed(checkRank(*this, bytes, 2, "the bytes")) ||
      failed(checkRank(*this, scales, 2, "the scales")))
    return failure();
  SymbolTable &symbols = context.symbols();
  if (getDepthFirst())
    std::swap(bytes[0], bytes[1]);
  Dim perByte = context.constant(8 / static_cast<int64_t>(getBits()));
  Dim block = context.constant(static_cast<int64_t>(getBlock()));
  if (failed(context.requireEqual(*this, symbols.mul(bytes[1], perByte), lhs.back(),
                                  "numbers of a row of weights and K")) ||
      failed(context.requireEqual(*this, symbols.mul(scales[1], block), lhs.back(),
                                  "numbers of all blocks of a row and K")) ||
      failed(context.requireEqual(*this, scales[0], bytes[0],
                                  "rows of the scales and of the bytes")))
    return failure();
  if (Value zeroPoint = getZeroPoint()) {
    Dims zeros = context.dims(zeroPoint);
    Dim wanted = isPacked(zeroPoint) ? symbols.ceilDiv(scales[1], perByte) : scales[1];
    if (failed(checkRank(*this, zeros, 2, "the zero point")) ||
        failed(context.requireEqual(*this, zeros[0], bytes[0],
                                    "rows of the zero point and of the bytes")) ||
        failed(
            context.requireEqual(*this, zeros[1], wanted, "columns of the zero point")))
      return failure();
  }
  lhs.back() = bytes[0];
  context.setDims(0, lhs);
  return success();
}

LogicalResult MatMulFewBitsOp::verify() {
  for (auto [value, name] :
       {std::pair<Value, const char *>(getLhs(), "lhs"), {getScales(), "the scales"}})
    if (failed(checkElementType(*this, value, isArithmeticFloat(elementType(value)), name,
                                "floats")))
      return failure();
  if (elementType(getBytes()).isSignlessInteger() && getBits() != 8)
    return emitNodeError(*this) << "signed numbers have 8 bits, got " << getBits();
  Value zeroPoint = getZeroPoint();
  if (zeroPoint && failed(checkElementType(*this, zeroPoint,
                                           isPacked(zeroPoint) ||
                                               isArithmeticFloat(elementType(zeroPoint)),
                                           "the zero point", "floats or ui8")))
    return failure();
  return checkSameElementType(*this, getLhs(), "lhs", getResult(), "the result");
}

} // namespace hexin::hx
