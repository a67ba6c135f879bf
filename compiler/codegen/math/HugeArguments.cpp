//===- HugeArguments.cpp - x modulo pi/2 where x is far beyond pi -----------------===//
//
// Payne and Hanek: |x| = M 2^E with an integer M of 24 or 53 bits. Of the bits of
// 2/pi, those with a weight above 2 / 2^E add multiples of 4 to |x| 2/pi and are left
// out; of the rest 96 (f32) or 192 (f64) bits are enough. Their product with M in
// integers, taken modulo 4, holds the quadrant in its two highest bits and the
// fraction in the others: with at least 33 (64) right bits behind its leading zeros,
// since no float comes nearer to a multiple of pi/2 than 2^-30 (2^-62).
//
// All of it is 64-bit integer arithmetic without a table in memory or a division, so
// that vectors go this way, too.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

using namespace mlir;

namespace hexin::mathfn {
namespace {

/// The bits of 2/pi behind its point, after `leadingZeros` zeros.
constexpr int leadingZeros = 8;
constexpr uint64_t twoOverPi[] = {
    0x00a2f9836e4e4415, 0x29fc2757d1f534dd, 0xc0db6295993c4390, 0x41fe5163abdebbc5,
    0x61b7246e3a424dd2, 0xe006492eea09d192, 0x1cfe1deb1cb129a7, 0x3ee88235f52ebb44,
    0x84e99c7026b45f7e, 0x413991d639835339, 0xf49c845f8bbdf928, 0x3b1ff897ffde0598,
    0x0fef2f118b5a0a6d, 0x1f6d367ecf27cb09, 0xb74f463f669e5fea, 0x2d7527bac7ebe5f1,
    0x7b3d0739f78a5292, 0xea6bfb5fb11f8d5d, 0x0856033046fc7b6b,
};

/// Arithmetic on unsigned integers of 64 bits, as many as `m` has lanes.
struct Words {
  MathBuilder &m;
  OpBuilder &b = m.builder();
  Location loc = m.location();
  Type type = like(b.getI64Type());

  Type like(Type element) {
    auto vector = dyn_cast<VectorType>(m.type());
    return vector ? Type(vector.clone(element)) : element;
  }
  Value c(uint64_t value) {
    auto attr = b.getI64IntegerAttr(static_cast<int64_t>(value));
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(b, loc,
                                       DenseElementsAttr::get(vector, attr.getValue()));
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value bitXor(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value low(Value x, unsigned bits) {
    return arith::AndIOp::create(b, loc, x, c((uint64_t(1) << bits) - 1));
  }
  Value shl(Value x, Value bits) { return arith::ShLIOp::create(b, loc, x, bits); }
  Value shr(Value x, Value bits) { return arith::ShRUIOp::create(b, loc, x, bits); }
  Value shl(Value x, unsigned bits) { return shl(x, c(bits)); }
  Value shr(Value x, unsigned bits) { return shr(x, c(bits)); }
  Value is(arith::CmpIPredicate p, Value x, uint64_t y) {
    return arith::CmpIOp::create(b, loc, p, x, c(y));
  }
  /// All ones where x is negative, else zeros.
  Value signMask(Value x) { return arith::ShRSIOp::create(b, loc, x, c(63)); }

  Value ofFloat(Value x) {
    Value bits = m.toBits(x);
    return m.isF64() ? bits : Value(arith::ExtUIOp::create(b, loc, type, bits));
  }
  /// As wide as the float.
  Value toInt(Value x) {
    if (m.isF64())
      return x;
    return arith::TruncIOp::create(b, loc, like(b.getI32Type()), x);
  }
  /// x as a float; x has no more bits than its fraction.
  Value toFloat(Value x) { return arith::SIToFPOp::create(b, loc, m.type(), toInt(x)); }
};

/// `count` words of 64 bits of the table from bit `offset` on. `maxOffset` bounds it.
SmallVector<Value> tableWindow(Words &w, Value offset, unsigned maxOffset,
                               unsigned count) {
  SmallVector<Value> words;
  unsigned last = maxOffset / 64 + count; // one more word: the window starts inside one
  for (uint64_t word : ArrayRef(twoOverPi).take_front(last + 1))
    words.push_back(w.c(word));
  // Shift by whole words, bit by bit of their number.
  Value index = w.shr(offset, 6);
  for (unsigned bit = llvm::bit_floor(maxOffset / 64); bit; bit /= 2) {
    Value isSet = w.is(arith::CmpIPredicate::ne,
                       arith::AndIOp::create(w.b, w.loc, index, w.c(bit)), 0);
    size_t rest = std::min<size_t>(words.size() - bit, count + bit);
    for (size_t i = 0; i < rest; ++i)
      words[i] = w.m.select(isSet, words[i + bit], words[i]);
    words.truncate(rest);
  }
  // And by the rest; a shift by 64 is split, as it would be undefined.
  Value shift = w.low(offset, 6);
  Value back = w.bitXor(shift, w.c(63));
  for (unsigned i = 0; i < count; ++i)
    words[i] = w.bitOr(w.shl(words[i], shift), w.shr(w.shr(words[i + 1], 1), back));
  words.truncate(count);
  return words;
}

/// The product of `factor` and `window`, numbers in limbs of 32 bits (the highest
/// first), modulo 2^32 to the number of limbs of `window`, without as many of its
/// lowest limbs as `factor` has.
SmallVector<Value> productLimbs(Words &w, ArrayRef<Value> factor,
                                ArrayRef<Value> window) {
  size_t size = window.size();
  SmallVector<Value> sums(size, Value()); // by weight, the highest first
  auto addTo = [&](size_t place, Value x) {
    sums[place] = sums[place] ? w.add(sums[place], x) : x;
  };
  for (auto [i, f] : llvm::enumerate(llvm::reverse(factor)))
    for (auto [j, x] : llvm::enumerate(window)) {
      if (j < i) // a multiple of the modulus
        continue;
      Value product = w.mul(f, x);
      size_t place = j - i;
      addTo(place, w.low(product, 32));
      if (place > 0)
        addTo(place - 1, w.shr(product, 32));
    }
  for (size_t place = size - 1; place > 0; --place)
    addTo(place - 1, w.shr(sums[place], 32));
  sums.truncate(size - factor.size());
  for (Value &limb : sums)
    limb = w.low(limb, 32);
  return sums;
}

/// (high + middle + low) pi/2; each is as large as the last bit of the one before it
/// at most.
Value timesHalfPi(MathBuilder &m, Value high, Value middle, Value low) {
  Value head = m.add(high, middle);
  Value tail = m.add(m.sub(middle, m.sub(head, high)), low);
  Value halfPi = m.constant(1.57079637, 1.5707963267948966);
  Value halfPiTail = m.constant(-4.37113883e-08, 6.123233995736766e-17);
  return m.exactFma(head, halfPi, m.exactFma(head, halfPiTail, m.mul(tail, halfPi)));
}

} // namespace

Reduced reduceHuge(MathBuilder &m, Value x) {
  Words w{m};
  unsigned fractionBits = m.isF64() ? 52 : 23, bias = m.isF64() ? 1023 : 127;
  Value bits = w.ofFloat(m.abs(x));
  Value mantissa = w.bitOr(w.low(bits, fractionBits), w.c(uint64_t(1) << fractionBits));
  // The window begins with the bit of weight 2 / 2^E: bit E - 1, counted from 1. Other
  // lanes than those that matter here stay inside of the table.
  unsigned smallest = bias + fractionBits + 2 - leadingZeros, maxOffset = bias;
  Value exponent = w.shr(bits, fractionBits);
  Value isBelow = w.is(arith::CmpIPredicate::ult, exponent, smallest);
  exponent = m.select(isBelow, w.c(smallest), exponent);
  Value offset = w.sub(exponent, w.c(smallest));

  SmallVector<Value> window, factor = {w.low(mantissa, 32)};
  for (Value word : tableWindow(w, offset, maxOffset, m.isF64() ? 3 : 2)) {
    window.push_back(w.shr(word, 32));
    window.push_back(w.low(word, 32));
  }
  if (m.isF64())
    factor.insert(factor.begin(), w.shr(mantissa, 32));
  else
    window.pop_back();
  SmallVector<Value> product = productLimbs(w, factor, window);

  // In units of 2^-62: the two highest bits are the quadrant, rounded to the nearest.
  Value units = w.bitOr(w.shl(product[0], 32), product[1]);
  Value quadrant = w.shr(w.add(units, w.c(uint64_t(1) << 61)), 62);
  Value fraction = w.sub(units, w.shl(quadrant, 62));
  Value negative = w.signMask(fraction);
  Value high, middle, low;
  if (m.isF64()) {
    Value rest = w.bitOr(w.shl(product[2], 32), product[3]); // units of 2^-126
    // Of the 128 bits: the two's complement carries only out of a rest of zero.
    Value carries = w.is(arith::CmpIPredicate::eq, rest, 0);
    Value magnitude = w.bitXor(fraction, negative);
    Value plusOne = w.sub(magnitude, negative);
    magnitude = m.select(carries, plusOne, magnitude);
    rest = w.sub(w.bitXor(rest, negative), negative);
    high = m.mul(w.toFloat(w.shr(magnitude, 10)), 0x1p-52);
    Value inner = w.bitOr(w.shl(w.low(magnitude, 10), 43), w.shr(rest, 21));
    middle = m.mul(w.toFloat(inner), 0x1p-105);
    low = m.mul(w.toFloat(w.low(rest, 21)), 0x1p-126);
  } else {
    Value magnitude = w.sub(w.bitXor(fraction, negative), negative);
    high = m.mul(w.toFloat(w.shr(magnitude, 38)), 0x1p-24);
    middle = m.mul(w.toFloat(w.low(w.shr(magnitude, 14), 24)), 0x1p-48);
    low = m.mul(w.toFloat(w.low(magnitude, 14)), 0x1p-62);
  }
  Value r = timesHalfPi(m, high, middle, low);
  Value isNegative = w.is(arith::CmpIPredicate::ne, negative, 0);
  r = m.select(isNegative, m.neg(r), r);

  // sin and tan of -x: of n quadrants and r less.
  Value below = m.lt(x, 0);
  quadrant = m.select(below, w.sub(w.c(0), quadrant), quadrant);
  return {m.select(below, m.neg(r), r), w.toInt(quadrant)};
}

} // namespace hexin::mathfn
