//===- Trigonometric.cpp - sin, cos, tan -------------------------------------------===//
//
// x = n pi/2 + r, |r| <= pi/4, by three exact fma steps with pi/2 in three parts:
// good to the last bits of r while n has no more bits than the float can hold
// beside its fraction. Beyond that: HugeArguments.cpp, behind a branch.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/math/Functions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace hexin::mathfn {
namespace {

// sin r = r + r^3 s(r^2), cos r = 1 - r^2/2 + r^4 c(r^2) on |r| <= pi/4; errors
// 2^-37, 2^-68.
const double sinF32[] = {-0.166666672, 0.00833332911, -0.000198393274, 2.71823524e-06};
const double sinF64[] = {-0.16666666666666666,    0.0083333333333333228,
                         -0.00019841269841254982, 2.7557319214145432e-06,
                         -2.5052104899767877e-08, 1.6058365106186168e-10,
                         -7.5786216124712904e-13};
const double cosF32[] = {0.0416666679, -0.00138888834, 2.47995122e-05, -2.72095122e-07};
const double cosF64[] = {0.041666666666666664,   -0.0013888888888888874,
                         2.480158730157136e-05,  -2.7557319215317972e-07,
                         2.0876754353115965e-09, -1.1470291781376956e-11,
                         4.7380417353457386e-14};

Reduced reduceModerate(MathBuilder &m, Value x) {
  auto n = m.roundScaled(x, 0.63661977236758134);
  Value r = m.exactFma(n.value, m.constant(-1.57079637, -1.5707963267948966), x);
  r = m.exactFma(n.value, m.constant(4.37113883e-08, -6.123233995736766e-17), r);
  r = m.exactFma(n.value, m.constant(1.71512451e-15, 1.4973849048591698e-33), r);
  return {r, n.integer};
}

/// Whether any lane is set.
Value any(MathBuilder &m, Value mask) {
  if (!isa<VectorType>(mask.getType()))
    return mask;
  return vector::ReductionOp::create(m.builder(), m.location(), vector::CombiningKind::OR,
                                     mask);
}

/// Infinities and NaN have r = NaN. Huge x are rare: vectors without one pass them by.
Reduced reduce(MathBuilder &m, Value x) {
  OpBuilder &b = m.builder();
  Value a = m.abs(x);
  Value fits = m.lt(a, m.both(4e6, 1e15));
  Value isHuge =
      m.logicalAnd(m.compare(arith::CmpFPredicate::OGE, a, m.constant(4e6, 1e15)),
                   m.lt(a, std::numeric_limits<double>::infinity()));
  Reduced moderate = reduceModerate(m, m.select(fits, x, m.mul(x, 0)));
  auto branch = scf::IfOp::create(
      b, m.location(), TypeRange{moderate.r.getType(), moderate.quadrant.getType()},
      any(m, isHuge), /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Reduced huge = reduceHuge(m, x);
  scf::YieldOp::create(b, m.location(),
                       ValueRange{m.select(isHuge, huge.r, moderate.r),
                                  m.select(isHuge, huge.quadrant, moderate.quadrant)});
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, m.location(), ValueRange{moderate.r, moderate.quadrant});
  return {branch.getResult(0), branch.getResult(1)};
}

Value sinReduced(MathBuilder &m, Value r, Value square) {
  Value p = m.polynomial(square,
                         m.isF64() ? ArrayRef<double>(sinF64) : ArrayRef<double>(sinF32));
  return m.fma(m.mul(r, square), p, r);
}

Value cosReduced(MathBuilder &m, Value square) {
  Value p = m.polynomial(square,
                         m.isF64() ? ArrayRef<double>(cosF64) : ArrayRef<double>(cosF32));
  Value head = m.fma(square, m.constant(-0.5), m.constant(1));
  return m.fma(m.mul(square, square), p, head);
}

Value isOdd(MathBuilder &m, Value n) { return m.isNonZeroInt(m.andInt(n, m.integer(1))); }

/// -x where bit 1 of n is set.
Value negateBySecondBit(MathBuilder &m, Value x, Value n) {
  Value sign = m.shl(m.andInt(n, m.integer(2)), m.isF64() ? 62 : 30);
  return m.fromBits(m.xorInt(m.toBits(x), sign));
}

/// Tiny x: itself, which keeps -0 and denormals.
Value orTiny(MathBuilder &m, Value x, Value result) {
  return m.select(m.lt(m.abs(x), m.both(0x1p-13, 0x1p-27)), x, result);
}

} // namespace

Value sin(MathBuilder &m, Value x) {
  Reduced d = reduce(m, x);
  Value square = m.mul(d.r, d.r);
  Value result =
      m.select(isOdd(m, d.quadrant), cosReduced(m, square), sinReduced(m, d.r, square));
  return orTiny(m, x, negateBySecondBit(m, result, d.quadrant));
}

Value cos(MathBuilder &m, Value x) {
  Reduced d = reduce(m, x);
  Value square = m.mul(d.r, d.r);
  Value result =
      m.select(isOdd(m, d.quadrant), sinReduced(m, d.r, square), cosReduced(m, square));
  return negateBySecondBit(m, result, m.addInt(d.quadrant, m.integer(1)));
}

Value tan(MathBuilder &m, Value x) {
  Reduced d = reduce(m, x);
  Value square = m.mul(d.r, d.r);
  Value s = sinReduced(m, d.r, square);
  Value c = cosReduced(m, square);
  Value odd = isOdd(m, d.quadrant);
  return orTiny(m, x, m.div(m.select(odd, m.neg(c), s), m.select(odd, s, c)));
}

} // namespace hexin::mathfn
