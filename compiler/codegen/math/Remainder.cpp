//===- Remainder.cpp - arith.remf as a loop ---------------------------------===//
//
// a mod b for a, b > 0 in f64: while |r| >= b, r -= trunc(r / b) b. The product of
// the rounded quotient and b differs from r by a number that f64 holds exactly, so
// one exact fma per step loses nothing; each step takes about 50 bits off the
// quotient. A quotient beyond the range of f64 is first reduced by b scaled up.
// f32 goes the same way in f64, where no quotient is too large.
//
//===----------------------------------------------------------------------===//
#include "compiler/codegen/LowerMath.h"
#include "compiler/codegen/math/MathBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <limits>

using namespace mlir;

namespace hexin {
namespace {

using arith::CmpFPredicate;

/// r mod b with the sign of r, in (-b, b), scalars; b > 0. NaN ends the loop.
Value reduceBy(MathBuilder &m, Value r, Value b) {
  OpBuilder &builder = m.builder();
  Location loc = m.location();
  auto loop = scf::WhileOp::create(builder, loc, TypeRange{m.type()}, ValueRange{r});
  OpBuilder::InsertionGuard guard(builder);
  Block *before = builder.createBlock(&loop.getBefore(), {}, {m.type()}, {loc});
  Value again = m.compare(CmpFPredicate::OGE, m.abs(before->getArgument(0)), b);
  scf::ConditionOp::create(builder, loc, again, before->getArguments());
  Block *after = builder.createBlock(&loop.getAfter(), {}, {m.type()}, {loc});
  Value current = after->getArgument(0);
  Value quotient = m.trunc(m.div(current, b));
  scf::YieldOp::create(builder, loc, m.exactFma(m.neg(quotient), b, current));
  return loop.getResult(0);
}

/// x mod y for f64 scalars. `wide`: quotients may exceed the range of f64.
Value emitRemainder(MathBuilder &m, Value x, Value y, bool wide) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  Value a = m.abs(x);
  Value b = m.abs(y);
  // x infinite or NaN, y zero or NaN: NaN. y infinite: x. The loop then sees
  // numbers only, and a divisor it can divide by.
  Value ok = m.logicalAnd(m.lt(a, inf), m.gt(b, 0));
  Value divisor = m.select(ok, b, m.constant(1));
  Value r = m.select(ok, a, m.constant(0));
  if (wide) {
    Value scaled = m.mul(divisor, 0x1p700);
    r = reduceBy(m, r, m.mul(scaled, 0x1p700));
    r = reduceBy(m, r, scaled);
  }
  r = reduceBy(m, r, divisor);
  r = m.select(m.lt(r, 0), m.add(r, divisor), r);
  r = m.copySign(r, x);
  return m.select(ok, r, m.constant(std::numeric_limits<double>::quiet_NaN()));
}

Value emitScalar(OpBuilder &b, Location loc, Value x, Value y) {
  Type type = x.getType();
  MathBuilder m(b, loc, b.getF64Type());
  if (type.isF64())
    return emitRemainder(m, x, y, /*wide=*/true);
  Value r =
      emitRemainder(m, arith::ExtFOp::create(b, loc, b.getF64Type(), x),
                    arith::ExtFOp::create(b, loc, b.getF64Type(), y), /*wide=*/false);
  return arith::TruncFOp::create(b, loc, type, r);
}

void lowerOp(arith::RemFOp op) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto vector = dyn_cast<VectorType>(op.getType());
  Value result;
  if (!vector) {
    result = emitScalar(b, loc, op.getLhs(), op.getRhs());
  } else {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < vector.getNumElements(); ++i)
      elements.push_back(emitScalar(b, loc,
                                    vector::ExtractOp::create(b, loc, op.getLhs(), i),
                                    vector::ExtractOp::create(b, loc, op.getRhs(), i)));
    result = vector::FromElementsOp::create(b, loc, vector, elements);
  }
  op.replaceAllUsesWith(result);
  op.erase();
}

} // namespace

LogicalResult lowerRemainder(ModuleOp kernels) {
  SmallVector<arith::RemFOp> ops;
  WalkResult walk = kernels.walk([&](arith::RemFOp op) {
    if (auto vector = dyn_cast<VectorType>(op.getType());
        vector && vector.getRank() != 1) {
      op.emitOpError("expected a scalar or a 1-D vector, got ") << vector;
      return WalkResult::interrupt();
    }
    ops.push_back(op);
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  kernels.getContext()->loadDialect<scf::SCFDialect, vector::VectorDialect>();
  for (arith::RemFOp op : ops)
    lowerOp(op);
  return success();
}

} // namespace hexin
