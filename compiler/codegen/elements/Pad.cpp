#include "compiler/codegen/elements/HostScalars.h"
#include "compiler/codegen/elements/Rules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

/// `i` mirrored or wrapped into [0, n); n >= 1.
static Value foldOutside(KernelBuilder &k, hx::PadMode mode, Value i, Value n) {
  OpBuilder &b = k.builder();
  Value zero = k.index(0), one = k.index(1);
  auto floorMod = [&](Value x, Value m) -> Value {
    Value r = arith::RemSIOp::create(b, k.loc(), x, m);
    Value isNegative = k.less(r, zero);
    return arith::SelectOp::create(b, k.loc(), isNegative, k.add(r, m), r);
  };
  if (mode == hx::PadMode::edge)
    return k.min(k.max(i, zero), k.sub(n, one));
  if (mode == hx::PadMode::wrap)
    return floorMod(i, n);
  // reflect: period 2(n-1), or everything is 0 when n is 1.
  Value period = k.max(k.mul(k.index(2), k.sub(n, one)), one);
  Value r = floorMod(i, period);
  Value mirrored = k.sub(period, r);
  Value isBeyond = k.less(k.sub(n, one), r);
  Value folded = arith::SelectOp::create(b, k.loc(), isBeyond, mirrored, r);
  return k.min(folded, k.sub(n, one));
}

Value emitElement(ElementEmitter &emitter, hx::PadOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  hx::Dims inDims = emitter.dims(op.getInput()), outDims = emitter.dims(op.getResult());
  SmallVector<KExpr> low = hostScalars(k, op.getLow());
  SmallVector<KExpr> in = emitter.sizes(op.getInput());
  SmallVector<Value> at;
  Value isInside;
  for (size_t axis = 0; axis < index.size(); ++axis) {
    bool isUnpadded = inDims[axis] == outDims[axis];
    if (isUnpadded) {
      at.push_back(index[axis]);
      continue;
    }
    Value i = k.sub(index[axis], k.value(low[axis]));
    Value n = k.value(in[axis]);
    if (op.getMode() != hx::PadMode::constant) {
      at.push_back(foldOutside(k, op.getMode(), i, n));
      continue;
    }
    // One unsigned compare says 0 <= i < n.
    Value inside = arith::CmpIOp::create(b, k.loc(), arith::CmpIPredicate::ult, i, n);
    isInside =
        isInside ? Value(arith::AndIOp::create(b, k.loc(), isInside, inside)) : inside;
    at.push_back(i);
  }
  auto read = [&] { return emitter.emit(op.getInput(), at, lanes); };
  if (!isInside)
    return read();
  return k.ifElse(
      isInside, withLanes(computeType(elementType(op.getResult())), lanes),
      [&] { return SmallVector<Value>{read()}; },
      [&] {
        return SmallVector<Value>{k.splat(emitter.emit(op.getValue(), {}, 1), lanes)};
      })[0];
}

} // namespace hexin::codegen
