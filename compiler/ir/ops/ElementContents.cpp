#include "compiler/ir/ops/ElementContents.h"

#include "compiler/ir/ops/Checks.h"

using namespace mlir;

namespace hexin::hx {

static Dim logicalNot(SymbolTable &symbols, Dim x) {
  return symbols.eq(x, symbols.constant(0));
}

Dim computeUnary(SymbolTable &symbols, UnaryFn fn, Dim x) {
  switch (fn) {
  case UnaryFn::abs:
    return symbols.max(x, symbols.mul(x, symbols.constant(-1)));
  case UnaryFn::neg:
    return symbols.mul(x, symbols.constant(-1));
  case UnaryFn::sign:
    return symbols.sub(symbols.lt(symbols.constant(0), x),
                       symbols.lt(x, symbols.constant(0)));
  case UnaryFn::floor:
  case UnaryFn::ceil:
  case UnaryFn::trunc:
  case UnaryFn::round_even:
    return x; // contents are integers, of whatever type
  case UnaryFn::logical_not:
    return logicalNot(symbols, x);
  default:
    return {};
  }
}

/// Truncating division as hx has it: x/0 is 0.
static Dim truncatingDiv(SymbolTable &symbols, Dim a, Dim b) {
  auto x = SymbolTable::constantValue(a), y = SymbolTable::constantValue(b);
  if (y && *y == 0)
    return b;
  if (x && y)
    return symbols.constant(*y == -1 ? static_cast<int64_t>(0 - static_cast<uint64_t>(*x))
                                     : *x / *y);
  Dim zero = symbols.constant(0);
  auto negated = [&](Dim dim) { return symbols.mul(dim, symbols.constant(-1)); };
  if (symbols.lowerBound(b) < 1) {
    // By the divisor's magnitude; at least 1, as both sides of a choice may be looked at.
    Dim magnitude = symbols.max(symbols.max(b, negated(b)), symbols.constant(1));
    Dim quotient = truncatingDiv(symbols, a, magnitude);
    Dim withSign = symbols.select(symbols.lt(b, zero), negated(quotient), quotient);
    return symbols.select(symbols.eq(b, zero), zero, withSign);
  }
  if (symbols.lowerBound(a) >= 0)
    return symbols.floorDiv(a, b);
  Dim fromBelow = negated(symbols.floorDiv(negated(a), b));
  if (symbols.upperBound(a) <= 0)
    return fromBelow;
  return symbols.select(symbols.lt(a, zero), fromBelow, symbols.floorDiv(a, b));
}

Dim computeBinary(SymbolTable &symbols, BinaryFn fn, Type type, Dim a, Dim b) {
  bool isBool = type.isInteger(1);
  auto x = SymbolTable::constantValue(a), y = SymbolTable::constantValue(b);
  switch (fn) {
  case BinaryFn::add:
    return symbols.add(a, b);
  case BinaryFn::sub:
    return symbols.sub(a, b);
  case BinaryFn::mul:
    return symbols.mul(a, b);
  case BinaryFn::div:
    if (isa<FloatType>(type)) // exact, or no longer an integer
      return x && y && *y > 0 && *x % *y == 0 ? symbols.constant(*x / *y) : Dim();
    return truncatingDiv(symbols, a, b);
  case BinaryFn::mod:
    return symbols.lowerBound(b) >= 1 ? symbols.mod(a, b) : Dim();
  case BinaryFn::fmod: // takes the sign of a
    if (symbols.lowerBound(b) < 1)
      return {};
    if (symbols.lowerBound(a) >= 0)
      return symbols.mod(a, b);
    return symbols.sub(a, symbols.mul(truncatingDiv(symbols, a, b), b));
  case BinaryFn::min:
    return symbols.min(a, b);
  case BinaryFn::max:
    return symbols.max(a, b);
  case BinaryFn::bit_and:
    return isBool ? symbols.mul(a, b) : Dim();
  case BinaryFn::bit_or:
    return isBool ? symbols.max(a, b) : Dim();
  case BinaryFn::bit_xor:
    return isBool ? logicalNot(symbols, symbols.eq(a, b)) : Dim();
  case BinaryFn::pow:
    return y && *y == 1 ? a : y && *y == 2 ? symbols.mul(a, a) : Dim();
  case BinaryFn::shl:
    return y && *y >= 0 && *y < 32 ? symbols.mul(a, symbols.constant(int64_t(1) << *y))
                                   : Dim();
  case BinaryFn::shr:
    return y && *y >= 0 && *y < 32
               ? symbols.floorDiv(a, symbols.constant(int64_t(1) << *y))
               : Dim();
  }
  return {};
}

Dim computeCast(SymbolTable &symbols, Type to, Dim x) {
  if (to.isInteger(1))
    return logicalNot(symbols, logicalNot(symbols, x));
  auto integer = dyn_cast<IntegerType>(to);
  if (!integer)
    return isArithmeticFloat(to) && to.getIntOrFloatBitWidth() >= 32 ? x : Dim();
  if (integer.getWidth() == 64)
    return x;
  // Narrower types only where nothing can be cut off.
  unsigned bits = integer.getWidth() - (integer.isUnsigned() ? 0 : 1);
  int64_t most = (int64_t(1) << bits) - 1, least = integer.isUnsigned() ? 0 : -most - 1;
  if (symbols.lowerBound(x) >= least && symbols.upperBound(x) <= most)
    return x;
  // A size in 32 bits: tensors of 2^31 elements along an axis do not come up in
  // models that compute shapes in i32.
  bool isSize = integer.getWidth() == 32 && symbols.lowerBound(x) >= least;
  return isSize && !SymbolTable::constantValue(x) ? x : Dim();
}

} // namespace hexin::hx
