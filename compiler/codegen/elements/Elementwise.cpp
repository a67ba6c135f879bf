#include "compiler/codegen/elements/Rules.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

Value emitElement(ElementEmitter &emitter, hx::UnaryOp op, Index index, unsigned lanes) {
  Value x = emitter.readBroadcast(op.getInput(), op.getResult(), index, lanes);
  return emitUnary(emitter.kernel(), op.getFn(), x, elementType(op.getInput()));
}

/// Pow with an exponent of another type: an integer base with a float exponent is
/// computed in f64, then truncated. The exponent of a 16-bit float is not rounded to it.
static Value emitMixedPow(KernelBuilder &k, hx::BinaryFn fn, Value base, Type type,
                          Value exponent, Type exponentType) {
  if (isa<FloatType>(type)) {
    Type wide = computeType(type);
    return emitBinary(k, fn, base, emitCast(k, exponent, exponentType, wide), type);
  }
  if (!isa<FloatType>(exponentType))
    return emitBinary(k, fn, base, emitCast(k, exponent, exponentType, type), type);
  Type f64 = k.builder().getF64Type();
  Value wideBase = emitCast(k, base, type, f64);
  Value wideExponent = emitCast(k, exponent, exponentType, f64);
  return emitCast(k, emitBinary(k, fn, wideBase, wideExponent, f64), f64, type);
}

Value emitElement(ElementEmitter &emitter, hx::BinaryOp op, Index index, unsigned lanes) {
  Value lhs = emitter.readBroadcast(op.getLhs(), op.getResult(), index, lanes);
  // Quotients of larger divisors may be rounded below the normal range.
  constexpr float leastDivisor = 1;
  if (op.getFn() == hx::BinaryFn::div && elementType(op.getResult()).isF32())
    if (auto divisor = easyDivisor(emitter.kernel(), op.getRhs(), leastDivisor))
      return divideBy(emitter.kernel(), lhs, *divisor, lanes);
  Value rhs = emitter.readBroadcast(op.getRhs(), op.getResult(), index, lanes);
  Type type = elementType(op.getResult()), rhsType = elementType(op.getRhs());
  if (rhsType != type)
    return emitMixedPow(emitter.kernel(), op.getFn(), lhs, type, rhs, rhsType);
  return emitBinary(emitter.kernel(), op.getFn(), lhs, rhs, type);
}

Value emitElement(ElementEmitter &emitter, hx::CompareOp op, Index index,
                  unsigned lanes) {
  Value lhs = emitter.readBroadcast(op.getLhs(), op.getResult(), index, lanes);
  Value rhs = emitter.readBroadcast(op.getRhs(), op.getResult(), index, lanes);
  return emitCompare(emitter.kernel(), op.getPredicate(), lhs, rhs,
                     elementType(op.getLhs()));
}

Value emitElement(ElementEmitter &emitter, hx::SelectOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  Value condition =
      emitter.readBroadcast(op.getCondition(), op.getResult(), index, lanes);
  Value onTrue = emitter.readBroadcast(op.getOnTrue(), op.getResult(), index, lanes);
  Value onFalse = emitter.readBroadcast(op.getOnFalse(), op.getResult(), index, lanes);
  return arith::SelectOp::create(k.builder(), k.loc(), condition, onTrue, onFalse);
}

Value emitElement(ElementEmitter &emitter, hx::CastOp op, Index index, unsigned lanes) {
  Value x = emitter.readBroadcast(op.getInput(), op.getResult(), index, lanes);
  return emitCast(emitter.kernel(), x, elementType(op.getInput()),
                  elementType(op.getResult()), {op.getSaturate(), op.getRound()});
}

Value emitElement(ElementEmitter &emitter, hx::ActivationOp op, Index index,
                  unsigned lanes) {
  Value x = emitter.readBroadcast(op.getInput(), op.getResult(), index, lanes);
  return emitActivation(emitter.kernel(), op.getKind(), x,
                        op.getAlpha().convertToDouble(), op.getBeta().convertToDouble());
}

Value emitElement(ElementEmitter &emitter, hx::ConstantOp op, Index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  auto splat = cast<DenseElementsAttr>(op.getValue());
  Type element = elementType(op.getResult()), type = computeType(element);
  if (isa<FloatType>(type))
    return k.floatScalar(splat.getSplatValue<APFloat>().convertToDouble(), type, lanes);
  if (isa<FloatType>(element)) // its bits
    return k.intConstant(splat.getSplatValue<APFloat>().bitcastToAPInt().getZExtValue(),
                         type, lanes);
  if (isa<ComplexType>(element)) {
    auto number = splat.getSplatValue<std::complex<APFloat>>();
    uint64_t low = number.real().bitcastToAPInt().getZExtValue();
    uint64_t high = number.imag().bitcastToAPInt().getZExtValue();
    return k.intConstant(static_cast<int64_t>(high << 32 | low), type, lanes);
  }
  APInt number = splat.getSplatValue<APInt>();
  return k.intConstant(element.isUnsignedInteger() && !type.isInteger(64)
                           ? static_cast<int64_t>(number.getZExtValue())
                           : number.getSExtValue(),
                       type, lanes);
}

} // namespace hexin::codegen
