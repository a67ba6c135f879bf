// Index arithmetic that folds what it can, and constants.
#include "compiler/codegen/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cmath>

using namespace mlir;

namespace hexin::codegen {

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value KernelBuilder::foldIndex(Value x, Value y, KOp op) {
  std::optional<int64_t> cx = getConstantIntValue(x), cy = getConstantIntValue(y);
  switch (op) {
  case KOp::add:
    if (cx == 0)
      return y;
    if (cy == 0)
      return x;
    return cx && cy ? index(*cx + *cy) : Value();
  case KOp::sub:
    if (cy == 0)
      return x;
    return cx && cy ? index(*cx - *cy) : Value();
  case KOp::mul:
    if (cx == 0 || cy == 0)
      return index(0);
    if (cx == 1)
      return y;
    if (cy == 1)
      return x;
    return cx && cy ? index(*cx * *cy) : Value();
  case KOp::floorDiv:
    if (cy == 1)
      return x;
    return cx == 0 ? index(0) : Value();
  case KOp::mod:
    return cy == 1 || cx == 0 ? index(0) : Value();
  default:
    return {};
  }
}

#define HEXIN_INDEX_OP(name, kop, OpT)                                                   \
  Value KernelBuilder::name(Value x, Value y) {                                          \
    if (Value folded = foldIndex(x, y, kop))                                             \
      return folded;                                                                     \
    return OpT::create(b, location, x, y);                                               \
  }
HEXIN_INDEX_OP(add, KOp::add, arith::AddIOp)
HEXIN_INDEX_OP(sub, KOp::sub, arith::SubIOp)
HEXIN_INDEX_OP(mul, KOp::mul, arith::MulIOp)
// Non-negative by contract; signed division lets LLVM keep its range facts.
HEXIN_INDEX_OP(div, KOp::floorDiv, arith::DivUIOp)
HEXIN_INDEX_OP(rem, KOp::mod, arith::RemUIOp)
HEXIN_INDEX_OP(min, KOp::min, arith::MinSIOp)
HEXIN_INDEX_OP(max, KOp::max, arith::MaxSIOp)
#undef HEXIN_INDEX_OP

Value KernelBuilder::less(Value x, Value y) {
  return arith::CmpIOp::create(b, location, arith::CmpIPredicate::slt, x, y);
}

SmallVector<Value> KernelBuilder::delinearize(Value position, ArrayRef<KExpr> sizes) {
  SmallVector<Value> result(sizes.size());
  for (size_t axis = sizes.size(); axis-- > 0;) {
    if (use.exprs.constantValue(sizes[axis]) == 1) {
      result[axis] = index(0);
      continue;
    }
    bool isOutermost = true;
    for (size_t outer = 0; outer < axis; ++outer)
      isOutermost &= use.exprs.constantValue(sizes[outer]) == 1;
    if (isOutermost) {
      result[axis] = position;
      position = index(0);
      continue;
    }
    Value size = value(sizes[axis]);
    Value quotient = div(position, size);
    result[axis] = sub(position, mul(quotient, size));
    position = quotient;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value KernelBuilder::splat(Value value, unsigned lanes) {
  if (lanes == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, location,
                                     VectorType::get({lanes}, value.getType()), value);
}

Value KernelBuilder::floatConstant(double value, Type type, unsigned lanes) {
  TypedAttr attr = FloatAttr::get(type, value);
  if (lanes > 1)
    attr = DenseElementsAttr::get(VectorType::get({lanes}, type), {Attribute(attr)});
  return arith::ConstantOp::create(b, location, attr);
}

/// Sixteenths of small integers: what a formula has, rather than a trained model.
static bool isOfAFormula(double value) {
  return !std::isfinite(value) ||
         (std::abs(value) <= 1024 && value * 16 == std::trunc(value * 16));
}

Value KernelBuilder::floatScalar(double value, Type type, unsigned lanes) {
  if (isOfAFormula(value) || (!type.isF32() && !type.isF64()))
    return floatConstant(value, type, lanes);
  bool isWide = type.isF64();
  int64_t bits =
      isWide ? llvm::bit_cast<int64_t>(value)
             : static_cast<int64_t>(llvm::bit_cast<uint32_t>(static_cast<float>(value)));
  Value &scalar = floatScalars[{type, bits}];
  if (!scalar) {
    KExpr param = this->scalar(symbolicShapes.symbols().constant(bits));
    unsigned number = use.exprs.nodes()[param.node].lhs;
    OpBuilder entry(&func.getBody().front(), func.getBody().front().begin());
    scalar = func.getBody().front().getArgument(numMemrefs() + number);
    if (!isWide)
      scalar = arith::TruncIOp::create(entry, location, entry.getI32Type(), scalar);
    scalar = arith::BitcastOp::create(entry, location, type, scalar);
  }
  return splat(scalar, lanes);
}

Value KernelBuilder::intConstant(int64_t value, Type type, unsigned lanes) {
  APInt bits =
      APInt(64, value, /*isSigned=*/true).sextOrTrunc(type.getIntOrFloatBitWidth());
  TypedAttr attr = IntegerAttr::get(type, bits);
  if (lanes > 1)
    attr = DenseElementsAttr::get(VectorType::get({lanes}, type), bits);
  return arith::ConstantOp::create(b, location, attr);
}

} // namespace hexin::codegen
