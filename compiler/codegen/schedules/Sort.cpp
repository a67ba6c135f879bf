//===- Sort.cpp - stable sort along an axis, whole or its beginning ---------===//
//
// The order is total: values first (NaN the greatest), equal ones by position. So
// any way of sorting is a stable one.
//
//   heap   one item owns a line and sorts the positions where they stand in the
//          result: n log n steps, no memory of its own. Of a beginning it keeps a
//          heap, and looks at the rest in chunks whose best does not get in
//   rank   one item per element counts those that come before it: n steps each,
//          for machines with very many items at once
//
//===----------------------------------------------------------------------===//

#include "compiler/codegen/Scalars.h"
#include "compiler/codegen/schedules/Lines.h"
#include "compiler/codegen/schedules/RowLoop.h"
#include "compiler/codegen/schedules/Schedules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace hexin::codegen {
namespace {

class SortEmitter {
public:
  /// hx.sort or hx.top_k.
  template <typename Op>
  SortEmitter(ElementEmitter &emitter, Op op)
      : emitter(emitter), k(emitter.kernel()), b(k.builder()), loc(k.loc()),
        input(op.getInput()), positions(op.getPositions()), type(elementType(input)),
        axis(op.getAxis()), isDescending(op.getDescending()),
        isWhole(std::is_same_v<Op, hx::SortOp>), sizes(emitter.sizes(input)),
        count(k.value(sizes[axis])),
        kept(isWhole ? count : k.value(emitter.sizes(positions)[axis])) {
    k.use.isExact = true;
  }

  void heap() {
    forEachLine(k, sizes, axis, 1, [&](MutableArrayRef<Value> line, unsigned) {
      at.assign(line.begin(), line.end());
      Value one = k.index(1);
      countUp(kept, [&](Value i) { setPosition(i, i); });
      // Parents above the leaves, from the last to the first; then the root, which
      // comes last of what is left, changes places with the last leaf.
      Value parents = k.div(kept, k.index(2));
      countUp(parents, [&](Value i) {
        Value root = k.sub(k.sub(parents, one), i);
        siftDown(root, kept, position(root));
      });
      if (!isWhole)
        k.ifThen(k.less(k.index(0), kept), [&] { takeBetter(); });
      countUp(k.sub(kept, one), [&](Value i) {
        Value end = k.sub(k.sub(kept, one), i);
        Value item = position(end);
        setPosition(end, position(k.index(0)));
        siftDown(k.index(0), end, item);
      });
      countUp(kept, [&](Value i) { store(0, i, valueAt(position(i))); });
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
  /// What stands behind the heap and comes before its root takes the root's place.
  void takeBetter() {
    constexpr int64_t chunk = 256;
    Value rest = k.sub(count, kept), chunks = k.div(rest, k.index(chunk));
    auto take = [&](Value i) {
      Value root = position(k.index(0)), x = valueAt(i);
      k.ifThen(isBefore(i, x, root, valueAt(root)),
               [&] { siftDown(k.index(0), kept, i); });
    };
    // Vectors only see neighbours along the last axis.
    unsigned lanes = axis + 1 == sizes.size() ? emitter.lanesOf(input) : 1;
    hx::ReduceFn best = isDescending ? hx::ReduceFn::max : hx::ReduceFn::min;
    countUp(chunks, [&](Value c) {
      Value first = k.add(kept, k.mul(c, k.index(chunk)));
      Value top = foldRow(k, best, type, k.index(chunk), lanes,
                          reduceIdentity(k, best, type, 1), [&](Value i, unsigned width) {
                            at[axis] = k.add(first, i);
                            return emitter.emit(input, at, width);
                          });
      Value worst = valueAt(position(k.index(0)));
      Value getsIn = isDescending ? isLess(worst, top) : isLess(top, worst);
      if (isa<FloatType>(type) && !isDescending) // a NaN hides what is less
        getsIn = arith::OrIOp::create(
            b, loc, getsIn,
            arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, top, top));
      k.ifThen(getsIn,
               [&] { countUp(k.index(chunk), [&](Value i) { take(k.add(first, i)); }); });
    });
    Value done = k.add(kept, k.mul(chunks, k.index(chunk)));
    countUp(k.sub(count, done), [&](Value i) { take(k.add(done, i)); });
  }

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
    Value stored = k.load(emitter.memrefOfResult(1), emitter.linearize(positions, at), 1,
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
  Value input, positions;
  Type type;
  size_t axis;
  bool isDescending;
  bool isWhole; ///< all of the line, not its beginning
  SmallVector<KExpr> sizes;
  Value count; ///< of a line
  Value kept;  ///< of the result's lines
  SmallVector<Value> at;
};

std::string refusal(hx::GroupOp group, hx::SymbolicShapes &) {
  return isa_and_nonnull<hx::SortOp, hx::TopKOp>(heavyOp(group)) ? "" : notMine;
}

LogicalResult emit(ElementEmitter &emitter) {
  Operation *op = heavyOp(emitter.groupOp());
  if (auto topK = dyn_cast<hx::TopKOp>(op)) {
    SortEmitter(emitter, topK).heap();
    return success();
  }
  SortEmitter sort(emitter, cast<hx::SortOp>(op));
  if (emitter.kernel().traits().itemPerElement)
    sort.rank();
  else
    sort.heap();
  return success();
}

} // namespace

const Schedule sortSchedule = {"sort", refusal, emit};

} // namespace hexin::codegen
