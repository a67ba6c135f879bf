#include "compiler/codegen/LowerMath.h"

#include "compiler/codegen/math/Functions.h"
#include "compiler/codegen/math/Integers.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;

namespace hexin {
namespace {

using arith::CmpFPredicate;

constexpr double inf = std::numeric_limits<double>::infinity();

bool isInstruction(Operation *op) {
  return isa<math::FmaOp, math::SqrtOp, math::AbsFOp, math::FloorOp, math::CeilOp,
             math::TruncOp, math::RoundEvenOp, math::CopySignOp>(op);
}

bool isNarrowFloat(Type type) {
  Type element = getElementTypeOrSelf(type);
  return isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32;
}

Type withElementType(Type type, Type element) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector.clone(element);
  return element;
}

/// Computes `op`, which is on f16 or bf16, in f32: extends its operands, truncates
/// its results. `op` itself becomes the f32 op.
void widen(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  for (OpOperand &operand : op->getOpOperands())
    if (isNarrowFloat(operand.get().getType()))
      operand.set(arith::ExtFOp::create(
          b, loc, withElementType(operand.get().getType(), b.getF32Type()),
          operand.get()));
  b.setInsertionPointAfter(op);
  for (OpResult result : op->getResults()) {
    Type narrow = result.getType();
    if (!isNarrowFloat(narrow))
      continue;
    result.setType(withElementType(narrow, b.getF32Type()));
    auto truncated = arith::TruncFOp::create(b, loc, narrow, result);
    result.replaceAllUsesExcept(truncated, truncated);
  }
}

/// Half away from zero: the largest number below 1/2 keeps values just below a
/// half from rounding up in the sum.
Value roundAway(MathBuilder &m, Value x) {
  return m.trunc(
      m.add(x, m.copySign(m.constant(0x1.fffffep-2, 0x1.fffffffffffffp-2), x)));
}

Value isNormal(MathBuilder &m, Value x) {
  Value a = m.abs(x);
  Value notTiny = m.compare(CmpFPredicate::OGE, a, m.constant(0x1p-126, 0x1p-1022));
  return m.logicalAnd(notTiny, m.lt(a, inf));
}

/// The value of a float function, null when `op` has no lowering. `m` is of the
/// type of the first operand.
Value emitFloat(Operation *op, MathBuilder &m) {
  auto x = [&] { return op->getOperand(0); };
  auto y = [&] { return op->getOperand(1); };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<math::ExpOp>([&](auto) { return mathfn::exp(m, x()); })
      .Case<math::Exp2Op>([&](auto) { return mathfn::exp2(m, x()); })
      .Case<math::ExpM1Op>([&](auto) { return mathfn::expm1(m, x()); })
      .Case<math::LogOp>([&](auto) { return mathfn::log(m, x()); })
      .Case<math::Log2Op>([&](auto) { return mathfn::log2(m, x()); })
      .Case<math::Log10Op>([&](auto) { return mathfn::log10(m, x()); })
      .Case<math::Log1pOp>([&](auto) { return mathfn::log1p(m, x()); })
      .Case<math::SinOp>([&](auto) { return mathfn::sin(m, x()); })
      .Case<math::CosOp>([&](auto) { return mathfn::cos(m, x()); })
      .Case<math::TanOp>([&](auto) { return mathfn::tan(m, x()); })
      .Case<math::AsinOp>([&](auto) { return mathfn::asin(m, x()); })
      .Case<math::AcosOp>([&](auto) { return mathfn::acos(m, x()); })
      .Case<math::AtanOp>([&](auto) { return mathfn::atan(m, x()); })
      .Case<math::Atan2Op>([&](auto) { return mathfn::atan2(m, x(), y()); })
      .Case<math::SinhOp>([&](auto) { return mathfn::sinh(m, x()); })
      .Case<math::CoshOp>([&](auto) { return mathfn::cosh(m, x()); })
      .Case<math::TanhOp>([&](auto) { return mathfn::tanh(m, x()); })
      .Case<math::AsinhOp>([&](auto) { return mathfn::asinh(m, x()); })
      .Case<math::AcoshOp>([&](auto) { return mathfn::acosh(m, x()); })
      .Case<math::AtanhOp>([&](auto) { return mathfn::atanh(m, x()); })
      .Case<math::ErfOp>([&](auto) { return mathfn::erf(m, x()); })
      .Case<math::PowFOp>([&](auto) { return mathfn::pow(m, x(), y()); })
      .Case<math::CbrtOp>([&](auto) { return mathfn::cbrt(m, x()); })
      .Case<math::RsqrtOp>([&](auto) { return m.div(m.constant(1), m.sqrt(x())); })
      .Case<math::RoundOp>([&](auto) { return roundAway(m, x()); })
      .Case<math::ClampFOp>([&](math::ClampFOp clamp) -> Value {
        Value low =
            arith::MaximumFOp::create(m.builder(), m.location(), x(), clamp.getMin());
        return arith::MinimumFOp::create(m.builder(), m.location(), low, clamp.getMax());
      })
      .Case<math::IsNaNOp>([&](auto) { return m.isNan(x()); })
      .Case<math::IsInfOp>([&](auto) { return m.eq(m.abs(x()), inf); })
      .Case<math::IsFiniteOp>([&](auto) { return m.lt(m.abs(x()), inf); })
      .Case<math::IsNormalOp>([&](auto) { return isNormal(m, x()); })
      .Case<math::FPowIOp>([&](auto) -> Value {
        Value power = arith::SIToFPOp::create(m.builder(), m.location(), m.type(), y());
        return mathfn::pow(m, x(), power);
      })
      .Default([](Operation *) { return Value(); });
}

Value emitInteger(Operation *op, OpBuilder &b) {
  Value x = op->getOperand(0);
  Location loc = op->getLoc();
  if (isa<math::AbsIOp>(op))
    return mathfn::absoluteValue(b, loc, x);
  if (isa<math::CtPopOp>(op))
    return mathfn::countOnes(b, loc, x);
  if (isa<math::CountLeadingZerosOp>(op))
    return mathfn::countLeadingZeros(b, loc, x);
  if (isa<math::CountTrailingZerosOp>(op))
    return mathfn::countTrailingZeros(b, loc, x);
  if (isa<math::IPowIOp>(op))
    return mathfn::integerPower(b, loc, x, op->getOperand(1));
  return {};
}

bool isSupportedInteger(Type element) {
  return element.isInteger(8) || element.isInteger(16) || element.isInteger(32) ||
         element.isInteger(64);
}

LogicalResult lowerOp(Operation *op, Underflow underflow) {
  if (isNarrowFloat(op->getOperand(0).getType()))
    widen(op);
  if (isInstruction(op))
    return success();
  OpBuilder b(op);
  Type type = op->getOperand(0).getType();
  Type element = getElementTypeOrSelf(type);
  SmallVector<Value, 2> results;
  if (element.isF32() || element.isF64()) {
    MathBuilder m(b, op->getLoc(), type, underflow == Underflow::slow);
    if (isa<math::SincosOp>(op))
      results = {mathfn::sin(m, op->getOperand(0)), mathfn::cos(m, op->getOperand(0))};
    else
      results = {emitFloat(op, m)};
  } else if (isSupportedInteger(element)) {
    results = {emitInteger(op, b)};
  } else {
    return op->emitOpError("expected operands of f16, bf16, f32, f64 or i8 to i64, got ")
           << type;
  }
  if (!results[0])
    return op->emitOpError(
        "has no lowering to arithmetic; express it by other functions");
  op->replaceAllUsesWith(results);
  op->erase();
  return success();
}

} // namespace

LogicalResult lowerMath(ModuleOp kernels, Underflow underflow) {
  SmallVector<Operation *> ops;
  kernels.walk([&](Operation *op) {
    if (isa<math::MathDialect>(op->getDialect()))
      ops.push_back(op);
  });
  if (!ops.empty())
    kernels.getContext()
        ->loadDialect<arith::ArithDialect, math::MathDialect, scf::SCFDialect,
                      vector::VectorDialect>();
  for (Operation *op : ops)
    if (failed(lowerOp(op, underflow)))
      return failure();
  return success();
}

} // namespace hexin
