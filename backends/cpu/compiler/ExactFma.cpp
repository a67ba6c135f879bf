#include "backends/cpu/compiler/ExactFma.h"

#include "compiler/codegen/LowerMath.h"
#include "compiler/codegen/math/MathBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace hexin::cpu {
namespace {

/// The upper 26 bits of x's significand, rounded to nearest, so that the rest has
/// 26 bits too. By bits, not by a multiplication, which could overflow; where the
/// rounding itself would, the bits are cut off.
Value upperHalf(MathBuilder &m, Value x) {
  Value isTop = m.gt(m.abs(x), 0x1.fffffp1023);
  Value half = m.select(isTop, m.integer(0), m.integer(int64_t(1) << 26));
  Value rounded = m.addInt(m.toBits(x), half);
  return m.fromBits(m.andInt(rounded, m.integer(-(int64_t(1) << 27))));
}

/// x * y = p + e exactly (p the rounded product); z + p = s + t exactly. Near the
/// largest numbers all is scaled down, where partial products would overflow.
Value fmaF64(MathBuilder &m, Value x, Value y, Value z) {
  Value isBig = m.gt(m.abs(m.mul(x, y)), 0x1p1000);
  Value scale = m.select(isBig, m.constant(0x1p-64), m.constant(1));
  x = m.mul(x, scale);
  z = m.mul(z, scale);
  Value p = m.mul(x, y);
  Value xHigh = upperHalf(m, x), yHigh = upperHalf(m, y);
  Value xLow = m.sub(x, xHigh), yLow = m.sub(y, yHigh);
  Value e = m.sub(m.mul(xHigh, yHigh), p);
  e = m.add(e, m.mul(xHigh, yLow));
  e = m.add(e, m.mul(xLow, yHigh));
  e = m.add(e, m.mul(xLow, yLow));
  Value s = m.add(p, z);
  Value fromZ = m.sub(s, p);
  Value t = m.add(m.sub(p, m.sub(s, fromZ)), m.sub(z, fromZ));
  Value unscale = m.select(isBig, m.constant(0x1p64), m.constant(1));
  return m.mul(m.add(s, m.add(t, e)), unscale);
}

Value fmaF32(MathBuilder &m, math::FmaOp op) {
  OpBuilder &b = m.builder();
  auto wide = [&](Value v) -> Value {
    return arith::ExtFOp::create(b, op.getLoc(), m.type(), v);
  };
  Value sum = m.add(m.mul(wide(op.getA()), wide(op.getB())), wide(op.getC()));
  return arith::TruncFOp::create(b, op.getLoc(), op.getType(), sum);
}

} // namespace

void emulateExactFma(ModuleOp module) {
  SmallVector<math::FmaOp> ops;
  module.walk([&](math::FmaOp op) {
    if (op->hasAttr(exactFmaAttrName))
      ops.push_back(op);
  });
  for (math::FmaOp op : ops) {
    OpBuilder b(op);
    Type f64 = b.getF64Type();
    if (auto vector = dyn_cast<VectorType>(op.getType()))
      f64 = vector.clone(f64);
    MathBuilder m(b, op.getLoc(), f64);
    Value result =
        op.getType() == f64 ? fmaF64(m, op.getA(), op.getB(), op.getC()) : fmaF32(m, op);
    op.replaceAllUsesWith(result);
    op.erase();
  }
}

} // namespace hexin::cpu
