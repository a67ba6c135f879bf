#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/scalars/IntegerArithmetic.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {
namespace {

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

} // namespace

Value emitBinary(KernelBuilder &k, hx::BinaryFn fn, Value x, Value y, Type type) {
  Lanes l(k, x);
  if (isa<FloatType>(type))
    return binaryFloat(l, fn, x, y);
  return binaryInt(l, fn, x, y, type);
}

} // namespace hexin::codegen
