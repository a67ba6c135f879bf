//===- Scan.cpp - running sums and positions of extremes, in order along an axis -===//
//
// One item owns a line (Lines.h) and walks it from one end to the other. What
// feeds the op is computed on the way; what follows it is computed with it.
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Lines.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

namespace hexin::codegen {
namespace {

void emitCumulative(ElementEmitter &emitter, hx::CumulativeOp op) {
  KernelBuilder &k = emitter.kernel();
  Value input = op.getInput();
  Type type = elementType(input);
  size_t axis = op.getAxis();
  Value running; // what the provider gives while the epilogue is written
  emitter.provide(op.getResult(), [&](ArrayRef<Value>, unsigned) { return running; });
  unsigned lanes = std::min(emitter.lanesOf(input), emitter.lanes());
  SmallVector<KExpr> sizes = emitter.sizes(input);
  Value count = k.value(sizes[axis]), last = k.sub(count, k.index(1));

  forEachLine(k, sizes, axis, lanes, [&](MutableArrayRef<Value> at, unsigned width) {
    Value identity = reduceIdentity(k, op.getFn(), type, width);
    k.forLoop(k.index(0), count, k.index(1), {identity},
              [&](Value i, ValueRange carried) {
                at[axis] = op.getReverse() ? k.sub(last, i) : i;
                Value next = emitReduceStep(k, op.getFn(), carried[0],
                                            emitter.emit(input, at, width), type);
                running = op.getExclusive() ? carried[0] : next;
                emitter.store(0, at, emitter.emit(emitter.yielded(), at, width));
                return SmallVector<Value>{next};
              });
  });
}

class ArgReduceEmitter {
public:
  ArgReduceEmitter(ElementEmitter &emitter, hx::ArgReduceOp op)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()), op(op),
        input(op.getInput()), type(elementType(input)), axis(op.getAxis()) {}

  /// A team owns a line along the last axis.
  void runTeam() {
    SmallVector<KExpr> sizes = emitter.sizes(input);
    RowWalk walk(k, RowOwners::team(k.traits(), emitter.dims(input).back(), 1));
    SmallVector<KExpr> rows(ArrayRef(sizes).drop_back());
    Value row = walk.begin(k.exprs().product(rows), sizes.back());
    SmallVector<Value> at = k.delinearize(row, rows);
    at.push_back(Value());
    Type i64 = b.getI64Type(), compute = computeType(type);
    Value none = isa<FloatType>(type) ? k.floatConstant(0, compute, 1)
                                      : k.intConstant(0, compute, 1);
    // What has found nothing yet is at no position.
    Best nothing{none, k.intConstant(-1, i64, 1)};
    Best best = walk.walkShare(nothing, [&](Value i, ValueRange carried) {
      Value here = arith::IndexCastOp::create(b, loc, i64, i);
      return betterIfAny({read(at, i, 1), here}, {carried[0], carried[1]});
    });
    best =
        walk.join(best, [&](const Best &x, const Best &y) { return betterIfAny(x, y); });
    emitter.provide(op.getResult(), [&](ArrayRef<Value>, unsigned) { return best[1]; });
    walk.once([&] { store(at, 1); });
  }

  void run() {
    Value position;
    emitter.provide(op.getResult(), [&](ArrayRef<Value>, unsigned) { return position; });
    SmallVector<KExpr> sizes = emitter.sizes(input);
    Value count = k.value(sizes[axis]);
    bool isRow = axis + 1 == sizes.size();
    unsigned alongRow = isRow ? emitter.lanesOf(input) / 2 : 1; // positions are wide
    unsigned lanes = std::min(emitter.lanesOf(input), emitter.lanes());
    forEachLine(k, sizes, axis, lanes, [&](MutableArrayRef<Value> at, unsigned width) {
      position = alongRow > 1 ? searchRow(at, count, alongRow)
                              : search(at, k.index(1), count, width, first(at, width))[1];
      store(at, width);
    });
  }

private:
  using Best = SmallVector<Value>; ///< value, position (i64)

  void store(ArrayRef<Value> at, unsigned width) {
    SmallVector<Value> resultAt(at);
    if (op.getKeepDims())
      resultAt[axis] = k.index(0);
    else
      resultAt.erase(resultAt.begin() + axis);
    emitter.store(0, resultAt, emitter.emit(emitter.yielded(), resultAt, width));
  }

  Value read(MutableArrayRef<Value> at, Value i, unsigned width) {
    at[axis] = i;
    return emitter.emit(input, at, width);
  }
  Best first(MutableArrayRef<Value> at, unsigned width) {
    return {read(at, k.index(0), width), k.intConstant(0, b.getI64Type(), width)};
  }

  /// The best of `best` and what stands at [from, to), of `width` lines at once.
  Best search(MutableArrayRef<Value> at, Value from, Value to, unsigned width,
              Best best) {
    return k.forLoop(from, to, k.index(1), best, [&](Value i, ValueRange carried) {
      Value here = arith::IndexCastOp::create(b, loc, b.getI64Type(), i);
      return better({read(at, i, width), k.splat(here, width)}, {carried[0], carried[1]},
                    false);
    });
  }

  /// One line, `lanes` elements at once: a best per lane, then the best of those.
  Value searchRow(MutableArrayRef<Value> at, Value count, unsigned lanes) {
    Type i64 = b.getI64Type();
    Value whole = k.mul(k.div(count, k.index(lanes)), k.index(lanes));
    auto inVectors = [&]() -> SmallVector<Value> {
      SmallVector<int64_t> numbers(lanes);
      std::iota(numbers.begin(), numbers.end(), 0);
      Value positions = arith::ConstantOp::create(
          b, loc,
          DenseElementsAttr::get(VectorType::get({lanes}, i64), ArrayRef(numbers)));
      Value step = k.intConstant(lanes, i64, lanes);
      Value x = read(at, k.index(0), lanes);
      SmallVector<Value> found =
          k.forLoop(k.index(lanes), whole, k.index(lanes), {x, positions, positions},
                    [&](Value i, ValueRange carried) {
                      Value here = arith::AddIOp::create(b, loc, carried[2], step);
                      Best next = better({read(at, i, lanes), here},
                                         {carried[0], carried[1]}, false);
                      next.push_back(here);
                      return next;
                    });
      return joinLanes({found[0], found[1]}, lanes);
    };
    SmallVector<Value> best =
        k.ifElse(k.less(k.index(0), whole), {computeType(type), i64}, inVectors,
                 [&] { return SmallVector<Value>(first(at, 1)); });
    return search(at, k.max(k.index(1), whole), count, 1, best)[1];
  }

  Best joinLanes(Best best, unsigned lanes) {
    auto lane = [&](Value vector, int64_t i) -> Value {
      return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{i});
    };
    Best joined{lane(best[0], 0), lane(best[1], 0)};
    for (unsigned i = 1; i < lanes; ++i)
      joined = better({lane(best[0], i), lane(best[1], i)}, joined, true);
    return joined;
  }

  /// `next` or `best`. Of equal ones the first (or last) position stays: `next` has
  /// the later one, unless `isUnordered`, where positions are compared as well.
  Best better(Best next, Best best, bool isUnordered) {
    Value x = next[0], y = best[0];
    bool isMax = op.getFn() == hx::ReduceFn::max, isFloat = isa<FloatType>(type);
    auto isLess = [&](Value p, Value q) {
      return emitCompare(k, hx::ComparePredicate::lt, p, q, type);
    };
    auto both = [&](Value p, Value q) -> Value {
      return arith::AndIOp::create(b, loc, p, q);
    };
    auto either = [&](Value p, Value q) -> Value {
      return arith::OrIOp::create(b, loc, p, q);
    };
    auto isNaN = [&](Value v, arith::CmpFPredicate predicate) -> Value {
      return arith::CmpFOp::create(b, loc, predicate, v, v);
    };
    // NaN wins over every number, for min too; a comparison with it is false.
    Value takes = isMax ? isLess(y, x) : isLess(x, y);
    Value xIsNaN = isFloat ? isNaN(x, arith::CmpFPredicate::UNO) : Value();
    if (isFloat)
      takes = either(takes, both(xIsNaN, isNaN(y, arith::CmpFPredicate::ORD)));
    if (op.getLast() || isUnordered) {
      Value isEqual = emitCompare(k, hx::ComparePredicate::eq, x, y, type);
      if (isFloat)
        isEqual = either(isEqual, both(xIsNaN, isNaN(y, arith::CmpFPredicate::UNO)));
      if (isUnordered) {
        auto predicate =
            op.getLast() ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt;
        isEqual =
            both(isEqual, arith::CmpIOp::create(b, loc, predicate, next[1], best[1]));
      }
      takes = either(takes, isEqual);
    }
    return {arith::SelectOp::create(b, loc, takes, x, y),
            arith::SelectOp::create(b, loc, takes, next[1], best[1])};
  }

  /// The same of two that may have found nothing, in any order.
  Best betterIfAny(Best next, Best best) {
    Value none = k.intConstant(0, b.getI64Type(), 1);
    auto isNone = [&](Value position) -> Value {
      return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, position, none);
    };
    Value nextIsNone = isNone(next[1]), bestIsNone = isNone(best[1]);
    Best found = better(next, best, /*isUnordered=*/true);
    for (unsigned i = 0; i < 2; ++i) {
      found[i] = arith::SelectOp::create(b, loc, bestIsNone, next[i], found[i]);
      found[i] = arith::SelectOp::create(b, loc, nextIsNone, best[i], found[i]);
    }
    return found;
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  hx::ArgReduceOp op;
  Value input;
  Type type;
  size_t axis;
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::CumulativeOp, hx::ArgReduceOp>(heavyOp(group)) ? ""
                                                                            : notMine;
}

LogicalResult emit(ElementEmitter &emitter) {
  Operation *heavy = heavyOp(emitter.groupOp());
  if (auto cumulative = dyn_cast<hx::CumulativeOp>(heavy))
    emitCumulative(emitter, cumulative);
  else
    ArgReduceEmitter(emitter, cast<hx::ArgReduceOp>(heavy)).run();
  return success();
}

std::string teamRefusal(hx::GroupOp group, hx::SymbolicShapes &shapes) {
  auto op = dyn_cast_or_null<hx::ArgReduceOp>(heavyOp(group));
  if (!op)
    return notMine;
  hx::Dims dims = shapes.dims(op.getInput());
  if (size_t(op.getAxis()) + 1 != dims.size())
    return "not along the last axis";
  if (computeType(elementType(op.getInput())).isInteger(1))
    return "searches bools";
  hx::Dim total = shapes.symbols().product(dims);
  return rowRefusal(hx::SymbolTable::constantValue(dims.back()),
                    hx::SymbolTable::constantValue(total));
}

LogicalResult emitByTeam(ElementEmitter &emitter) {
  ArgReduceEmitter(emitter, cast<hx::ArgReduceOp>(heavyOp(emitter.groupOp()))).runTeam();
  return success();
}

} // namespace

const Schedule scanSchedule = {"scan", refusal, emit};

const Schedule teamArgReduceSchedule = {"team_arg_reduce", teamRefusal, emitByTeam};

} // namespace hexin::codegen
