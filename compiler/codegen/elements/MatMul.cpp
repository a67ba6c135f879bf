#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/WindowLoops.h"
#include "compiler/codegen/elements/ZeroPoint.h"

#include "compiler/codegen/Scalars.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

/// The matrix of `operand` for a result's index; its batch axes broadcast.
SmallVector<Value> batchIndex(ElementEmitter &emitter, Value operand, Index index) {
  hx::Dims sizes = emitter.dims(operand);
  SmallVector<Value> at;
  for (size_t axis = 0; axis + 2 < sizes.size(); ++axis) {
    bool isOne = hx::SymbolTable::constantValue(sizes[axis]) == 1;
    at.push_back(isOne ? emitter.kernel().index(0)
                       : index[index.size() - sizes.size() + axis]);
  }
  return at;
}

struct Factor {
  Value matrix;
  bool isTransposed;
  /// The element at `at` in the sum's type; `line` is the result's row or column.
  function_ref<Value(Index at, Value line)> read;
};

/// sum over d of lhs[row, d] * rhs[d, column], of compute type `type`.
Value emitProduct(ElementEmitter &emitter, Index index, Type type, Factor lhs,
                  Factor rhs) {
  KernelBuilder &k = emitter.kernel();
  Value zero = zeroOf(k, type, 1);
  Value row = index[index.size() - 2], column = index[index.size() - 1];
  SmallVector<Value> lhsBatch = batchIndex(emitter, lhs.matrix, index),
                     rhsBatch = batchIndex(emitter, rhs.matrix, index);
  hx::Dims lhsDims = emitter.dims(lhs.matrix);
  KExpr depth = k.size(lhsDims[lhsDims.size() - (lhs.isTransposed ? 2 : 1)]);
  IndexRange all{k.index(0), k.value(depth)};
  return loopNest(k, all, {zero}, [&](Index at, ValueRange sum) {
    SmallVector<Value> lhsAt(lhsBatch), rhsAt(rhsBatch);
    lhsAt.append({row, at[0]});
    rhsAt.append({at[0], column});
    if (lhs.isTransposed)
      std::swap(lhsAt[lhsAt.size() - 1], lhsAt[lhsAt.size() - 2]);
    if (rhs.isTransposed)
      std::swap(rhsAt[rhsAt.size() - 1], rhsAt[rhsAt.size() - 2]);
    Value x = lhs.read(lhsAt, row), y = rhs.read(rhsAt, column);
    return SmallVector<Value>{multiplyAdd(k, x, y, sum[0])};
  })[0];
}

} // namespace

Value emitElement(ElementEmitter &emitter, hx::MatMulOp op, Index index) {
  Type type = elementType(op.getResult());
  auto readFrom = [&](Value operand) {
    return [&emitter, type, operand](Index at, Value) {
      return emitCast(emitter.kernel(), emitter.emit(operand, at, 1),
                      elementType(operand), type);
    };
  };
  auto readLhs = readFrom(op.getLhs()), readRhs = readFrom(op.getRhs());
  return emitProduct(emitter, index, computeType(type),
                     {op.getLhs(), op.getTransposeLhs(), readLhs},
                     {op.getRhs(), op.getTransposeRhs(), readRhs});
}

Value emitElement(ElementEmitter &emitter, hx::MatMulIntegerOp op, Index index) {
  auto readLhs = [&](Index at, Value row) {
    return emitAboveZeroPoint(emitter, op.getLhs(), at, op.getLhsZeroPoint(), row);
  };
  auto readRhs = [&](Index at, Value column) {
    return emitAboveZeroPoint(emitter, op.getRhs(), at, op.getRhsZeroPoint(), column);
  };
  return emitProduct(emitter, index, computeType(elementType(op.getResult())),
                     {op.getLhs(), false, readLhs}, {op.getRhs(), false, readRhs});
}

} // namespace hexin::codegen
