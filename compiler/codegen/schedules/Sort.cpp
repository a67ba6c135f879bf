//===- Sort.cpp - stable sort along an axis: values and their positions -----===//
//
// The order is total: values first (NaN the greatest), equal ones by position. So
// any way of sorting is a stable one.
//
//   heap   one item owns a line and sorts the positions where they stand in the
//          result: n log n steps, no memory of its own
//   rank   one item per element counts those that come before it: n steps each,
//          for machines with very many items at once
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Lines.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class SortEmitter {
public:
  SortEmitter(ElementEmitter &emitter, hx::SortOp op)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        input(op.getInput()), type(elementType(input)), axis(op.getAxis()),
        isDescending(op.getDescending()), sizes(emitter.sizes(input)),
        count(k.value(sizes[axis])) {
    k.use.isExact = true;
  }

  void heap() {
    forEachLine(k, sizes, axis, 1, [&](MutableArrayRef<Value> line, unsigned) {
      at.assign(line.begin(), line.end());
      Value one = k.index(1);
      countUp(count, [&](Value i) { setPosition(i, i); });
      // Parents above the leaves, from the last to the first; then the root, which
      // comes last of what is left, changes places with the last leaf.
      Value parents = k.div(count, k.index(2));
      countUp(parents, [&](Value i) {
        Value root = k.sub(k.sub(parents, one), i);
        siftDown(root, count, position(root));
      });
      countUp(k.sub(count, one), [&](Value i) {
        Value end = k.sub(k.sub(count, one), i);
        Value item = position(end);
        setPosition(end, position(k.index(0)));
        siftDown(k.index(0), end, item);
      });
      countUp(count, [&](Value i) { store(0, i, valueAt(position(i))); });
    });
  }

  void rank() {
    Value item = k.beginItems(k.exprs().product(sizes));
    SmallVector<Value> own = k.delinearize(item, sizes);
    at = own;
    Value x = valueAt(own[axis]);
    Value rank = k.forLoop(
        k.index(0), count, k.index(1), {k.index(0)}, [&](Value i, ValueRange carried) {
          Value before = isBefore(i, valueAt(i), own[axis], x);
          Value next = k.add(carried[0], k.index(1));
          return SmallVector<Value>{
              arith::SelectOp::create(b, loc, before, next, carried[0])};
        })[0];
    store(0, rank, x);
    setPosition(rank, own[axis]);
  }

private:
  void countUp(Value stop, function_ref<void(Value)> body) {
    k.forLoop(k.index(0), stop, k.index(1), {}, [&](Value i, ValueRange) {
      body(i);
      return SmallVector<Value>();
    });
  }

  Value valueAt(Value i) {
    at[axis] = i;
    return emitter.emit(input, at, 1);
  }
  void store(unsigned result, Value i, Value value) {
    at[axis] = i;
    emitter.store(result, at, value);
  }
  Value position(Value i) {
    at[axis] = i;
    Value stored = k.load(emitter.memrefOfResult(1), emitter.linearize(input, at), 1,
                          b.getI64Type());
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), stored);
  }
  void setPosition(Value i, Value position) {
    store(1, i, arith::IndexCastOp::create(b, loc, b.getI64Type(), position));
  }

  /// x < y with NaN above all numbers and equal to itself.
  Value isLess(Value x, Value y) {
    Value less = emitCompare(k, hx::ComparePredicate::lt, x, y, type);
    if (!isa<FloatType>(type))
      return less;
    Value numberBelowNaN = arith::AndIOp::create(
        b, loc, arith::CmpFOp::create(b, loc, arith::CmpFPredicate::ORD, x, x),
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, y, y));
    return arith::OrIOp::create(b, loc, less, numberBelowNaN);
  }
  Value isBefore(Value p, Value x, Value q, Value y) {
    if (isDescending)
      std::swap(x, y);
    Value notAfter =
        arith::XOrIOp::create(b, loc, isLess(y, x), k.intConstant(1, b.getI1Type(), 1));
    Value byPosition = arith::AndIOp::create(b, loc, k.less(p, q), notAfter);
    return arith::OrIOp::create(b, loc, isLess(x, y), byPosition);
  }

  /// Puts the position `item` into the heap [0, end), from `root` downwards.
  void siftDown(Value root, Value end, Value item) {
    Value x = valueAt(item), one = k.index(1);
    Type index = b.getIndexType(), i1 = b.getI1Type();
    auto firstChild = [&](Value hole) { return k.add(k.mul(hole, k.index(2)), one); };
    auto loop = scf::WhileOp::create(b, loc, TypeRange{index},
                                     ValueRange{root, k.intConstant(1, i1, 1)});
    {
      OpBuilder::InsertionGuard guard(b);
      Block *head = b.createBlock(&loop.getBefore(), {}, {index, i1}, {loc, loc});
      Value hole = head->getArgument(0);
      Value goesOn = arith::AndIOp::create(b, loc, head->getArgument(1),
                                           k.less(firstChild(hole), end));
      scf::ConditionOp::create(b, loc, goesOn, ValueRange{hole});

      Block *body = b.createBlock(&loop.getAfter(), {}, {index}, {loc});
      hole = body->getArgument(0);
      Value left = firstChild(hole), right = k.min(k.add(left, one), k.sub(end, one));
      Value p = position(left), q = position(right);
      Value xp = valueAt(p), xq = valueAt(q);
      Value takesRight = isBefore(p, xp, q, xq);
      Value child = arith::SelectOp::create(b, loc, takesRight, right, left);
      Value childItem = arith::SelectOp::create(b, loc, takesRight, q, p);
      Value childValue = arith::SelectOp::create(b, loc, takesRight, xq, xp);
      Value sinks = isBefore(item, x, childItem, childValue);
      k.ifThen(sinks, [&] { setPosition(hole, childItem); });
      Value next = arith::SelectOp::create(b, loc, sinks, child, hole);
      scf::YieldOp::create(b, loc, ValueRange{next, sinks});
    }
    setPosition(loop.getResult(0), item);
  }

  ElementEmitter &emitter;
  KernelBuilder &k;
  OpBuilder &b;
  Location loc;
  Value input;
  Type type;
  size_t axis;
  bool isDescending;
  SmallVector<KExpr> sizes;
  Value count;
  SmallVector<Value> at;
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::SortOp>(heavyOp(group)) ? "" : notMine;
}

LogicalResult emit(ElementEmitter &emitter) {
  SortEmitter sort(emitter, cast<hx::SortOp>(heavyOp(emitter.groupOp())));
  if (emitter.kernel().traits().itemPerElement)
    sort.rank();
  else
    sort.heap();
  return success();
}

} // namespace

const Schedule sortSchedule = {"sort", refusal, emit};

} // namespace hexin::codegen
