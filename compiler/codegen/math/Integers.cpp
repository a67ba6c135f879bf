#include "compiler/codegen/math/Integers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace hexin::mathfn {
namespace {

Value constantLike(OpBuilder &b, Location loc, Type type, int64_t value) {
  auto attr = b.getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(vector, attr.getValue()));
  return arith::ConstantOp::create(b, loc, attr);
}

/// `byte` in every byte of the type.
Value bytePattern(OpBuilder &b, Location loc, Type type, unsigned byte) {
  unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  APInt pattern = APInt::getSplat(bits, APInt(8, byte));
  return constantLike(b, loc, type, pattern.getSExtValue());
}

} // namespace

Value absoluteValue(OpBuilder &b, Location loc, Value x) {
  Value zero = constantLike(b, loc, x.getType(), 0);
  return arith::MaxSIOp::create(b, loc, x, arith::SubIOp::create(b, loc, zero, x));
}

// Sums of bits in pairs, nibbles and bytes; a multiplication adds the bytes.
Value countOnes(OpBuilder &b, Location loc, Value x) {
  Type type = x.getType();
  unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  auto shift = [&](Value v, unsigned n) -> Value {
    return arith::ShRUIOp::create(b, loc, v, constantLike(b, loc, type, n));
  };
  auto mask = [&](Value v, unsigned byte) -> Value {
    return arith::AndIOp::create(b, loc, v, bytePattern(b, loc, type, byte));
  };
  x = arith::SubIOp::create(b, loc, x, mask(shift(x, 1), 0x55));
  x = arith::AddIOp::create(b, loc, mask(x, 0x33), mask(shift(x, 2), 0x33));
  x = mask(arith::AddIOp::create(b, loc, x, shift(x, 4)), 0x0f);
  x = arith::MulIOp::create(b, loc, x, bytePattern(b, loc, type, 0x01));
  return shift(x, bits - 8);
}

Value countLeadingZeros(OpBuilder &b, Location loc, Value x) {
  Type type = x.getType();
  unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  for (unsigned n = 1; n < bits; n *= 2)
    x = arith::OrIOp::create(
        b, loc, x, arith::ShRUIOp::create(b, loc, x, constantLike(b, loc, type, n)));
  return countOnes(b, loc,
                   arith::XOrIOp::create(b, loc, x, constantLike(b, loc, type, -1)));
}

Value countTrailingZeros(OpBuilder &b, Location loc, Value x) {
  Type type = x.getType();
  Value below = arith::SubIOp::create(b, loc, x, constantLike(b, loc, type, 1));
  Value inverted = arith::XOrIOp::create(b, loc, x, constantLike(b, loc, type, -1));
  return countOnes(b, loc, arith::AndIOp::create(b, loc, inverted, below));
}

Value integerPower(OpBuilder &b, Location loc, Value x, Value n) {
  Type type = x.getType();
  unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  Value zero = constantLike(b, loc, type, 0);
  Value one = constantLike(b, loc, type, 1);
  Value minusOne = constantLike(b, loc, type, -1);
  auto isEqual = [&](Value u, Value v) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, u, v);
  };
  auto select = [&](Value c, Value u, Value v) -> Value {
    return arith::SelectOp::create(b, loc, c, u, v);
  };
  auto index = [&](int64_t v) -> Value {
    return arith::ConstantIndexOp::create(b, loc, v);
  };
  auto loop =
      scf::ForOp::create(b, loc, index(0), index(bits), index(1), ValueRange{one, x, n});
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    auto args = loop.getRegionIterArgs();
    Value bit = arith::AndIOp::create(b, loc, args[2], one);
    Value factor = select(isEqual(bit, zero), one, args[1]);
    Value result = arith::MulIOp::create(b, loc, args[0], factor);
    Value square = arith::MulIOp::create(b, loc, args[1], args[1]);
    Value rest = arith::ShRUIOp::create(b, loc, args[2], one);
    scf::YieldOp::create(b, loc, ValueRange{result, square, rest});
  }
  // Negative n: 1 for x = 1, +-1 for x = -1 (the sign is that of the parity,
  // which the loop has right), else 0.
  Value isUnit = arith::OrIOp::create(b, loc, isEqual(x, one), isEqual(x, minusOne));
  Value isNegative = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, n, zero);
  return select(isNegative, select(isUnit, loop.getResult(0), zero), loop.getResult(0));
}

} // namespace hexin::mathfn
