#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/Lanes.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {
namespace {

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
    // NaN is its own sign; that of -0 is 0, as in the reference: -0 + 0 is 0.
    Value isNonZero = l.cmpf(arith::CmpFPredicate::ONE, x, l.f(0, t));
    return l.select(isNonZero, signedOne, l.op<arith::AddFOp>(x, l.f(0, t)));
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
    return emitSigmoid(l, x);
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

} // namespace

Value emitSigmoid(Lanes &l, Value x) {
  // e^-|x| stays below 1.
  Type t = getElementTypeOrSelf(x.getType());
  Value e = l.op<math::ExpOp>(l.op<arith::NegFOp>(l.op<math::AbsFOp>(x)));
  Value r = l.op<arith::DivFOp>(l.f(1, t), l.op<arith::AddFOp>(l.f(1, t), e));
  Value isNegative = l.cmpf(arith::CmpFPredicate::OLT, x, l.f(0, t));
  return l.select(isNegative, l.op<arith::MulFOp>(e, r), r);
}

Value emitUnary(KernelBuilder &k, hx::UnaryFn fn, Value x, Type type) {
  Lanes l(k, x);
  if (isa<FloatType>(type))
    return unaryFloat(l, fn, x);
  return unaryInt(l, fn, x, type);
}

} // namespace hexin::codegen
