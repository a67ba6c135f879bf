#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Builds ops on values shaped like `like` (scalar or vector).
struct Lanes {
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  unsigned lanes;

  Lanes(KernelBuilder &k, Value like) : k(k), b(k.builder()), loc(k.loc()) {
    auto vectorType = dyn_cast<VectorType>(like.getType());
    lanes = vectorType ? vectorType.getNumElements() : 1;
  }

  Type shaped(Type element) const {
    return lanes > 1 ? Type(VectorType::get({lanes}, element)) : element;
  }
  Value f(double value, Type element) { return k.floatConstant(value, element, lanes); }
  Value i(int64_t value, Type element) { return k.intConstant(value, element, lanes); }
  template <typename OpT> Value op(Value x) { return OpT::create(b, loc, x); }
  template <typename OpT> Value op(Value x, Value y) { return OpT::create(b, loc, x, y); }
  Value cmpf(arith::CmpFPredicate p, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, p, x, y);
  }
  Value cmpi(arith::CmpIPredicate p, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, p, x, y);
  }
  Value select(Value c, Value x, Value y) {
    return arith::SelectOp::create(b, loc, c, x, y);
  }
};

bool isUnsignedInt(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

/// 1 / (1 + e^-x) without overflow: e^-|x| stays below 1.
Value sigmoid(Lanes &l, Value x) {
  Type t = getElementTypeOrSelf(x.getType());
  Value e = l.op<math::ExpOp>(l.op<arith::NegFOp>(l.op<math::AbsFOp>(x)));
  Value r = l.op<arith::DivFOp>(l.f(1, t), l.op<arith::AddFOp>(l.f(1, t), e));
  Value isNegative = l.cmpf(arith::CmpFPredicate::OLT, x, l.f(0, t));
  return l.select(isNegative, l.op<arith::MulFOp>(e, r), r);
}

Value softplus(Lanes &l, Value x) {
  Type t = getElementTypeOrSelf(x.getType());
  Value e = l.op<math::ExpOp>(l.op<arith::NegFOp>(l.op<math::AbsFOp>(x)));
  return l.op<arith::AddFOp>(l.op<arith::MaximumFOp>(x, l.f(0, t)),
                             l.op<math::Log1pOp>(e));
}

Value unaryFloat(Lanes &l, hx::UnaryFn fn, Value x) {
  Type t = getElementTypeOrSelf(x.getType());
  using hx::UnaryFn;
  switch (fn) {
  case UnaryFn::abs:
    return l.op<math::AbsFOp>(x);
  case UnaryFn::neg:
    return l.op<arith::NegFOp>(x);
  case UnaryFn::sign: {
    Value one = l.f(1, t);
    Value signedOne = l.op<math::CopySignOp>(one, x);
    // NaN and +-0 are their own sign.
    Value isNonZero = l.cmpf(arith::CmpFPredicate::ONE, x, l.f(0, t));
    return l.select(isNonZero, signedOne, x);
  }
  case UnaryFn::floor:
    return l.op<math::FloorOp>(x);
  case UnaryFn::ceil:
    return l.op<math::CeilOp>(x);
  case UnaryFn::trunc:
    return l.op<math::TruncOp>(x);
  case UnaryFn::round_even:
    return l.op<math::RoundEvenOp>(x);
  case UnaryFn::sqrt:
    return l.op<math::SqrtOp>(x);
  case UnaryFn::rsqrt:
    return l.op<arith::DivFOp>(l.f(1, t), l.op<math::SqrtOp>(x));
  case UnaryFn::exp:
    return l.op<math::ExpOp>(x);
  case UnaryFn::expm1:
    return l.op<math::ExpM1Op>(x);
  case UnaryFn::log:
    return l.op<math::LogOp>(x);
  case UnaryFn::log1p:
    return l.op<math::Log1pOp>(x);
  case UnaryFn::sin:
    return l.op<math::SinOp>(x);
  case UnaryFn::cos:
    return l.op<math::CosOp>(x);
  case UnaryFn::tan:
    return l.op<math::TanOp>(x);
  case UnaryFn::asin:
    return l.op<math::AsinOp>(x);
  case UnaryFn::acos:
    return l.op<math::AcosOp>(x);
  case UnaryFn::atan:
    return l.op<math::AtanOp>(x);
  case UnaryFn::sinh:
    return l.op<math::SinhOp>(x);
  case UnaryFn::cosh:
    return l.op<math::CoshOp>(x);
  case UnaryFn::tanh:
    return l.op<math::TanhOp>(x);
  case UnaryFn::asinh:
    return l.op<math::AsinhOp>(x);
  case UnaryFn::acosh:
    return l.op<math::AcoshOp>(x);
  case UnaryFn::atanh:
    return l.op<math::AtanhOp>(x);
  case UnaryFn::erf:
    return l.op<math::ErfOp>(x);
  case UnaryFn::sigmoid:
    return sigmoid(l, x);
  case UnaryFn::is_nan:
    return l.cmpf(arith::CmpFPredicate::UNO, x, x);
  case UnaryFn::is_inf:
    return l.cmpf(arith::CmpFPredicate::OEQ, l.op<math::AbsFOp>(x),
                  l.f(std::numeric_limits<double>::infinity(), t));
  case UnaryFn::is_pos_inf:
    return l.cmpf(arith::CmpFPredicate::OEQ, x,
                  l.f(std::numeric_limits<double>::infinity(), t));
  case UnaryFn::is_neg_inf:
    return l.cmpf(arith::CmpFPredicate::OEQ, x,
                  l.f(-std::numeric_limits<double>::infinity(), t));
  case UnaryFn::logical_not:
  case UnaryFn::bit_not:
    break;
  }
  return {};
}

Value unaryInt(Lanes &l, hx::UnaryFn fn, Value x, Type type) {
  Type t = getElementTypeOrSelf(x.getType());
  using hx::UnaryFn;
  switch (fn) {
  case UnaryFn::neg:
    return l.op<arith::SubIOp>(l.i(0, t), x);
  case UnaryFn::abs: {
    if (isUnsignedInt(type))
      return x;
    Value isNegative = l.cmpi(arith::CmpIPredicate::slt, x, l.i(0, t));
    return l.select(isNegative, l.op<arith::SubIOp>(l.i(0, t), x), x);
  }
  case UnaryFn::sign: {
    if (isUnsignedInt(type))
      return l.select(l.cmpi(arith::CmpIPredicate::ne, x, l.i(0, t)), l.i(1, t),
                      l.i(0, t));
    Value isNegative = l.cmpi(arith::CmpIPredicate::slt, x, l.i(0, t));
    Value isPositive = l.cmpi(arith::CmpIPredicate::sgt, x, l.i(0, t));
    return l.select(isNegative, l.i(-1, t), l.select(isPositive, l.i(1, t), l.i(0, t)));
  }
  case UnaryFn::logical_not:
  case UnaryFn::bit_not:
    return l.op<arith::XOrIOp>(x, l.i(-1, t));
  case UnaryFn::floor:
  case UnaryFn::ceil:
  case UnaryFn::trunc:
  case UnaryFn::round_even:
    return x;
  default:
    return {};
  }
}

/// Quotient and remainder that never trap: x/0 = 0, smallest/-1 = smallest.
Value divideInt(Lanes &l, Value x, Value y, Type type, bool wantRemainder) {
  Type t = getElementTypeOrSelf(x.getType());
  Value isZero = l.cmpi(arith::CmpIPredicate::eq, y, l.i(0, t));
  if (isUnsignedInt(type)) {
    Value safe = l.select(isZero, l.i(1, t), y);
    Value r =
        wantRemainder ? l.op<arith::RemUIOp>(x, safe) : l.op<arith::DivUIOp>(x, safe);
    return l.select(isZero, l.i(0, t), r);
  }
  Value isMinusOne = l.cmpi(arith::CmpIPredicate::eq, y, l.i(-1, t));
  Value isSpecial = l.op<arith::OrIOp>(isZero, isMinusOne);
  Value safe = l.select(isSpecial, l.i(1, t), y);
  if (wantRemainder)
    return l.select(isSpecial, l.i(0, t), l.op<arith::RemSIOp>(x, safe));
  Value r = l.op<arith::DivSIOp>(x, safe);
  r = l.select(isMinusOne, l.op<arith::SubIOp>(l.i(0, t), x), r);
  return l.select(isZero, l.i(0, t), r);
}

Value powInt(Lanes &l, Value x, Value y) {
  // Square and multiply over the exponent's bits; a negative exponent gives 0
  // unless the base is 1 or -1.
  Type t = getElementTypeOrSelf(x.getType());
  unsigned width = t.getIntOrFloatBitWidth();
  Value zero = l.i(0, t), one = l.i(1, t);
  Value isNegative = l.cmpi(arith::CmpIPredicate::slt, y, zero);
  Value magnitude = l.select(isNegative, l.op<arith::SubIOp>(zero, y), y);
  Value result = one, base = x;
  for (unsigned bit = 0; bit < width; ++bit) {
    Value mask =
        l.i(bit == 63 ? std::numeric_limits<int64_t>::min() : int64_t(1) << bit, t);
    Value isSet =
        l.cmpi(arith::CmpIPredicate::ne, l.op<arith::AndIOp>(magnitude, mask), zero);
    result = l.select(isSet, l.op<arith::MulIOp>(result, base), result);
    base = l.op<arith::MulIOp>(base, base);
  }
  Value isUnit = l.op<arith::OrIOp>(l.cmpi(arith::CmpIPredicate::eq, x, one),
                                    l.cmpi(arith::CmpIPredicate::eq, x, l.i(-1, t)));
  Value negativeResult = l.select(isUnit, result, zero);
  return l.select(isNegative, negativeResult, result);
}

Value shiftInt(Lanes &l, Value x, Value y, Type type, bool isLeft) {
  Type t = getElementTypeOrSelf(x.getType());
  Value width = l.i(t.getIntOrFloatBitWidth(), t);
  Value isInside = l.cmpi(arith::CmpIPredicate::ult, y, width);
  Value safe = l.select(isInside, y, l.i(0, t));
  Value outside = l.i(0, t);
  Value shifted;
  if (isLeft) {
    shifted = l.op<arith::ShLIOp>(x, safe);
  } else if (isUnsignedInt(type)) {
    shifted = l.op<arith::ShRUIOp>(x, safe);
  } else {
    shifted = l.op<arith::ShRSIOp>(x, safe);
    outside =
        l.select(l.cmpi(arith::CmpIPredicate::slt, x, outside), l.i(-1, t), outside);
  }
  return l.select(isInside, shifted, outside);
}

Value binaryFloat(Lanes &l, hx::BinaryFn fn, Value x, Value y) {
  Type t = getElementTypeOrSelf(x.getType());
  using hx::BinaryFn;
  switch (fn) {
  case BinaryFn::add:
    return l.op<arith::AddFOp>(x, y);
  case BinaryFn::sub:
    return l.op<arith::SubFOp>(x, y);
  case BinaryFn::mul:
    return l.op<arith::MulFOp>(x, y);
  case BinaryFn::div:
    return l.op<arith::DivFOp>(x, y);
  case BinaryFn::min:
    return l.op<arith::MinimumFOp>(x, y);
  case BinaryFn::max:
    return l.op<arith::MaximumFOp>(x, y);
  case BinaryFn::pow:
    return l.op<math::PowFOp>(x, y);
  case BinaryFn::mod:
  case BinaryFn::fmod: {
    // x - y*trunc(x/y); exact for quotients below 2^24 (2^53 in f64).
    Value quotient = l.op<math::TruncOp>(l.op<arith::DivFOp>(x, y));
    Value product = l.op<arith::NegFOp>(quotient);
    Value remainder = math::FmaOp::create(l.b, l.loc, product, y, x);
    Value isInfinite = l.cmpf(arith::CmpFPredicate::OEQ, l.op<math::AbsFOp>(y),
                              l.f(std::numeric_limits<double>::infinity(), t));
    remainder = l.select(isInfinite, x, remainder);
    if (fn == BinaryFn::fmod)
      return l.op<math::CopySignOp>(remainder, x);
    Value isNonZero = l.cmpf(arith::CmpFPredicate::UNE, remainder, l.f(0, t));
    Value differs =
        l.op<arith::XOrIOp>(l.cmpf(arith::CmpFPredicate::OLT, remainder, l.f(0, t)),
                            l.cmpf(arith::CmpFPredicate::OLT, y, l.f(0, t)));
    Value adjusted = l.select(l.op<arith::AndIOp>(isNonZero, differs),
                              l.op<arith::AddFOp>(remainder, y), remainder);
    return l.select(isNonZero, adjusted, l.op<math::CopySignOp>(adjusted, y));
  }
  default:
    return {};
  }
}

Value binaryInt(Lanes &l, hx::BinaryFn fn, Value x, Value y, Type type) {
  using hx::BinaryFn;
  bool isUnsigned = isUnsignedInt(type);
  switch (fn) {
  case BinaryFn::add:
    return l.op<arith::AddIOp>(x, y);
  case BinaryFn::sub:
    return l.op<arith::SubIOp>(x, y);
  case BinaryFn::mul:
    return l.op<arith::MulIOp>(x, y);
  case BinaryFn::div:
    return divideInt(l, x, y, type, false);
  case BinaryFn::fmod:
    return divideInt(l, x, y, type, true);
  case BinaryFn::mod: {
    Value r = divideInt(l, x, y, type, true);
    if (isUnsigned)
      return r;
    Value zero = l.i(0, getElementTypeOrSelf(x.getType()));
    Value differs = l.cmpi(arith::CmpIPredicate::slt, l.op<arith::XOrIOp>(r, y), zero);
    Value isNonZero = l.cmpi(arith::CmpIPredicate::ne, r, zero);
    return l.select(l.op<arith::AndIOp>(differs, isNonZero), l.op<arith::AddIOp>(r, y),
                    r);
  }
  case BinaryFn::pow:
    return powInt(l, x, y);
  case BinaryFn::min:
    return isUnsigned ? l.op<arith::MinUIOp>(x, y) : l.op<arith::MinSIOp>(x, y);
  case BinaryFn::max:
    return isUnsigned ? l.op<arith::MaxUIOp>(x, y) : l.op<arith::MaxSIOp>(x, y);
  case BinaryFn::bit_and:
    return l.op<arith::AndIOp>(x, y);
  case BinaryFn::bit_or:
    return l.op<arith::OrIOp>(x, y);
  case BinaryFn::bit_xor:
    return l.op<arith::XOrIOp>(x, y);
  case BinaryFn::shl:
    return shiftInt(l, x, y, type, true);
  case BinaryFn::shr:
    return shiftInt(l, x, y, type, false);
  }
  return {};
}

/// Float to an integer type, toward zero: 32/64 bits saturate, narrower take the
/// low bits of the i32; NaN gives 0.
Value floatToInt(Lanes &l, Value x, Type to) {
  Type t = getElementTypeOrSelf(x.getType());
  auto integer = cast<IntegerType>(to);
  unsigned width = std::max(32u, integer.getWidth());
  bool isUnsigned = integer.isUnsigned() && integer.getWidth() >= 32;
  Type wide = IntegerType::get(l.b.getContext(), width);
  double lowest = isUnsigned ? 0.0 : -std::ldexp(1.0, width - 1);
  double limit = std::ldexp(1.0, isUnsigned ? width : width - 1);
  Value isNaN = l.cmpf(arith::CmpFPredicate::UNO, x, x);
  Value isLow = l.cmpf(arith::CmpFPredicate::OLT, x, l.f(lowest, t));
  Value isHigh = l.cmpf(arith::CmpFPredicate::OGE, x, l.f(limit, t));
  Value isSpecial = l.op<arith::OrIOp>(isNaN, l.op<arith::OrIOp>(isLow, isHigh));
  Value safe = l.select(isSpecial, l.f(0, t), x);
  Value converted =
      isUnsigned ? Value(arith::FPToUIOp::create(l.b, l.loc, l.shaped(wide), safe))
                 : Value(arith::FPToSIOp::create(l.b, l.loc, l.shaped(wide), safe));
  int64_t lowBits = isUnsigned ? 0 : width == 64 ? INT64_MIN : INT32_MIN;
  int64_t highBits = isUnsigned ? -1 : width == 64 ? INT64_MAX : INT32_MAX;
  converted = l.select(isLow, l.i(lowBits, wide), converted);
  converted = l.select(isHigh, l.i(highBits, wide), converted);
  if (integer.getWidth() < width)
    converted = arith::TruncIOp::create(
        l.b, l.loc, l.shaped(IntegerType::get(l.b.getContext(), integer.getWidth())),
        converted);
  return converted;
}

} // namespace

Value emitUnary(KernelBuilder &k, hx::UnaryFn fn, Value x, Type type) {
  Lanes l(k, x);
  if (isa<FloatType>(type))
    return unaryFloat(l, fn, x);
  return unaryInt(l, fn, x, type);
}

Value emitBinary(KernelBuilder &k, hx::BinaryFn fn, Value x, Value y, Type type) {
  Lanes l(k, x);
  if (isa<FloatType>(type))
    return binaryFloat(l, fn, x, y);
  return binaryInt(l, fn, x, y, type);
}

Value emitCompare(KernelBuilder &k, hx::ComparePredicate predicate, Value x, Value y,
                  Type type) {
  Lanes l(k, x);
  using hx::ComparePredicate;
  if (isa<FloatType>(type)) {
    auto p = predicate == ComparePredicate::eq   ? arith::CmpFPredicate::OEQ
             : predicate == ComparePredicate::lt ? arith::CmpFPredicate::OLT
                                                 : arith::CmpFPredicate::OLE;
    return l.cmpf(p, x, y);
  }
  bool isUnsigned = isUnsignedInt(type);
  using P = arith::CmpIPredicate;
  auto p = predicate == ComparePredicate::eq   ? P::eq
           : predicate == ComparePredicate::lt ? (isUnsigned ? P::ult : P::slt)
                                               : (isUnsigned ? P::ule : P::sle);
  return l.cmpi(p, x, y);
}

Value emitCast(KernelBuilder &k, Value x, Type from, Type to) {
  Lanes l(k, x);
  Type source = computeType(from), result = computeType(to);
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return x;
    if (isa<FloatType>(from))
      return l.cmpf(arith::CmpFPredicate::UNE, x, l.f(0, source));
    return l.cmpi(arith::CmpIPredicate::ne, x, l.i(0, source));
  }
  bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (fromFloat && toFloat) {
    // Rounding to f16/bf16 happens at the store, once per fused group.
    if (source == result)
      return x;
    if (result.getIntOrFloatBitWidth() > source.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(l.b, l.loc, l.shaped(result), x);
    return arith::TruncFOp::create(l.b, l.loc, l.shaped(result), x);
  }
  if (fromFloat)
    return floatToInt(l, x, to);
  if (toFloat) {
    if (isUnsignedInt(from))
      return arith::UIToFPOp::create(l.b, l.loc, l.shaped(result), x);
    return arith::SIToFPOp::create(l.b, l.loc, l.shaped(result), x);
  }
  unsigned fromBits = source.getIntOrFloatBitWidth(),
           toBits = result.getIntOrFloatBitWidth();
  if (fromBits == toBits)
    return x;
  if (toBits < fromBits)
    return arith::TruncIOp::create(l.b, l.loc, l.shaped(result), x);
  if (isUnsignedInt(from))
    return arith::ExtUIOp::create(l.b, l.loc, l.shaped(result), x);
  return arith::ExtSIOp::create(l.b, l.loc, l.shaped(result), x);
}

Value emitActivation(KernelBuilder &k, hx::ActivationKind kind, Value x, double alpha,
                     double beta) {
  Lanes l(k, x);
  Type t = getElementTypeOrSelf(x.getType());
  Value zero = l.f(0, t), one = l.f(1, t);
  auto isNegative = [&] { return l.cmpf(arith::CmpFPredicate::OLT, x, zero); };
  auto scaled = [&](Value v, double factor) {
    return l.op<arith::MulFOp>(v, l.f(factor, t));
  };
  auto clamp = [&](Value v, Value low, Value high) {
    return l.op<arith::MinimumFOp>(l.op<arith::MaximumFOp>(v, low), high);
  };
  using hx::ActivationKind;
  switch (kind) {
  case ActivationKind::relu:
    return l.op<arith::MaximumFOp>(x, zero);
  case ActivationKind::leaky_relu:
    return l.select(isNegative(), scaled(x, alpha), x);
  case ActivationKind::elu:
    return l.select(isNegative(), scaled(l.op<math::ExpM1Op>(x), alpha), x);
  case ActivationKind::celu: {
    Value inner = l.op<math::ExpM1Op>(l.op<arith::DivFOp>(x, l.f(alpha, t)));
    return l.op<arith::AddFOp>(l.op<arith::MaximumFOp>(zero, x),
                               l.op<arith::MinimumFOp>(zero, scaled(inner, alpha)));
  }
  case ActivationKind::selu: {
    Value negative = scaled(l.op<math::ExpM1Op>(x), alpha);
    Value isPositive = l.cmpf(arith::CmpFPredicate::OGT, x, zero);
    return scaled(l.select(isPositive, x, negative), beta);
  }
  case ActivationKind::softplus:
    return softplus(l, x);
  case ActivationKind::softsign:
    return l.op<arith::DivFOp>(x, l.op<arith::AddFOp>(one, l.op<math::AbsFOp>(x)));
  case ActivationKind::hard_sigmoid:
    return clamp(l.op<arith::AddFOp>(scaled(x, alpha), l.f(beta, t)), zero, one);
  case ActivationKind::hard_swish: {
    Value gate = clamp(l.op<arith::AddFOp>(scaled(x, 1.0 / 6), l.f(0.5, t)), zero, one);
    return l.op<arith::MulFOp>(x, gate);
  }
  case ActivationKind::swish: {
    Value inner = alpha == 1.0 ? x : scaled(x, alpha);
    return l.op<arith::MulFOp>(x, sigmoid(l, inner));
  }
  case ActivationKind::mish:
    return l.op<arith::MulFOp>(x, l.op<math::TanhOp>(softplus(l, x)));
  case ActivationKind::gelu_erf: {
    Value erf = l.op<math::ErfOp>(scaled(x, 0.70710678118654752440));
    return l.op<arith::MulFOp>(scaled(x, 0.5), l.op<arith::AddFOp>(one, erf));
  }
  case ActivationKind::gelu_tanh: {
    Value cube = l.op<arith::MulFOp>(l.op<arith::MulFOp>(x, x), x);
    Value inner = l.op<arith::AddFOp>(x, scaled(cube, 0.044715));
    Value tanh = l.op<math::TanhOp>(scaled(inner, 0.79788456080286535588));
    return l.op<arith::MulFOp>(scaled(x, 0.5), l.op<arith::AddFOp>(one, tanh));
  }
  case ActivationKind::thresholded_relu:
    return l.select(l.cmpf(arith::CmpFPredicate::OGT, x, l.f(alpha, t)), x, zero);
  case ActivationKind::shrink: {
    Value isLow = l.cmpf(arith::CmpFPredicate::OLT, x, l.f(-alpha, t));
    Value isHigh = l.cmpf(arith::CmpFPredicate::OGT, x, l.f(alpha, t));
    Value low = l.op<arith::AddFOp>(x, l.f(beta, t));
    Value high = l.op<arith::SubFOp>(x, l.f(beta, t));
    return l.select(isLow, low, l.select(isHigh, high, zero));
  }
  case ActivationKind::affine:
    return l.op<arith::AddFOp>(scaled(x, alpha), l.f(beta, t));
  case ActivationKind::scaled_tanh:
    return scaled(l.op<math::TanhOp>(scaled(x, beta)), alpha);
  }
  return {};
}

Value emitQuantize(KernelBuilder &k, Value x, Value scale, Value zeroPoint, Type to) {
  Lanes l(k, x);
  Type t = getElementTypeOrSelf(x.getType());
  auto integer = cast<IntegerType>(to);
  unsigned width = integer.getWidth();
  bool isUnsigned = integer.isUnsigned();
  double lowest = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
  double highest = std::ldexp(1.0, isUnsigned ? width : width - 1) - 1;
  Value rounded = l.op<math::RoundEvenOp>(l.op<arith::DivFOp>(x, scale));
  if (zeroPoint)
    rounded = l.op<arith::AddFOp>(rounded, emitCast(k, zeroPoint, to, t));
  // NaN gives the type's minimum: compare so that it fails.
  Value isAbove = l.cmpf(arith::CmpFPredicate::OGT, rounded, l.f(lowest, t));
  Value clamped = l.select(isAbove, rounded, l.f(lowest, t));
  clamped = l.op<arith::MinimumFOp>(clamped, l.f(highest, t));
  Type i32 = l.b.getI32Type();
  Value converted = arith::FPToSIOp::create(l.b, l.loc, l.shaped(i32), clamped);
  if (width < 32)
    converted = arith::TruncIOp::create(
        l.b, l.loc, l.shaped(IntegerType::get(l.b.getContext(), width)), converted);
  return converted;
}

Value emitDequantize(KernelBuilder &k, Value x, Value scale, Value zeroPoint, Type from,
                     Type to) {
  Lanes l(k, x);
  Type i32 = l.b.getI32Type();
  Value wide = emitCast(k, x, from, i32);
  if (zeroPoint)
    wide = l.op<arith::SubIOp>(wide, emitCast(k, zeroPoint, from, i32));
  Value converted = arith::SIToFPOp::create(l.b, l.loc, l.shaped(computeType(to)), wide);
  return l.op<arith::MulFOp>(converted, scale);
}

Value emitReduceStep(KernelBuilder &k, hx::ReduceFn fn, Value accumulator, Value x,
                     Type type) {
  using hx::BinaryFn, hx::ReduceFn;
  BinaryFn binary = fn == ReduceFn::sum    ? BinaryFn::add
                    : fn == ReduceFn::prod ? BinaryFn::mul
                    : fn == ReduceFn::max  ? BinaryFn::max
                                           : BinaryFn::min;
  return emitBinary(k, binary, accumulator, x, type);
}

Value reduceIdentity(KernelBuilder &k, hx::ReduceFn fn, Type type, unsigned lanes) {
  using hx::ReduceFn;
  Type compute = computeType(type);
  if (isa<FloatType>(compute)) {
    double infinity = std::numeric_limits<double>::infinity();
    double value = fn == ReduceFn::sum    ? 0
                   : fn == ReduceFn::prod ? 1
                   : fn == ReduceFn::max  ? -infinity
                                          : infinity;
    return k.floatConstant(value, compute, lanes);
  }
  unsigned width = compute.getIntOrFloatBitWidth();
  bool isUnsigned = isUnsignedInt(type);
  int64_t highest =
      isUnsigned ? -1 : static_cast<int64_t>((uint64_t(1) << (width - 1)) - 1);
  int64_t lowest = isUnsigned ? 0 : -highest - 1;
  int64_t value = fn == ReduceFn::sum    ? 0
                  : fn == ReduceFn::prod ? 1
                  : fn == ReduceFn::max  ? lowest
                                         : highest;
  return k.intConstant(value, compute, lanes);
}

} // namespace hexin::codegen
