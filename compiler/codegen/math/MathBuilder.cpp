#include "compiler/codegen/math/MathBuilder.h"

#include "compiler/codegen/LowerMath.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace hexin {

MathBuilder::MathBuilder(OpBuilder &builder, Location loc, Type type, bool slowUnderflow)
    : b(builder), loc(loc), floatType(type), f64(getElementTypeOrSelf(type).isF64()),
      slowUnderflow(slowUnderflow) {
  intType = b.getIntegerType(f64 ? 64 : 32);
  if (auto vector = dyn_cast<VectorType>(type))
    intType = vector.clone(intType);
}

Value MathBuilder::constant(double value) {
  auto attr = b.getFloatAttr(getElementTypeOrSelf(floatType), value);
  if (auto vector = dyn_cast<VectorType>(floatType))
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(vector, attr.getValue()));
  return arith::ConstantOp::create(b, loc, attr);
}

Value MathBuilder::integer(int64_t value) {
  auto attr = b.getIntegerAttr(getElementTypeOrSelf(intType), value);
  if (auto vector = dyn_cast<VectorType>(intType))
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(vector, attr.getValue()));
  return arith::ConstantOp::create(b, loc, attr);
}

Value MathBuilder::add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
Value MathBuilder::sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
Value MathBuilder::mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
Value MathBuilder::div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
Value MathBuilder::neg(Value x) { return arith::NegFOp::create(b, loc, x); }
Value MathBuilder::abs(Value x) { return math::AbsFOp::create(b, loc, x); }
Value MathBuilder::sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
Value MathBuilder::trunc(Value x) { return math::TruncOp::create(b, loc, x); }
Value MathBuilder::copySign(Value magnitude, Value sign) {
  return math::CopySignOp::create(b, loc, magnitude, sign);
}
Value MathBuilder::fma(Value x, Value y, Value z) {
  return math::FmaOp::create(b, loc, x, y, z);
}
Value MathBuilder::exactFma(Value x, Value y, Value z) {
  auto op = math::FmaOp::create(b, loc, x, y, z);
  op->setAttr(exactFmaAttrName, b.getUnitAttr());
  return op;
}

Value MathBuilder::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = constant(coefficients.back());
  for (double c : llvm::reverse(coefficients.drop_back()))
    sum = fma(sum, x, constant(c));
  return sum;
}

Value MathBuilder::compare(arith::CmpFPredicate p, Value x, Value y) {
  return arith::CmpFOp::create(b, loc, p, x, y);
}
Value MathBuilder::lt(Value x, double y) {
  return compare(arith::CmpFPredicate::OLT, x, constant(y));
}
Value MathBuilder::gt(Value x, double y) {
  return compare(arith::CmpFPredicate::OGT, x, constant(y));
}
Value MathBuilder::eq(Value x, double y) {
  return compare(arith::CmpFPredicate::OEQ, x, constant(y));
}
Value MathBuilder::isNan(Value x) { return compare(arith::CmpFPredicate::UNO, x, x); }
Value MathBuilder::select(Value c, Value x, Value y) {
  return arith::SelectOp::create(b, loc, c, x, y);
}
Value MathBuilder::logicalAnd(Value x, Value y) {
  return arith::AndIOp::create(b, loc, x, y);
}
Value MathBuilder::logicalOr(Value x, Value y) {
  return arith::OrIOp::create(b, loc, x, y);
}

Value MathBuilder::clamp(Value x, double low, double high) {
  x = select(lt(x, low), constant(low), x);
  return select(gt(x, high), constant(high), x);
}

Value MathBuilder::toBits(Value x) {
  return arith::BitcastOp::create(b, loc, intType, x);
}
Value MathBuilder::fromBits(Value bits) {
  return arith::BitcastOp::create(b, loc, floatType, bits);
}
Value MathBuilder::addInt(Value x, Value y) {
  return arith::AddIOp::create(b, loc, x, y);
}
Value MathBuilder::subInt(Value x, Value y) {
  return arith::SubIOp::create(b, loc, x, y);
}
Value MathBuilder::andInt(Value x, Value y) {
  return arith::AndIOp::create(b, loc, x, y);
}
Value MathBuilder::xorInt(Value x, Value y) {
  return arith::XOrIOp::create(b, loc, x, y);
}
Value MathBuilder::shl(Value x, unsigned bits) {
  return arith::ShLIOp::create(b, loc, x, integer(bits));
}
Value MathBuilder::shrArith(Value x, unsigned bits) {
  return arith::ShRSIOp::create(b, loc, x, integer(bits));
}
Value MathBuilder::isNonZeroInt(Value x) {
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, x, integer(0));
}

Value MathBuilder::powerOfTwo(Value n) {
  return fromBits(shl(addInt(n, integer(f64 ? 1023 : 127)), f64 ? 52 : 23));
}

// Adding 1.5 * 2^(mantissa bits) pushes the fraction out of the mantissa: the
// hardware rounds to nearest even and the low bits hold the integer. No
// float-to-integer conversion, which would be undefined for NaN.
MathBuilder::Rounded MathBuilder::roundScaled(Value x, double scale) {
  Value shifted =
      scale == 1 ? add(x, constant(magic())) : fma(x, constant(scale), constant(magic()));
  return {sub(shifted, constant(magic())),
          subInt(toBits(shifted), toBits(constant(magic())))};
}

Value MathBuilder::toFloat(Value smallInteger) {
  Value shifted = fromBits(addInt(smallInteger, toBits(constant(magic()))));
  return sub(shifted, constant(magic()));
}

} // namespace hexin
