#include "compiler/ir/ops/Checks.h"
#include "compiler/ir/ops/ElementContents.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace hexin::hx {

//===----------------------------------------------------------------------===//
// Symbolic contents
//===----------------------------------------------------------------------===//

/// Broadcast sizes of all operands, and, when the contents of all are known, those
/// of the result, element by element. `compute` returns null for what is not known.
static LogicalResult
inferElementwise(Operation *op, ShapeContext &context,
                 llvm::function_ref<Dim(ArrayRef<Dim> operands)> compute) {
  Dims dims;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    Dims operandDims = context.dims(operand);
    auto joined =
        i == 0 ? FailureOr<Dims>(operandDims) : context.broadcast(op, dims, operandDims);
    if (failed(joined))
      return failure();
    dims = *joined;
  }
  context.setDims(0, dims);

  auto count = smallCount(dims);
  if (!count || !compute)
    return success();
  SmallVector<Dims, 3> contents;
  SmallVector<SmallVector<int64_t>, 3> operandSizes;
  for (Value operand : op->getOperands()) {
    auto known = context.contents(operand);
    auto sizes = staticSizes(context.dims(operand));
    if (!known || !sizes)
      return success();
    contents.push_back(*known);
    operandSizes.push_back(*sizes);
  }
  auto sizes = staticSizes(dims);
  Dims elements;
  for (int64_t i = 0; i < *count; ++i) {
    auto coordinates = coordinatesOf(i, *sizes);
    Dims operands;
    for (auto [known, operandSize] : llvm::zip(contents, operandSizes))
      operands.push_back(known[broadcastIndex(coordinates, operandSize)]);
    Dim element = compute(operands);
    if (!element)
      return success();
    elements.push_back(element);
  }
  context.setContents(0, elements);
  return success();
}

//===----------------------------------------------------------------------===//
// unary
//===----------------------------------------------------------------------===//

LogicalResult UnaryOp::inferShapes(ShapeContext &context) {
  return inferElementwise(*this, context, [&](ArrayRef<Dim> operands) {
    return computeUnary(context.symbols(), getFn(), operands[0]);
  });
}

static bool isPredicate(UnaryFn fn) {
  return fn == UnaryFn::is_nan || fn == UnaryFn::is_inf || fn == UnaryFn::is_pos_inf ||
         fn == UnaryFn::is_neg_inf;
}

/// What `fn` takes, in words; empty when `type` is right.
static StringRef expectedOperand(UnaryFn fn, Type type) {
  switch (fn) {
  case UnaryFn::logical_not:
    return type.isInteger(1) ? "" : "i1";
  case UnaryFn::bit_not:
    return isa<IntegerType>(type) ? "" : "an integer";
  case UnaryFn::abs:
  case UnaryFn::neg:
  case UnaryFn::sign:
    return isArithmeticFloat(type) || isArithmeticInteger(type) ? "" : "a number";
  case UnaryFn::is_nan:
  case UnaryFn::is_inf:
  case UnaryFn::is_pos_inf:
  case UnaryFn::is_neg_inf:
    return isa<FloatType>(type) ? "" : "a float";
  default:
    return isArithmeticFloat(type) ? "" : "f16, bf16, f32 or f64";
  }
}

LogicalResult UnaryOp::verify() {
  Type type = elementType(getInput());
  StringRef expected = expectedOperand(getFn(), type);
  if (!expected.empty())
    return emitNodeError(*this) << "the operand of " << stringifyUnaryFn(getFn())
                                << " must be " << expected << ", got " << type;
  if (isPredicate(getFn()))
    return checkElementType(*this, getResult(), elementType(getResult()).isInteger(1),
                            "the result", "i1");
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

OpFoldResult UnaryOp::fold(FoldAdaptor) {
  auto inner = getInput().getDefiningOp<UnaryOp>();
  if (!inner || inner.getFn() != getFn() || inner.getInput().getType() != getType())
    return {};
  switch (getFn()) {
  case UnaryFn::neg:
  case UnaryFn::logical_not:
  case UnaryFn::bit_not:
    return inner.getInput();
  case UnaryFn::abs:
  case UnaryFn::floor:
  case UnaryFn::ceil:
  case UnaryFn::trunc:
  case UnaryFn::round_even:
  case UnaryFn::sign:
    return inner.getResult();
  default:
    return {};
  }
}

//===----------------------------------------------------------------------===//
// binary
//===----------------------------------------------------------------------===//

LogicalResult BinaryOp::inferShapes(ShapeContext &context) {
  return inferElementwise(*this, context, [&](ArrayRef<Dim> operands) {
    return computeBinary(context.symbols(), getFn(), elementType(getLhs()), operands[0],
                         operands[1]);
  });
}

LogicalResult BinaryOp::verify() {
  Type type = elementType(getLhs());
  bool isRight = isArithmeticFloat(type) || isArithmeticInteger(type);
  StringRef expected = "a number";
  switch (getFn()) {
  case BinaryFn::bit_and:
  case BinaryFn::bit_or:
  case BinaryFn::bit_xor:
    isRight = type.isInteger(1) || isArithmeticInteger(type);
    expected = "an integer or i1";
    break;
  case BinaryFn::shl:
  case BinaryFn::shr:
    isRight = isArithmeticInteger(type);
    expected = "an integer";
    break;
  default:
    break;
  }
  if (!isRight)
    return emitNodeError(*this) << "the operands of " << stringifyBinaryFn(getFn())
                                << " must be " << expected << ", got " << type;
  if (getFn() != BinaryFn::pow &&
      failed(checkSameElementType(*this, getLhs(), "lhs", getRhs(), "rhs")))
    return failure();
  return checkSameElementType(*this, getLhs(), "lhs", getResult(), "the result");
}

/// Whether every element of the constant behind `value` is `number`.
static bool isSplatOf(Attribute value, int64_t number) {
  auto splat = dyn_cast_or_null<SplatElementsAttr>(value);
  if (!splat)
    return false;
  Type type = splat.getElementType();
  if (isa<IntegerType>(type))
    return splat.getSplatValue<APInt>() == static_cast<uint64_t>(number);
  return isa<FloatType>(type) && splat.getSplatValue<APFloat>().isExactlyValue(number);
}

OpFoldResult BinaryOp::fold(FoldAdaptor adaptor) {
  if (getLhs().getType() != getType() || !cast<ShapedType>(getType()).hasStaticShape())
    return {};
  bool isFloat = isa<FloatType>(elementType(getLhs()));
  switch (getFn()) {
  case BinaryFn::add: // -0 + 0 is 0
    return !isFloat && isSplatOf(adaptor.getRhs(), 0) ? getLhs() : OpFoldResult();
  case BinaryFn::sub:
    return isSplatOf(adaptor.getRhs(), 0) &&
                   !(isFloat && cast<SplatElementsAttr>(adaptor.getRhs())
                                    .getSplatValue<APFloat>()
                                    .isNegative())
               ? getLhs()
               : OpFoldResult();
  case BinaryFn::mul:
  case BinaryFn::div:
  case BinaryFn::pow:
    return isSplatOf(adaptor.getRhs(), 1) ? getLhs() : OpFoldResult();
  case BinaryFn::shl:
  case BinaryFn::shr:
    return isSplatOf(adaptor.getRhs(), 0) ? getLhs() : OpFoldResult();
  default:
    return {};
  }
}

//===----------------------------------------------------------------------===//
// compare, select, cast, activation
//===----------------------------------------------------------------------===//

LogicalResult CompareOp::inferShapes(ShapeContext &context) {
  SymbolTable &symbols = context.symbols();
  return inferElementwise(*this, context, [&](ArrayRef<Dim> operands) {
    switch (getPredicate()) {
    case ComparePredicate::eq:
      return symbols.eq(operands[0], operands[1]);
    case ComparePredicate::lt:
      return symbols.lt(operands[0], operands[1]);
    case ComparePredicate::le:
      return symbols.sub(symbols.constant(1), symbols.lt(operands[1], operands[0]));
    }
    return Dim();
  });
}

LogicalResult CompareOp::verify() {
  Type type = elementType(getLhs());
  if (getPredicate() != ComparePredicate::eq && !isArithmeticFloat(type) &&
      !isArithmeticInteger(type))
    return emitNodeError(*this)
           << "the operands of " << stringifyComparePredicate(getPredicate())
           << " must be numbers, got " << type;
  return checkSameElementType(*this, getLhs(), "lhs", getRhs(), "rhs");
}

LogicalResult SelectOp::inferShapes(ShapeContext &context) {
  return inferElementwise(*this, context, [&](ArrayRef<Dim> operands) {
    return context.symbols().select(operands[0], operands[1], operands[2]);
  });
}

LogicalResult SelectOp::verify() {
  if (failed(checkSameElementType(*this, getOnTrue(), "onTrue", getOnFalse(), "onFalse")))
    return failure();
  return checkSameElementType(*this, getOnTrue(), "onTrue", getResult(), "the result");
}

LogicalResult CastOp::inferShapes(ShapeContext &context) {
  return inferElementwise(*this, context, [&](ArrayRef<Dim> operands) {
    return computeCast(context.symbols(), elementType(getResult()), operands[0]);
  });
}

LogicalResult CastOp::verify() {
  StringRef round = getRound();
  if (round != "nearest" && round != "up" && round != "down")
    return emitNodeError(*this)
           << "round=\"" << round << "\" is unknown, expected nearest, up or down";
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

LogicalResult ActivationOp::inferShapes(ShapeContext &context) {
  return inferElementwise(*this, context, nullptr);
}

LogicalResult ActivationOp::verify() {
  Type type = elementType(getInput());
  // relu and thresholds also make sense on integers (Relu since opset 14).
  bool isRight = isArithmeticFloat(type) ||
                 (isArithmeticInteger(type) && (getKind() == ActivationKind::relu ||
                                                getKind() == ActivationKind::shrink));
  if (!isRight)
    return emitNodeError(*this) << "the operand of " << stringifyActivationKind(getKind())
                                << " must be a float, got " << type;
  return checkSameElementType(*this, getInput(), "the operand", getResult(),
                              "the result");
}

} // namespace hexin::hx
