#include "compiler/codegen/scalars/IntegerArithmetic.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {

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
  // Square and multiply over the exponent's bits.
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

} // namespace hexin::codegen
