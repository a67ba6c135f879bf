#include "compiler/codegen/elements/Rules.h"

#include "compiler/codegen/Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {

/// Bisection: the first key that is not below the element, if it is equal.
Value emitElement(ElementEmitter &emitter, hx::SortedSearchOp op, Index index) {
  KernelBuilder &k = emitter.kernel();
  OpBuilder &b = k.builder();
  Location loc = k.loc();
  Type type = elementType(op.getKeys());
  bool isFloat = isa<FloatType>(type);
  Value x = emitter.emit(op.getInput(), index, 1);
  auto isNaN = [&](Value y) -> Value {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, y, y);
  };
  auto keyAt = [&](Value i) { return emitter.emit(op.getKeys(), {i}, 1); };
  auto isBelow = [&](Value key) -> Value {
    Value less = emitCompare(k, hx::ComparePredicate::lt, key, x, type);
    if (!isFloat)
      return less;
    Value isNumber = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, key, key);
    Value belowNaN = arith::AndIOp::create(b, loc, isNumber, isNaN(x));
    return arith::OrIOp::create(b, loc, less, belowNaN);
  };

  Type indexType = b.getIndexType();
  Value count = k.value(emitter.sizes(op.getKeys())[0]);
  auto loop = scf::WhileOp::create(b, loc, TypeRange{indexType, indexType},
                                   ValueRange{k.index(0), count});
  {
    OpBuilder::InsertionGuard guard(b);
    Block *head =
        b.createBlock(&loop.getBefore(), {}, {indexType, indexType}, {loc, loc});
    Value low = head->getArgument(0), high = head->getArgument(1);
    scf::ConditionOp::create(b, loc, k.less(low, high), ValueRange{low, high});

    Block *body = b.createBlock(&loop.getAfter(), {}, {indexType, indexType}, {loc, loc});
    low = body->getArgument(0), high = body->getArgument(1);
    Value middle = k.div(k.add(low, high), k.index(2));
    Value goesUp = isBelow(keyAt(middle));
    Value newLow =
        arith::SelectOp::create(b, loc, goesUp, k.add(middle, k.index(1)), low);
    Value newHigh = arith::SelectOp::create(b, loc, goesUp, high, middle);
    scf::YieldOp::create(b, loc, ValueRange{newLow, newHigh});
  }
  Value found = loop.getResult(0);
  Value key = keyAt(k.min(found, k.sub(count, k.index(1))));
  Value isEqual = emitCompare(k, hx::ComparePredicate::eq, key, x, type);
  if (isFloat)
    isEqual = arith::OrIOp::create(b, loc, isEqual,
                                   arith::AndIOp::create(b, loc, isNaN(key), isNaN(x)));
  isEqual = arith::AndIOp::create(b, loc, isEqual, k.less(found, count));
  Type i64 = b.getI64Type();
  return arith::SelectOp::create(b, loc, isEqual,
                                 arith::IndexCastOp::create(b, loc, i64, found),
                                 k.intConstant(-1, i64, 1));
}

} // namespace hexin::codegen
