//===- Trees.cpp - tree_ensemble: one item owns a few rows ------------------===//
//
// Trees are data (compiler/ir/ops/Tree.td): one kernel serves all models. The entries of
// all targets are taken in turns, so that those of one tree follow each other where it
// has numbers for several targets, and rows walk it just once:
//
//   for i, for targets that have an i-th entry {root, offset}
//     if root is another one than that of the entry before
//       leaves[row] = where the walk of each row ends
//     result[row, target] += weights[leaves[row] + offset] for each row
//
// A target's numbers are added up in the order of its entries. Whatever the numbers of
// the tables are, a node's index grows with every step and stays inside.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/elements/WindowLoops.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <limits>

using namespace mlir;

namespace hexin::codegen {
namespace {

/// Rows that walk a tree one after the other, while it is in the caches.
constexpr int64_t blockRows = 16;

hx::TreeEnsembleOp treesOf(hx::GroupOp group) {
  return dyn_cast_or_null<hx::TreeEnsembleOp>(heavyOp(group));
}

class TreesEmitter {
public:
  TreesEmitter(ElementEmitter &emitter, hx::TreeEnsembleOp op)
      : emitter(emitter), op(op), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        type(elementType(op.getResult())) {}

  void run() {
    SmallVector<KExpr> sizes = emitter.sizes(op.getResult());
    KExpr block = k.constantExpr(blockRows);
    Value item = k.beginItems(k.exprs().ceilDiv(sizes[0], block));
    k.use.grain = 1;
    leaves = k.scratch(blockRows, b.getI32Type());
    result = emitter.memrefOfResult(0);
    targets = k.value(sizes[1]);
    firstRow = k.mul(item, k.index(blockRows));
    numRows = k.min(k.index(blockRows), k.sub(k.value(sizes[0]), firstRow));
    bool isSum = op.getFn() == hx::ReduceFn::sum;
    Value none =
        k.floatConstant(isSum ? 0 : std::numeric_limits<double>::quiet_NaN(), type, 1);
    forEachResult([&](Value at) { k.store(result, at, none, type); });
    addEntries();
    if (isSum)
      return;
    forEachResult([&](Value at) {
      Value total = k.load(result, at, 1, type);
      Value number =
          arith::SelectOp::create(b, loc, isNaN(total), zeroOf(k, type, 1), total);
      k.store(result, at, number, type);
    });
  }

private:
  void countUp(Value end, function_ref<void(Value)> body) {
    k.forLoop(k.index(0), end, k.index(1), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }

  Value placeOf(Value row, Value target) {
    return k.add(k.mul(k.add(firstRow, row), targets), target);
  }

  void forEachResult(function_ref<void(Value at)> body) {
    Value begin = placeOf(k.index(0), k.index(0));
    countUp(k.mul(numRows, targets), [&](Value i) { body(k.add(begin, i)); });
  }

  Value startAt(Value target) {
    Value start = number(op.getStarts(), {target});
    return k.min(k.max(start, k.index(0)), lengthOf(op.getEntries()));
  }

  Value countOf(Value target) {
    return k.sub(startAt(k.add(target, k.index(1))), startAt(target));
  }

  void addEntries() {
    Value most =
        k.forLoop(k.index(0), targets, k.index(1), {k.index(0)},
                  [&](Value target, ValueRange carried) {
                    return SmallVector<Value>{k.max(carried[0], countOf(target))};
                  })[0];
    // Where few targets have most of the entries, turns are mostly misses: those go
    // target by target.
    Value allTurns = k.mul(most, targets);
    Value isEven = k.less(allTurns, k.mul(lengthOf(op.getEntries()), k.index(4)));
    auto choose = [&](Value ofTurns, Value ofTargets) -> Value {
      return arith::SelectOp::create(b, loc, isEven, ofTurns, ofTargets);
    };
    countUp(choose(most, targets), [&](Value outer) {
      Value target = k.min(outer, k.sub(targets, k.index(1)));
      Value count = choose(targets, countOf(target));
      k.forLoop(k.index(0), count, k.index(1), {k.index(-1)},
                [&](Value inner, ValueRange carried) {
                  return SmallVector<Value>{
                      addIfThere(choose(inner, outer), choose(outer, inner), carried[0])};
                });
    });
  }

  /// The target's i-th entry, if it has one; gives the root that the leaves belong to.
  Value addIfThere(Value target, Value i, Value before) {
    Value entry = k.add(startAt(target), i);
    Value isThere = k.less(entry, startAt(k.add(target, k.index(1))));
    return k.ifElse(
        isThere, {b.getIndexType()},
        [&] { return SmallVector<Value>{addEntry(entry, target, before)}; },
        [&] { return SmallVector<Value>{before}; })[0];
  }

  /// Gives the entry's root; `before`: the one that the leaves belong to.
  Value addEntry(Value entry, Value target, Value before) {
    Value root =
        clamped(number(op.getEntries(), {entry, k.index(0)}), lengthOf(op.getNodes()));
    Value offset = number(op.getEntries(), {entry, k.index(1)});
    Value isOther = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, root, before);
    k.ifThen(isOther, [&] {
      countUp(numRows, [&](Value row) {
        Value leaf = leafFrom(root, k.add(firstRow, row));
        Value weight = emitter.emit(op.getNodes(), {leaf, k.index(3)}, 1);
        memref::StoreOp::create(b, loc, weight, leaves, ValueRange(row));
      });
    });
    countUp(numRows, [&](Value row) {
      Value first = arith::IndexCastOp::create(
          b, loc, b.getIndexType(),
          Value(memref::LoadOp::create(b, loc, leaves, ValueRange(row))));
      Value weight = clamped(k.add(first, offset), lengthOf(op.getWeights()));
      Value at = placeOf(row, target);
      Value total =
          joined(k.load(result, at, 1, type), emitter.emit(op.getWeights(), {weight}, 1));
      k.store(result, at, total, type);
    });
    return root;
  }

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

  Value leafFrom(Value root, Value row) {
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
        arith::SelectOp::create(b, loc, test(node, row), body->getArgument(1), onFalse);
    next = k.max(next, k.add(node, k.index(1)));
    scf::YieldOp::create(b, loc, ValueRange{k.min(next, k.sub(nodes, k.index(1)))});
    return loop.getResult(0);
  }

  /// Whether `node` goes on with onTrue.
  Value test(Value node, Value row) {
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
  Value number(Value table, ArrayRef<Value> at) {
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
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  Type type;
  Value result, leaves;
  Value targets;           ///< how many
  Value firstRow, numRows; ///< of the item
};

LogicalResult emitTrees(ElementEmitter &emitter) {
  TreesEmitter(emitter, treesOf(emitter.groupOp())).run();
  return success();
}

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return treesOf(group) ? "" : notMine;
}

} // namespace

const Schedule treesSchedule = {"trees", refusal, emitTrees};

} // namespace hexin::codegen
