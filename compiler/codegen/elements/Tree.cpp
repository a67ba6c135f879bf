//===- Tree.cpp - the walk from a root to a leaf ----------------------------===//
//
// Trees are data (compiler/ir/ops/Tree.td): one kernel serves all models. Whatever the
// numbers are, a node's index grows with every step and stays inside of the table.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/elements/Rules.h"
#include "compiler/codegen/elements/WindowLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {
namespace {

class TreeEmitter {
public:
  TreeEmitter(ElementEmitter &emitter, hx::TreeEnsembleOp op, Value row)
      : emitter(emitter), op(op), row(row), k(emitter.kernel()), b(k.builder()),
        loc(k.loc()) {}

  /// One number for `target`.
  Value ofTarget(Value target) {
    bool isSum = op.getFn() == hx::ReduceFn::sum;
    Type type = elementType(op.getResult());
    Value none =
        k.floatConstant(isSum ? 0 : std::numeric_limits<double>::quiet_NaN(), type, 1);
    Value entries = lengthOf(op.getEntries());
    auto startAt = [&](Value i) {
      return k.min(k.max(number(op.getStarts(), {i}), k.index(0)), entries);
    };
    Value first = startAt(target), end = startAt(k.add(target, k.index(1)));
    Value total =
        k.forLoop(first, end, k.index(1), {none}, [&](Value entry, ValueRange carried) {
          return SmallVector<Value>{joined(carried[0], ofEntry(entry))};
        })[0];
    if (isSum)
      return total;
    return arith::SelectOp::create(b, loc, isNaN(total), zeroOf(k, type, 1), total);
  }

private:
  /// min and max: NaN is no number.
  Value joined(Value total, Value x) {
    if (op.getFn() == hx::ReduceFn::sum)
      return arith::AddFOp::create(b, loc, total, x);
    auto predicate = op.getFn() == hx::ReduceFn::min ? arith::CmpFPredicate::OLT
                                                     : arith::CmpFPredicate::OGT;
    Value isBetter = arith::CmpFOp::create(b, loc, predicate, x, total);
    Value takes = arith::OrIOp::create(b, loc, isNaN(total), isBetter);
    return arith::SelectOp::create(b, loc, takes, x, total);
  }

  Value ofEntry(Value entry) {
    Value root = number(op.getEntries(), {entry, k.index(0)});
    Value offset = number(op.getEntries(), {entry, k.index(1)});
    Value leaf = leafFrom(clamped(root, lengthOf(op.getNodes())));
    Value weight = k.add(number(op.getNodes(), {leaf, k.index(3)}), offset);
    return emitter.emit(op.getWeights(), {clamped(weight, lengthOf(op.getWeights()))}, 1);
  }

  Value leafFrom(Value root) {
    Type index = b.getIndexType();
    auto loop = scf::WhileOp::create(b, loc, TypeRange{index, index}, ValueRange{root});
    OpBuilder::InsertionGuard guard(b);
    Value nodes = lengthOf(op.getNodes());
    Block *head = b.createBlock(&loop.getBefore(), {}, {index}, {loc});
    Value node = head->getArgument(0);
    Value onTrue =
        k.min(number(op.getNodes(), {node, k.index(1)}), k.sub(nodes, k.index(1)));
    scf::ConditionOp::create(b, loc, k.less(node, onTrue), ValueRange{node, onTrue});

    Block *body = b.createBlock(&loop.getAfter(), {}, {index, index}, {loc, loc});
    node = body->getArgument(0);
    Value onFalse = number(op.getNodes(), {node, k.index(2)});
    Value next =
        arith::SelectOp::create(b, loc, test(node), body->getArgument(1), onFalse);
    next = k.max(next, k.add(node, k.index(1)));
    scf::YieldOp::create(b, loc, ValueRange{k.min(next, k.sub(nodes, k.index(1)))});
    return loop.getResult(0);
  }

  /// Whether `node` goes on with onTrue.
  Value test(Value node) {
    Value word = emitter.emit(op.getNodes(), {node, k.index(0)}, 1);
    Type i32 = word.getType();
    Value feature = arith::ShRSIOp::create(b, loc, word, k.intConstant(3, i32, 1));
    Value at = clamped(arith::IndexCastOp::create(b, loc, b.getIndexType(), feature),
                       k.value(emitter.sizes(op.getInput())[1]));
    Value x = emitter.emit(op.getInput(), {row, at}, 1);
    Value threshold = emitter.emit(op.getThresholds(), {node}, 1);

    auto hasFlag = [&](int64_t flag, bool isSet) -> Value {
      Value bit = arith::AndIOp::create(b, loc, word, k.intConstant(flag, i32, 1));
      auto predicate = isSet ? arith::CmpIPredicate::ne : arith::CmpIPredicate::eq;
      return arith::CmpIOp::create(b, loc, predicate, bit, k.intConstant(0, i32, 1));
    };
    auto compare = [&](arith::CmpFPredicate predicate) -> Value {
      return arith::CmpFOp::create(b, loc, predicate, x, threshold);
    };
    // 0: x <= v, 1: x < v, 2: x = v
    Value less = arith::AndIOp::create(b, loc, compare(arith::CmpFPredicate::OLT),
                                       hasFlag(2, /*isSet=*/false));
    Value equal = arith::AndIOp::create(b, loc, compare(arith::CmpFPredicate::OEQ),
                                        hasFlag(1, /*isSet=*/false));
    Value holds = arith::OrIOp::create(b, loc, less, equal);
    Value nanHolds = hasFlag(4, /*isSet=*/true);
    return arith::SelectOp::create(b, loc, isNaN(x), nanHolds, holds);
  }

  Value isNaN(Value x) {
    return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
  }
  /// A stored i32 as an index.
  Value number(Value table, Index at) {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(),
                                      emitter.emit(table, at, 1));
  }
  Value lengthOf(Value table) { return k.value(emitter.sizes(table)[0]); }
  /// In [0, size).
  Value clamped(Value i, Value size) {
    return k.min(k.max(i, k.index(0)), k.sub(size, k.index(1)));
  }

  ElementEmitter &emitter;
  hx::TreeEnsembleOp op;
  Value row;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
};

} // namespace

Value emitElement(ElementEmitter &emitter, hx::TreeEnsembleOp op, Index index) {
  return TreeEmitter(emitter, op, index[0]).ofTarget(index[1]);
}

} // namespace hexin::codegen
