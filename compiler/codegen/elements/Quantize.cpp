#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/ZeroPoint.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

/// The scale or zero point (`operand`; may be null) of the tensor element at `index`.
static Value readPerAxis(ElementEmitter &emitter, Value operand, int64_t axis,
                         int64_t block, Index index, unsigned lanes) {
  if (!operand)
    return {};
  KernelBuilder &k = emitter.kernel();
  hx::Dims sizes = emitter.dims(operand);
  if (sizes.empty())
    return k.splat(emitter.emit(operand, {}, 1), lanes);
  if (sizes.size() == 1 && block == 0) {
    if (hx::SymbolTable::constantValue(sizes[0]) == 1)
      return k.splat(emitter.emit(operand, {k.index(0)}, 1), lanes);
    bool isLast = axis == static_cast<int64_t>(index.size()) - 1;
    if (isLast)
      return emitter.emit(operand, {index[axis]}, lanes);
    return k.splat(emitter.emit(operand, {index[axis]}, 1), lanes);
  }
  SmallVector<Value> at(index);
  at[axis] = k.div(at[axis], k.index(block));
  return emitter.emit(operand, at, lanes);
}

Value emitElement(ElementEmitter &emitter, hx::QuantizeOp op, Index index,
                  unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  Type type = elementType(op.getInput());
  Type wide = isa<FloatType>(type) ? computeType(type) : k.builder().getF32Type();
  Value x = emitCast(k, emitter.emit(op.getInput(), index, lanes), type, wide);
  Value quotient;
  constexpr float leastScale = 0x1p-64f;
  auto divisor = easyDivisor(k, op.getScale(), leastScale);
  if (divisor && wide.isF32()) {
    quotient = divideBy(k, x, *divisor, lanes);
  } else {
    Value scale =
        readPerAxis(emitter, op.getScale(), op.getAxis(), op.getBlock(), index, lanes);
    scale = emitCast(k, scale, elementType(op.getScale()), wide);
    quotient = arith::DivFOp::create(k.builder(), k.loc(), x, scale);
  }
  Value zero =
      readPerAxis(emitter, op.getZeroPoint(), op.getAxis(), op.getBlock(), index, lanes);
  return emitQuantize(k, quotient, zero, elementType(op.getResult()), op.getSaturate());
}

Value emitElement(ElementEmitter &emitter, hx::DequantizeOp op, Index index,
                  unsigned lanes) {
  Value x = emitter.emit(op.getInput(), index, lanes);
  Value scale =
      readPerAxis(emitter, op.getScale(), op.getAxis(), op.getBlock(), index, lanes);
  Value zero =
      readPerAxis(emitter, op.getZeroPoint(), op.getAxis(), op.getBlock(), index, lanes);
  KernelBuilder &k = emitter.kernel();
  Type type = elementType(op.getResult());
  scale = emitCast(k, scale, elementType(op.getScale()), computeType(type));
  return emitDequantize(k, x, scale, zero, elementType(op.getInput()), type);
}

Value emitAboveZeroPoint(ElementEmitter &emitter, Value operand, Index at,
                         Value zeroPoint, Value zeroIndex) {
  KernelBuilder &k = emitter.kernel();
  Type i32 = k.builder().getI32Type();
  Value x = emitCast(k, emitter.emit(operand, at, 1), elementType(operand), i32);
  if (!zeroPoint)
    return x;
  hx::Dims sizes = emitter.dims(zeroPoint);
  SmallVector<Value> zeroAt(sizes.size(), k.index(0));
  if (zeroIndex && !sizes.empty() && hx::SymbolTable::constantValue(sizes[0]) != 1)
    zeroAt.back() = zeroIndex;
  Value zero =
      emitCast(k, emitter.emit(zeroPoint, zeroAt, 1), elementType(zeroPoint), i32);
  return arith::SubIOp::create(k.builder(), k.loc(), x, zero);
}

} // namespace hexin::codegen
