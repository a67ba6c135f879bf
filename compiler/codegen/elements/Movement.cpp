#include "compiler/codegen/elements/Rules.h"

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/elements/HostScalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace hexin::codegen {

Value emitElement(ElementEmitter &emitter, hx::TransposeOp op, Index index,
                  unsigned lanes) {
  SmallVector<Value> at(index.size());
  for (auto [axis, source] : llvm::enumerate(op.getPerm()))
    at[source] = index[axis];
  return emitter.emit(op.getInput(), at, lanes);
}

Value emitElement(ElementEmitter &emitter, hx::ReshapeOp op, Index index,
                  unsigned lanes) {
  Value position = emitter.linearize(op.getResult(), index);
  return emitter.emit(
      op.getInput(), emitter.kernel().delinearize(position, emitter.sizes(op.getInput())),
      lanes);
}

Value emitElement(ElementEmitter &emitter, hx::BitcastOp op, Index index,
                  unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  Value x = emitter.emit(op.getInput(), index, lanes);
  Type type = withLanes(computeType(elementType(op.getResult())), lanes);
  if (x.getType() == type)
    return x;
  if (auto vectorType = dyn_cast<VectorType>(type))
    return vector::BitCastOp::create(k.builder(), k.loc(), vectorType, x);
  return arith::BitcastOp::create(k.builder(), k.loc(), type, x);
}

Value emitElement(ElementEmitter &emitter, hx::BroadcastToOp op, Index index,
                  unsigned lanes) {
  return emitter.readBroadcast(op.getInput(), op.getResult(), index, lanes);
}

Value emitElement(ElementEmitter &emitter, hx::SliceOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  SmallVector<KExpr> starts = hostScalars(k, op.getStarts());
  SmallVector<Value> at;
  for (auto [axis, step] : llvm::enumerate(op.getSteps())) {
    Value scaled = index[axis];
    if (step != 1)
      scaled = k.mul(scaled, k.index(step));
    at.push_back(k.add(scaled, k.value(starts[axis])));
  }
  return emitter.emit(op.getInput(), at, lanes);
}

/// A chain of ifs along the axis; each operand is read at its own offset.
Value emitElement(ElementEmitter &emitter, hx::ConcatOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  size_t axis = op.getAxis();
  Value offset = k.index(0);
  SmallVector<Value> offsets;
  for (Value input : op.getInputs()) {
    offsets.push_back(offset);
    offset = k.add(offset, k.value(emitter.sizes(input)[axis]));
  }
  Type type = withLanes(computeType(elementType(op.getResult())), lanes);
  std::function<Value(size_t)> from = [&](size_t i) -> Value {
    auto read = [&] {
      SmallVector<Value> at(index);
      at[axis] = k.sub(at[axis], offsets[i]);
      return emitter.emit(op.getInputs()[i], at, lanes);
    };
    if (i + 1 == op.getInputs().size())
      return read();
    return k.ifElse(
        k.less(index[axis], offsets[i + 1]), type,
        [&] { return SmallVector<Value>{read()}; },
        [&] { return SmallVector<Value>{from(i + 1)}; })[0];
  };
  return from(0);
}

Value emitElement(ElementEmitter &emitter, hx::IotaOp op, Index index, unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Type i64 = b.getI64Type();
  size_t axis = op.getAxis();
  Value i = arith::IndexCastOp::create(b, k.loc(), i64, index[axis]);
  if (lanes > 1) {
    i = k.splat(i, lanes);
    bool isLast = axis + 1 == index.size();
    if (isLast) {
      auto steps = llvm::to_vector(llvm::seq<int64_t>(0, lanes));
      Value offsets = arith::ConstantOp::create(
          b, k.loc(),
          DenseElementsAttr::get(VectorType::get({lanes}, i64), ArrayRef(steps)));
      i = arith::AddIOp::create(b, k.loc(), i, offsets);
    }
  }
  return emitCast(k, i, i64, elementType(op.getResult()));
}

} // namespace hexin::codegen
