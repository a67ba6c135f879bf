#include "compiler/codegen/elements/Rules.h"

#include "compiler/codegen/Positions.h"
#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/elements/WindowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

/// The position along `axis` of `input` that `indices` holds at `at`.
static Value positionAt(ElementEmitter &emitter, Value input, size_t axis, Value indices,
                        Index at) {
  KernelBuilder &k = emitter.kernel();
  hx::Dim size = emitter.dims(input)[axis];
  Value stored = emitter.emit(indices, at, 1);
  return position(k, stored, k.size(size), areInside(k.shapes(), indices, size));
}

Value emitElement(ElementEmitter &emitter, hx::GatherOp op, Index index, unsigned lanes) {
  size_t axis = op.getAxis(), batch = op.getBatchDims();
  size_t indexRank = emitter.dims(op.getIndices()).size();
  // result axes: input[0..axis), indices[batch..), input(axis..]
  SmallVector<Value> indexAt(index.take_front(batch));
  llvm::append_range(indexAt, index.slice(axis, indexRank - batch));
  SmallVector<Value> at(index.take_front(axis));
  at.push_back(positionAt(emitter, op.getInput(), axis, op.getIndices(), indexAt));
  llvm::append_range(at, index.drop_front(axis + indexRank - batch));
  return emitter.emit(op.getInput(), at, lanes);
}

Value emitElement(ElementEmitter &emitter, hx::GatherElementsOp op, Index index,
                  unsigned lanes) {
  size_t axis = op.getAxis();
  SmallVector<Value> at(index);
  at[axis] = positionAt(emitter, op.getInput(), axis, op.getIndices(), index);
  return emitter.emit(op.getInput(), at, lanes);
}

Value emitElement(ElementEmitter &emitter, hx::GatherNdOp op, Index index,
                  unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  size_t batch = op.getBatchDims();
  hx::Dims indexDims = emitter.dims(op.getIndices());
  int64_t coordinates = hx::SymbolTable::constantValue(indexDims.back()).value_or(0);
  SmallVector<Value> indexAt(index.take_front(indexDims.size() - 1));
  indexAt.push_back(Value());
  SmallVector<Value> at(index.take_front(batch));
  for (int64_t c = 0; c < coordinates; ++c) {
    indexAt.back() = k.index(c);
    at.push_back(positionAt(emitter, op.getInput(), batch + c, op.getIndices(), indexAt));
  }
  llvm::append_range(at, index.drop_front(indexDims.size() - 1));
  return emitter.emit(op.getInput(), at, lanes);
}

Value emitElement(ElementEmitter &emitter, hx::GatherSumOp op, Index index,
                  unsigned lanes) {
  KernelBuilder &k = emitter.kernel();
  Type type = computeType(elementType(op.getResult()));
  KExpr rows = k.size(emitter.dims(op.getInput())[1]);
  IndexRange taps{k.index(0), tapCount(k, emitter.dims(op.getPositions())[0])};
  return loopNest(k, taps, {zeroOf(k, type, lanes)}, [&](Index tap, ValueRange sum) {
    Value tapAt[] = {tap[0], index[0], index[1]};
    Value stored = emitter.emit(op.getPositions(), tapAt, 1);
    Value none = k.intConstant(-1, stored.getType(), 1);
    Value isUsed = arith::CmpIOp::create(k.builder(), k.loc(), arith::CmpIPredicate::ne,
                                         stored, none);
    return k.ifElse(
        isUsed, withLanes(type, lanes),
        [&] {
          Value row =
              position(k, stored, rows, /*isInside=*/false, /*countsFromEnd=*/false);
          Value rowAt[] = {index[0], row, index[2]};
          Value x = emitter.emit(op.getInput(), rowAt, lanes);
          Value weight = k.splat(emitter.emit(op.getWeights(), tapAt, 1), lanes);
          return SmallVector<Value>{multiplyAdd(k, x, weight, sum[0])};
        },
        [&] { return SmallVector<Value>(sum); });
  })[0];
}

} // namespace hexin::codegen
